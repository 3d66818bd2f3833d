/** Watches the heartbeats of nodes, tells which are lost, and taints them. Source: kubernetes node life cycle. */
import type { StartController } from '../../kit/index.js';
import { isConflict, isNotFound, LEASES, NODES, PODS } from '../../kit/index.js';
import { equalJson } from '../../machinery/json-value.js';
import type { KubeObject } from '../../machinery/object.js';
import type { Condition } from '../conditions.js';
import { conditionOf, timeOf, withCondition } from '../conditions.js';
import { isFinished } from '../pods.js';
import { wantedTaints } from './taints.js';

const EVERY_MS = 5000;
/** Without a sign for so long a node is lost. */
const GRACE_MS = 40_000;
/** One that has never said anything. */
const STARTUP_GRACE_MS = 60_000;
const LEASE_NAMESPACE = 'kube-node-lease';
const HEALTH = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];
export const ON_NODE = 'on-node';

export const startNodeLifecycle: StartController = (context) => {
  const { clock, log, client } = context;
  const nodes = context.informers.of(NODES);
  const leases = context.informers.of(LEASES);
  const pods = context.informers.of(PODS);
  pods.addIndex(ON_NODE, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  const events = context.recorder('node-controller');
  /** The last sign of each, and when it came by our own clock: those of machines are never compared. */
  const signs = new Map<string, { sign: string; at: number }>();
  /** Nodes whose pods have been told. */
  const told = new Set<string>();
  let timer: unknown = null;
  let stopped = false;
  let running: Promise<void> | null = null;
  let again = false;

  async function round(): Promise<void> {
    const all = nodes.list();
    for (const node of all) await quietly(node, () => watchHealth(node));
    const fresh = nodes.list();
    // When all are down it is more likely that we are cut off than that all died.
    const evict = fresh.some((node) => conditionOf(node, 'Ready')?.status === 'True');
    for (const node of fresh) {
      await quietly(node, () => taint(node, evict));
      await quietly(node, () => tellPods(node));
    }
    const names = new Set(all.map(({ metadata }) => metadata.name));
    for (const name of signs.keys()) if (!names.has(name)) signs.delete(name);
  }

  async function quietly(node: KubeObject, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (err) {
      if (isConflict(err)) again = true;
      else if (!isNotFound(err)) log.warn('a node is left alone', { node: node.metadata.name, error: String(err) });
    }
  }

  async function watchHealth(node: KubeObject): Promise<void> {
    const { name = '' } = node.metadata;
    const now = clock.now();
    const ready = conditionOf(node, 'Ready') as (Condition & { lastHeartbeatTime?: string }) | undefined;
    const renewed = leases.get(LEASE_NAMESPACE, name)?.spec?.renewTime ?? '';
    // What we wrote ourselves is no sign of life.
    const heartbeat = ready?.status === 'Unknown' ? '' : (ready?.lastHeartbeatTime ?? '');
    const sign = `${node.metadata.uid} ${renewed} ${heartbeat}`;
    const last = signs.get(name);
    if (last === undefined || (last.sign !== sign && ready?.status !== 'Unknown') || isRenewed(last.sign, sign)) {
      signs.set(name, { sign, at: now });
      return;
    }
    if (now - last.at <= (ready === undefined ? STARTUP_GRACE_MS : GRACE_MS)) return;
    let conditions: Condition[] = node.status?.conditions ?? [];
    for (const type of HEALTH) {
      const before = conditions.find((each) => each.type === type);
      if (before?.status === 'Unknown') continue;
      const lost =
        before === undefined
          ? { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' }
          : { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' };
      conditions = withCondition(conditions, { type, status: 'Unknown', ...lost }, now);
    }
    if (equalJson(conditions, node.status?.conditions ?? [])) return;
    const status = { ...node.status, conditions };
    await client.resource(NODES).update('', { ...node, status }, 'status');
    again = true;
  }

  async function taint(node: KubeObject, evict: boolean): Promise<void> {
    const wanted = wantedTaints(node, evict, timeOf(clock.now()));
    if (equalJson(wanted, node.spec?.taints ?? [])) return;
    const changed = structuredClone(node);
    if (wanted.length === 0) delete changed.spec.taints;
    else changed.spec = { ...changed.spec, taints: wanted };
    await client.resource(NODES).update('', changed);
  }

  /** Services must not send anything to pods of a node that is not ready. */
  async function tellPods(node: KubeObject): Promise<void> {
    const { name = '' } = node.metadata;
    const ready = conditionOf(node, 'Ready');
    if (ready === undefined || ready.status === 'True') return void told.delete(name);
    if (!told.has(name)) events.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
    told.add(name);
    for (const pod of pods.byIndex(ON_NODE, name)) {
      if (isFinished(pod) || conditionOf(pod, 'Ready')?.status !== 'True') continue;
      const conditions = withCondition(pod.status.conditions, { type: 'Ready', status: 'False' }, clock.now());
      const changed = { ...pod, status: { ...pod.status, conditions } };
      await client.resource(PODS).update(pod.metadata.namespace ?? '', changed, 'status');
      events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    }
  }

  /** One round at a time; what changes meanwhile gets another. */
  function run(): void {
    if (stopped) return;
    if (running !== null) {
      again = true;
      return;
    }
    clock.clearTimeout(timer);
    again = false;
    running = round().finally(() => {
      running = null;
      if (!stopped) timer = clock.setTimeout(run, again ? 100 : EVERY_MS);
    });
  }

  const off = nodes.onChange({
    add(node) {
      const { name } = node.metadata;
      events.event(node, 'Normal', 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
      if (nodes.synced) run();
    },
    update(old, node) {
      const of = (each: KubeObject) => [
        each.spec,
        ((each.status?.conditions ?? []) as Condition[]).map(({ type, status }) => [type, status]),
      ];
      if (!equalJson(of(old), of(node))) run();
    },
    delete(node) {
      const { name } = node.metadata;
      events.event(node, 'Normal', 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`);
    },
  });
  void Promise.all([nodes, leases, pods].map((informer) => informer.whenSynced())).then(run);
  return {
    name: 'node-lifecycle-controller',
    async stop() {
      stopped = true;
      off();
      clock.clearTimeout(timer);
      await running;
    },
  };
};

/** Of a node that is lost only its Lease can tell that it is back, or its status, which then is not Unknown. */
function isRenewed(before: string, now: string): boolean {
  return before.split(' ')[0] !== now.split(' ')[0] || before.split(' ')[1] !== now.split(' ')[1];
}
