/** pods/binding and bindings: a pod is put on a node, once. Source: core/v1 Binding. */
import type { Kind } from '../../kinds/kind.js';
import { badRequest, conflict, methodNotAllowed } from '../../machinery/api-error.js';
import { invalid, invalidObject, required } from '../../machinery/field-error.js';
import type { KubeObject } from '../../machinery/object.js';
import type { Exchange } from '../exchange.js';
import type { ServerParts } from '../parts.js';
import { readAs } from '../read-object.js';
import { respond } from '../respond.js';
import { writeContext } from '../write-query.js';
import { admitSubresource } from './admit.js';
import type { SubresourceHandler } from './subresource.js';

const PODS = { group: '', plural: 'pods' };

export function bindingHandler(parts: ServerParts): SubresourceHandler {
  return async (exchange, kind) => {
    if (exchange.info.verb !== 'create') throw methodNotAllowed();
    const binding = await readAs(exchange, '', 'v1', 'Binding');
    await bind(parts, exchange, kind, exchange.info.name, binding);
  };
}

/** A POST to `bindings` names the pod in its body. */
export async function bindByName(parts: ServerParts, exchange: Exchange, binding: KubeObject): Promise<void> {
  const pods = parts.kinds.findResource('', 'pods');
  const name = binding.metadata?.name ?? '';
  if (pods === undefined || name === '') throw badRequest('name is required');
  await bind(parts, exchange, pods, name, binding);
}

async function bind(
  parts: ServerParts,
  exchange: Exchange,
  pods: Kind,
  name: string,
  binding: KubeObject,
): Promise<void> {
  const context = writeContext(exchange, 'CreateOptions');
  await admitSubresource(parts, exchange, pods, 'CREATE', binding, context.dryRun);
  const { metadata = {}, target } = binding;
  if (metadata.name !== undefined && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  const node: string = target?.name ?? '';
  if (target?.kind !== undefined && target.kind !== '' && target.kind !== 'Node') {
    throw invalidObject('', 'Binding', name, [
      {
        type: 'FieldValueNotSupported',
        field: 'target.kind',
        message: `Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`,
      },
    ]);
  }
  if (node === '') throw invalidObject('', 'Binding', name, [required('target.name')]);
  if (/[/%]/.test(node)) throw invalidObject('', 'Binding', name, [invalid('target.name', node, 'is no name')]);
  await parts.storeOf(pods).update(
    exchange.info.namespace,
    name,
    (current) => {
      const pod = current as KubeObject;
      const bound: string = pod.spec?.nodeName ?? '';
      if (metadata.uid !== undefined && metadata.uid !== pod.metadata.uid) {
        throw conflict(
          PODS,
          name,
          `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${pod.metadata.uid}`,
        );
      }
      if (pod.metadata.deletionTimestamp !== undefined) {
        throw conflict(PODS, name, `pod ${name} is being deleted, cannot be assigned to a host`);
      }
      if (bound !== '') throw conflict(PODS, name, `pod ${name} is already assigned to node "${bound}"`);
      pod.spec = { ...pod.spec, nodeName: node };
      if (metadata.annotations !== undefined) {
        pod.metadata.annotations = { ...pod.metadata.annotations, ...metadata.annotations };
      }
      setScheduled(pod, parts.now());
      return { object: pod };
    },
    { dryRun: context.dryRun },
  );
  respond(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}

function setScheduled(pod: KubeObject, now: number): void {
  const lastTransitionTime = `${new Date(now).toISOString().slice(0, 19)}Z`;
  const others = (pod.status?.conditions ?? []).filter((one: { type: string }) => one.type !== 'PodScheduled');
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime };
  pod.status = { ...pod.status, conditions: [...others, scheduled] };
}
