import type { ExchangeListener, HttpExchange, HttpResponse } from '../../../src/gateway/index.js';

export interface Asked {
  method?: string;
  url: string;
  headers?: Record<string, string>;
  secure?: boolean;
  certificateName?: string;
}

/** A request without a transport, and what was answered. */
export class FakeExchange implements HttpExchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly host: string;
  readonly remote = '127.0.0.1:1';
  readonly secure: boolean;
  readonly certificateName: string;
  readonly #headers: Record<string, string>;
  readonly done: Promise<HttpResponse>;
  #finish!: (response: HttpResponse) => void;
  #status = 0;
  #answered: Record<string, string> = {};
  body = '';
  listener: ExchangeListener | null = null;
  hungUp = false;

  constructor({ method = 'GET', url, headers = {}, secure = false, certificateName = '' }: Asked) {
    const mark = url.indexOf('?');
    this.method = method;
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    this.#headers = headers;
    this.host = headers.host ?? 'member';
    this.secure = secure;
    this.certificateName = certificateName;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  header(name: string): string | undefined {
    return this.#headers[name];
  }

  listen(listener: ExchangeListener): void {
    this.listener = listener;
  }

  read(): void {}

  respond(status: number, headers: Readonly<Record<string, string>>): void {
    this.#status = status;
    this.#answered = { ...headers };
  }

  write(bytes: string | Buffer): boolean {
    this.body += bytes.toString();
    return true;
  }

  end(last?: string | Buffer): void {
    if (last !== undefined) this.write(last);
    this.#finish({ status: this.#status, headers: this.#answered, body: this.body });
  }

  hangUp(): void {
    this.hungUp = true;
  }
}
