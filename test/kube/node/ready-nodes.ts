import type { StartController } from '../../../src/kube/kit/index.js';
import { NODES } from '../../../src/kube/kit/index.js';

/** In place of the node lifecycle controller: takes the taint of new nodes off as soon as they are ready. */
export const readyNodes: StartController = ({ client, informers }) => {
  const seen = (node: { metadata: { name?: string }; spec?: any; status?: any }): void => {
    const ready = (node.status?.conditions ?? []).find((one: { type: string }) => one.type === 'Ready')?.status;
    const left = (node.spec?.taints ?? []).filter((one: { key: string }) => one.key !== 'node.kubernetes.io/not-ready');
    if (ready !== 'True' || left.length === (node.spec?.taints ?? []).length) return;
    void client
      .resource(NODES)
      .patch('', node.metadata.name!, 'merge', { spec: { taints: left } })
      .catch(() => {});
  };
  const off = informers.of(NODES).onChange({ add: seen, update: (_, node) => seen(node) });
  return { name: 'ready-nodes', stop: async () => off() };
};
