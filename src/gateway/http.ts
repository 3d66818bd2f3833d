/** A request as any HTTP transport hands it in. */
export interface HttpRequest {
  readonly method: string;
  /** Without the query; percent-decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of the Host header or :authority; may be empty. */
  readonly host: string;
  /** host:port of the client. */
  readonly remote: string;
  /** It came over TLS. */
  readonly secure: boolean;
  /** Common name of the client's verified certificate; '' where there is none. */
  readonly certificateName: string;
  /** Names in lower case. */
  header(name: string): string | undefined;
}

/** Who is told of a request's body and of its answer's way. */
export interface ExchangeListener {
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** There is room again after a `write` that returned false. */
  onDrain(): void;
  /** Once, last: the answer is complete, or the client has gone. */
  onClose(): void;
}

/** A request with its body, and its answer in pieces. */
export interface HttpExchange extends HttpRequest {
  /** Names the listener; before anything is read or written. Without one the body is thrown away. */
  listen(listener: ExchangeListener): void;
  /** Asks for a piece of the body: one `onData` or `onEnd` follows, never from within. */
  read(): void;
  respond(status: number, headers: Readonly<Record<string, string>>): void;
  /** Always takes the bytes; false: hold back until `onDrain`. */
  write(bytes: string | Buffer): boolean;
  /** @param last the last piece; where it is the only one the answer's length is told */
  end(last?: string | Buffer): void;
  /** Ends the connection when the answer is out: the rest of the body is not wanted. */
  hangUp(): void;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Takes the one answer of a handler, before or after the handler has returned. */
export type Respond = (response: HttpResponse) => void;

export type HttpHandler = (request: HttpRequest, respond: Respond) => void;

const PLAIN = 'text/plain; charset=utf-8';

export function plain(status: number, body: string): HttpResponse {
  return { status, headers: { 'Content-Type': PLAIN }, body };
}

/** As Go's http.Error writes it: plain text that no browser may take for something else, and a newline. */
export function httpError(status: number, text: string): HttpResponse {
  return { status, headers: { 'Content-Type': PLAIN, 'X-Content-Type-Options': 'nosniff' }, body: `${text}\n` };
}

export function notFound(): HttpResponse {
  return httpError(404, '404 page not found');
}

/** Answers anything but a GET. */
export function onlyGet(handler: HttpHandler): HttpHandler {
  return (request, respond) => {
    if (request.method === 'GET') return handler(request, respond);
    const refused = httpError(405, 'Method Not Allowed');
    respond({ ...refused, headers: { Allow: 'GET', ...refused.headers } });
  };
}
