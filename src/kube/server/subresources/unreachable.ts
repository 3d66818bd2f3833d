/** What only a node's agent can answer: logs, exec, attach, port-forward. Until one runs, the answer says what is missing. */
import type { Kind } from '../../kinds/kind.js';
import { ApiError, badRequest, internalError } from '../../machinery/api-error.js';
import type { KubeObject } from '../../machinery/object.js';
import type { Exchange } from '../exchange.js';
import type { ServerParts } from '../parts.js';
import type { SubresourceHandler } from './subresource.js';

interface Container {
  readonly name: string;
}

export function unreachableHandler(parts: ServerParts): SubresourceHandler {
  return async ({ info }: Exchange, kind: Kind) => {
    const pod = await parts.resources.of(kind).get(info.namespace, info.name);
    if (info.subresource !== 'portforward') checkContainer(pod, info.query.get('container'));
    const node: string = pod.spec?.nodeName ?? '';
    if (node === '') throw new ApiError(400, 'BadRequest', `pod ${info.name} does not have a host assigned`);
    throw internalError(
      `error dialing backend: no agent of node ${JSON.stringify(node)} can be reached; ` +
        `${info.subresource} needs one`,
    );
  };
}

/** @throws ApiError 400 */
function checkContainer(pod: KubeObject, asked: string | null): void {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const name = pod.metadata.name ?? '';
  const all = [...containers, ...initContainers, ...ephemeralContainers] as Container[];
  if (asked !== null && asked !== '') {
    if (all.some((one) => one.name === asked)) return;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  if (containers.length === 1) return;
  const named = (list: readonly Container[]) => list.map((one) => one.name).join(' ');
  const init = initContainers.length > 0 ? ` or one of the init containers: [${named(initContainers)}]` : '';
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${named(containers)}]${init}`);
}
