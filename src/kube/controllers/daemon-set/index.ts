/** DaemonSets: one pod on every node, or on every node of a sort. */
import type { StartController } from '../../kit/index.js';
import {
  CONTROLLER_REVISIONS,
  claim,
  DAEMON_SETS,
  Expectations,
  keyOf,
  NODES,
  PODS,
  slowStart,
  splitKey,
} from '../../kit/index.js';
import { labelSelectorOf, matchesLabels } from '../../machinery/label-selector.js';
import type { KubeObject } from '../../machinery/object.js';
import { candidates, watchChildren } from '../children.js';
import { startLoop } from '../loop.js';
import { PodControl } from '../pod-control.js';
import { isTerminating, nextAvailable } from '../pods.js';
import { hashOf, REVISION_HASH, RevisionHistory } from '../revisions/history.js';
import { sameMeaning } from '../same.js';
import { writeStatus } from '../write-status.js';
import { daemonPod, nodeOf } from './eligible.js';
import type { Plan, PlanInput } from './plan.js';
import { daemonStatus, placement, rolling } from './plan.js';

const NAME = 'daemonset-controller';
/** What its Events come from. */
const COMPONENT = 'daemonset-controller';
const WORKERS = 2;
/** Pods made or deleted in one go. */
const BURST = 250;
/** Before a pod that ended on a node is deleted: at once, then after a wait that doubles. */
const ENDED_MIN_MS = 1000;
const ENDED_MAX_MS = 15 * 60_000;

export const startDaemonSets: StartController = (context) => {
  const { client, clock, informers } = context;
  const sets = informers.of(DAEMON_SETS);
  const pods = informers.of(PODS);
  const nodes = informers.of(NODES);
  const revisions = informers.of(CONTROLLER_REVISIONS);
  const setClient = client.resource(DAEMON_SETS);
  const recorder = context.recorder(COMPONENT);
  const control = new PodControl(context, recorder);
  const expectations = new Expectations(clock);
  const queue = context.queue(NAME);
  /** By set and node. */
  const backoff = new Map<string, { until: number; wait: number }>();
  const matches = (set: KubeObject, child: KubeObject) =>
    matchesLabels(labelSelectorOf(set.spec?.selector), child.metadata.labels);
  const history = new RevisionHistory({ context, revisions, owners: setClient, matches, hashLabel: REVISION_HASH });

  async function sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const set = sets.get(namespace, name);
    if (set === undefined) return expectations.forget(key);
    if (isTerminating(set)) return;
    const { update, all, collisions } = await history.sync(set);
    const hash = hashOf(update, REVISION_HASH);
    const mine = await claim({
      owner: set,
      children: candidates(pods, set),
      matches: (pod) => matches(set, pod),
      childClient: control.client,
      readOwner: () => setClient.get(namespace, name),
    });
    const now = clock.now();
    const input: PlanInput = { set, nodes: nodes.list(), pods: mine, hash, now };
    try {
      if (expectations.fulfilled(key)) {
        const plan = placement(input);
        plan.remove.push(...(await dueOf(key, set, plan.ended, now)));
        await carryOut(key, set, plan, hash);
        // What was begun now is seen by the next round.
        if (expectations.fulfilled(key)) {
          await carryOut(key, set, rolling(input), hash);
          const used = new Set([hash, ...mine.map((pod) => pod.metadata.labels?.[REVISION_HASH] ?? '')]);
          await history.truncate(set, all, used);
        }
      }
    } finally {
      await writeStatus(setClient, set, daemonStatus(input, collisions));
    }
    const wait = nextAvailable(mine, set.spec?.minReadySeconds, now);
    if (wait !== undefined) queue.addAfter(key, wait);
  }

  /** Those that ended and may be deleted now; for the others it looks again. */
  async function dueOf(key: string, set: KubeObject, ended: readonly KubeObject[], now: number): Promise<KubeObject[]> {
    const due: KubeObject[] = [];
    for (const pod of ended) {
      const node = nodeOf(pod) as string;
      const at = `${set.metadata.uid}/${set.metadata.generation}/${node}`;
      const known = backoff.get(at);
      if (known !== undefined && known.until > now) {
        queue.addAfter(key, known.until - now);
        continue;
      }
      // A long time of peace ends the waiting.
      const calm = known === undefined || now - known.until > 2 * ENDED_MAX_MS;
      const wait = calm ? ENDED_MIN_MS : Math.min(ENDED_MAX_MS, known.wait * 2);
      backoff.set(at, { until: now + wait, wait });
      const failed = pod.status?.phase === 'Failed';
      const { namespace, name } = pod.metadata;
      const what = failed ? 'failed' : 'succeeded';
      const message = `Found ${what} daemon pod ${namespace}/${name} on node ${node}, will try to ${failed ? 'kill' : 'delete'} it`;
      recorder.event(set, failed ? 'Warning' : 'Normal', failed ? 'FailedDaemonPod' : 'SucceededDaemonPod', message);
      due.push(pod);
    }
    return due;
  }

  async function carryOut(key: string, set: KubeObject, plan: Plan, hash: string): Promise<void> {
    const create = plan.create.slice(0, BURST);
    const remove = plan.remove.slice(0, BURST);
    if (create.length + remove.length === 0) return;
    expectations.expect(key, create.length, remove.map(keyOf));
    const removals = Promise.allSettled(
      remove.map(async (pod) => {
        let there = false;
        try {
          there = await control.delete(set, pod);
        } finally {
          if (!there) expectations.deleted(key, keyOf(pod));
        }
      }),
    );
    let vain = 0;
    const { done, error } = await slowStart(create.length, async (i) => {
      if ((await control.create(set, daemonPod(set, create[i] as string, hash))) === null) vain++;
    });
    expectations.added(key, create.length - done + vain);
    const failed = (await removals).find((result) => result.status === 'rejected');
    if (error !== null) throw error;
    if (failed !== undefined) throw failed.reason;
  }

  const enqueue = (key: string) => queue.add(key);
  const enqueueAll = () => {
    for (const set of sets.list()) enqueue(keyOf(set));
  };
  const handlers = [
    sets.onChange({
      add: (set) => enqueue(keyOf(set)),
      update: (_, set) => enqueue(keyOf(set)),
      delete: (set) => {
        expectations.forget(keyOf(set));
        for (const at of backoff.keys()) if (at.startsWith(`${set.metadata.uid}/`)) backoff.delete(at);
        enqueue(keyOf(set));
      },
    }),
    watchChildren({
      children: pods,
      owners: sets,
      kind: 'DaemonSet',
      matches,
      enqueue,
      added: (key) => expectations.added(key),
      deleted: (key, pod) => expectations.deleted(key, keyOf(pod)),
    }),
    watchChildren({ children: revisions, owners: sets, kind: 'DaemonSet', matches, enqueue }),
    nodes.onChange({
      add: enqueueAll,
      // Heartbeats say nothing of who belongs there.
      update: (old, node) => {
        const same =
          sameMeaning(old.metadata.labels, node.metadata.labels) && sameMeaning(old.spec?.taints, node.spec?.taints);
        if (!same) enqueueAll();
      },
      delete: enqueueAll,
    }),
  ];
  const needed = [sets, pods, nodes, revisions];
  return startLoop({ name: NAME, queue, informers: needed, workers: WORKERS, sync, handlers });
};
