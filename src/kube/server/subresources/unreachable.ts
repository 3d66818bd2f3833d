/** What only a node's agent can answer: logs, exec, attach, port-forward. Until one runs, the answer says what is missing. */
import type { Kind } from '../../kinds/kind.js';
import { ApiError, internalError } from '../../machinery/api-error.js';
import type { Exchange } from '../exchange.js';
import type { ServerParts } from '../parts.js';
import { containerOf } from './pod-container.js';
import type { SubresourceHandler } from './subresource.js';

export function unreachableHandler(parts: ServerParts): SubresourceHandler {
  return async ({ info }: Exchange, kind: Kind) => {
    const pod = await parts.resources.of(kind).get(info.namespace, info.name);
    if (info.subresource !== 'portforward') containerOf(pod, info.query.get('container'));
    const node: string = pod.spec?.nodeName ?? '';
    if (node === '') throw new ApiError(400, 'BadRequest', `pod ${info.name} does not have a host assigned`);
    throw internalError(
      `error dialing backend: no agent of node ${JSON.stringify(node)} can be reached; ` +
        `${info.subresource} needs one`,
    );
  };
}
