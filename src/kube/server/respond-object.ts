/** Answers that carry objects of a kind. */
import { once } from 'node:events';
import type { Kind } from '../kinds/kind.js';
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import { parseIncludeObject } from '../machinery/table.js';
import type { ObjectList } from '../registry/object-store.js';
import type { Exchange } from './exchange.js';
import type { Negotiated } from './negotiation.js';
import { negotiate } from './negotiation.js';
import { respond, respondText } from './respond.js';
import type { ViewOptions } from './views.js';
import { listView, objectView } from './views.js';

/** Lists up to here are sent in one piece. */
const PIECE_BYTES = 256 * 1024;

/** @throws ApiError 400, 406 */
export function viewOptions(exchange: Exchange, now: number, form?: Negotiated): ViewOptions {
  return {
    form: form ?? negotiate(exchange.accept, true),
    includeObject: parseIncludeObject(exchange.info.query.get('includeObject')),
    now,
  };
}

export function respondObject(
  exchange: Exchange,
  status: number,
  kind: Kind,
  object: KubeObject,
  options: ViewOptions,
): void {
  respond(exchange, status, objectView(kind, object, options), options.form);
}

/** Piece by piece: a list of thousands of objects neither fills the memory of a slow client's socket nor blocks others. */
export async function respondList(
  exchange: Exchange,
  kind: Kind,
  list: ObjectList,
  options: ViewOptions,
): Promise<void> {
  const view = listView(kind, list, options);
  if (options.form.encoding === 'yaml' || exchange.pretty) {
    const text = `${view.head}${list.items.map((item) => view.item(item)).join(',')}${view.tail}`;
    return respond(exchange, 200, JSON.parse(text), options.form);
  }
  const { response } = exchange;
  let piece = view.head;
  let started = false;
  for (let i = 0; i < list.items.length; i++) {
    piece += i === 0 ? view.item(list.items[i] as KubeObject) : `,${view.item(list.items[i] as KubeObject)}`;
    if (piece.length < PIECE_BYTES) continue;
    if (!started) exchange.writeHead(200, { 'Content-Type': options.form.contentType });
    started = true;
    if (exchange.isHead) break;
    const more = response.write(piece);
    piece = '';
    if (!more) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    else await new Promise((done) => setImmediate(done));
    if (response.destroyed) throw new ApiError(499, 'ClientClosed', 'the client is gone');
  }
  piece += `${view.tail}\n`;
  if (!started) return respondText(exchange, 200, piece, { 'Content-Type': options.form.contentType });
  response.end(exchange.isHead ? undefined : piece);
}
