/** Subresources that store nothing: the answer is the body with its status filled in (`serviceaccounts/token`). */
import { methodNotAllowed } from '../../machinery/api-error.js';
import type { VirtualHandler } from '../../rest/virtual.js';
import { negotiateEncoding } from '../negotiation.js';
import { readAs } from '../read-object.js';
import { respond } from '../respond.js';
import type { SubresourceHandler } from './subresource.js';

export function virtualSubresource(handler: VirtualHandler): SubresourceHandler {
  return async (exchange, kind) => {
    const { info, user } = exchange;
    if (info.verb !== 'create') throw methodNotAllowed();
    const form = negotiateEncoding(exchange.accept);
    const exchanged = kind.subresources?.find((one) => one.name === info.subresource)?.exchanges ?? kind;
    const object = await readAs(exchange, exchanged.group, exchanged.version, exchanged.kind);
    const answer = await handler(object, { user, namespace: info.namespace, name: info.name });
    respond(exchange, 201, answer, form);
  };
}
