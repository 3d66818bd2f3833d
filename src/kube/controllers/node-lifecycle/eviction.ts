/** Drives pods off nodes whose NoExecute taints they do not bear, or no longer. Source: kubernetes taint-based eviction. */
import type { StartController } from '../../kit/index.js';
import { isNotFound, keyOf, NODES, PODS, splitKey } from '../../kit/index.js';
import { equalJson } from '../../machinery/json-value.js';
import type { KubeObject } from '../../machinery/object.js';
import { withCondition } from '../conditions.js';
import { startLoop } from '../loop.js';
import { isTerminating } from '../pods.js';
import { ON_NODE } from './index.js';
import type { Taint } from './taints.js';
import { staySeconds } from './taints.js';

export const startTaintEviction: StartController = (context) => {
  const { clock, client } = context;
  const nodes = context.informers.of(NODES);
  const pods = context.informers.of(PODS);
  pods.addIndex(ON_NODE, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  const queue = context.queue('noexec_taint_pod');
  const events = context.recorder('taint-eviction-controller');
  /** By uid, since when its hours are counted. */
  const since = new Map<string, number>();
  const add = (pod: KubeObject) => {
    if (pod.spec?.nodeName) queue.add(keyOf(pod));
  };
  const taintsOf = (node: KubeObject | undefined): Taint[] =>
    ((node?.spec?.taints ?? []) as Taint[]).filter(({ effect }) => effect === 'NoExecute');

  async function sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const pod = pods.get(namespace, name);
    if (pod === undefined || isTerminating(pod)) return;
    const { uid = '' } = pod.metadata;
    const taints = taintsOf(nodes.get('', pod.spec.nodeName ?? ''));
    const stay = staySeconds(pod, taints);
    if (taints.length === 0 || stay === Number.POSITIVE_INFINITY) {
      if (since.delete(uid)) events.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
      return;
    }
    const now = clock.now();
    const begin = since.get(uid) ?? now;
    const left = begin + stay * 1000 - now;
    if (left > 0) {
      since.set(uid, begin);
      queue.addAfter(key, left);
      return;
    }
    events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
    const target = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    };
    const conditions = withCondition(pod.status?.conditions ?? [], target, now);
    try {
      await client.resource(PODS).update(namespace, { ...pod, status: { ...pod.status, conditions } }, 'status');
      await client.resource(PODS).delete(namespace, name, { preconditions: { uid } });
    } catch (err) {
      if (!isNotFound(err)) throw err;
    }
    since.delete(uid);
  }

  return startLoop({
    name: 'taint-eviction-controller',
    queue,
    informers: [nodes, pods],
    workers: 5,
    handlers: [
      nodes.onChange({
        add: (node) => taintsOf(node).length > 0 && pods.byIndex(ON_NODE, node.metadata.name ?? '').forEach(add),
        update(old, node) {
          if (equalJson(taintsOf(old), taintsOf(node))) return;
          pods.byIndex(ON_NODE, node.metadata.name ?? '').forEach(add);
        },
      }),
      pods.onChange({
        add,
        update(old, pod) {
          const of = ({ spec }: KubeObject) => [spec?.nodeName, spec?.tolerations];
          if (!equalJson(of(old), of(pod))) add(pod);
        },
        delete: (pod) => void since.delete(pod.metadata.uid ?? ''),
      }),
    ],
    sync,
  });
};
