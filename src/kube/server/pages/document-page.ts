/** A document that clients keep: tagged, and not sent to who has it already. */
import type { KubeDocument } from '../../machinery/document.js';
import type { Exchange } from '../exchange.js';
import type { Negotiated } from '../negotiation.js';
import { PLAIN_JSON } from '../negotiation.js';
import { respond, respondText } from '../respond.js';

/** @param document undefined: there is none @returns whether there is one */
export function respondDocument(
  exchange: Exchange,
  document: KubeDocument | undefined,
  contentType: string,
  form: Negotiated = PLAIN_JSON,
): boolean {
  if (document === undefined) return false;
  const etag = `"${document.hash}"`;
  const headers = { ETag: etag, Vary: 'Accept' };
  const known = exchange.request.headers['if-none-match']?.split(',').map((tag) => tag.trim());
  if (known?.includes(etag) === true) {
    exchange.writeHead(304, headers);
    exchange.response.end();
  } else if (form.encoding === 'yaml' || exchange.pretty) {
    respond(exchange, 200, JSON.parse(document.body.toString()), form, { Vary: 'Accept' });
  } else respondText(exchange, 200, document.body, { 'Content-Type': contentType, ...headers });
  return true;
}
