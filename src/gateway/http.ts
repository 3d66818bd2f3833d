/** A request as any HTTP transport hands it in. */
export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  header(name: string): string | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
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
