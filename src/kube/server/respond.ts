/** Writes answers that are one document. */
import { stringify } from 'yaml';
import { ApiError, internalError } from '../machinery/api-error.js';
import type { Exchange } from './exchange.js';
import type { Negotiated } from './negotiation.js';
import { JSON_TYPE, negotiateEncoding, PLAIN_JSON } from './negotiation.js';

/** @param document anything JSON can print */
export function respond(
  exchange: Exchange,
  status: number,
  document: unknown,
  form: Negotiated = PLAIN_JSON,
  headers: Readonly<Record<string, string>> = {},
): void {
  let text: string;
  if (form.encoding === 'yaml') text = stringify(document, { aliasDuplicateObjects: false });
  else text = exchange.pretty ? `${JSON.stringify(document, null, 2)}\n` : `${JSON.stringify(document)}\n`;
  respondText(exchange, status, text, { 'Content-Type': form.contentType, ...headers });
}

export function respondText(
  exchange: Exchange,
  status: number,
  text: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = typeof text === 'string' ? Buffer.from(text) : text;
  exchange.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(body.length),
    ...headers,
  });
  exchange.response.end(exchange.isHead ? undefined : body);
}

/** Any error as its Status; what is no ApiError is a fault of ours. Nothing if the answer has begun already. */
export function respondError(exchange: Exchange, error: unknown): ApiError {
  const known = error instanceof ApiError ? error : internalError((error as Error)?.message ?? String(error));
  const { response } = exchange;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return known;
  }
  let form = PLAIN_JSON;
  try {
    form = negotiateEncoding(exchange.accept);
  } catch {
    // Who accepts nothing that we have is told so in JSON.
  }
  const retry = known.details?.retryAfterSeconds;
  respond(exchange, known.code, known.toStatus(), form, {
    'Content-Type': form.contentType === JSON_TYPE ? JSON_TYPE : form.contentType,
    ...(retry === undefined || retry === 0 ? {} : { 'Retry-After': String(retry) }),
    ...(known.code === 401 ? { 'WWW-Authenticate': 'Bearer realm="keel"' } : {}),
  });
  return known;
}
