import type { HttpRequest as H2Request, HttpListener } from '../h2/index.js';
import type { ExchangeListener, HttpExchange } from './http.js';
import type { Pages } from './site.js';
import { parseTarget } from './target.js';

/** HTTP/2 requests that are no gRPC, for the same handlers as HTTP/1.1 (etcd wire §1: over TLS). */
export function http2Of(site: Pages): (request: H2Request) => HttpListener {
  return (request) => {
    const target = parseTarget(request.target);
    const exchange = new H2Exchange(request, target ?? { path: '/', query: '' });
    if (target === null) {
      exchange.respond(400, {});
      exchange.end();
    } else site.handle(exchange);
    return exchange;
  };
}

class H2Exchange implements HttpExchange, HttpListener {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly #request: H2Request;
  #listener: ExchangeListener | null = null;

  constructor(request: H2Request, target: { path: string; query: string }) {
    this.#request = request;
    this.method = request.method;
    this.path = target.path;
    this.query = new URLSearchParams(target.query);
  }

  get host(): string {
    return this.#request.authority;
  }

  get remote(): string {
    return this.#request.remote;
  }

  get secure(): boolean {
    return this.#request.scheme === 'https';
  }

  get certificateName(): string {
    return this.#request.certificateName;
  }

  header(name: string): string | undefined {
    return this.#request.header(name);
  }

  listen(listener: ExchangeListener): void {
    this.#listener = listener;
  }

  read(): void {
    this.#request.read();
  }

  respond(status: number, headers: Readonly<Record<string, string>>): void {
    const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    this.#request.respond(status, lower);
  }

  write(bytes: string | Buffer): boolean {
    return this.#request.write(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  }

  end(last?: string | Buffer): void {
    if (last !== undefined) this.write(last);
    this.#request.end();
  }

  /** The stream ends with its answer; the connection is for other requests too. */
  hangUp(): void {}

  onData(chunk: Buffer): void {
    this.#listener?.onData(chunk);
  }

  onEnd(): void {
    this.#listener?.onEnd();
  }

  onDrain(): void {
    this.#listener?.onDrain();
  }

  onClose(): void {
    this.#listener?.onClose();
  }
}
