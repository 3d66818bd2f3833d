/** A new node takes no pods before it has shown that it is ready. */
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

export class TaintNodesByCondition implements AdmissionPlugin {
  readonly name = 'TaintNodesByCondition';

  async admit({ kind, operation, subresource, object: node }: AdmissionRequest): Promise<void> {
    if (kind.group !== '' || kind.plural !== 'nodes' || subresource !== '') return;
    if (operation !== 'CREATE' || node === null) return;
    node.spec ??= {};
    const taints: { key: string; effect: string }[] = node.spec.taints ?? [];
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return;
    node.spec.taints = [...taints, { ...NOT_READY }];
  }
}
