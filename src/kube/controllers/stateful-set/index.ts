/** StatefulSets: numbered pods, each with a name and storage of its own, started and stopped in order. */
import type { StartController } from '../../kit/index.js';
import {
  CONTROLLER_REVISIONS,
  claim,
  keyOf,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  STATEFUL_SETS,
  slowStart,
  splitKey,
} from '../../kit/index.js';
import { labelSelectorOf, matchesLabels } from '../../machinery/label-selector.js';
import type { KubeObject } from '../../machinery/object.js';
import { candidates, watchChildren } from '../children.js';
import { startLoop } from '../loop.js';
import { isTerminating, nextAvailable } from '../pods.js';
import { REVISION_HASH, RevisionHistory, templateOf } from '../revisions/history.js';
import { writeStatus } from '../write-status.js';
import { newPod, ordinalOf } from './identity.js';
import type { Step } from './plan.js';
import { plan, setStatus } from './plan.js';
import { PodKeeper } from './pod-keeper.js';

const NAME = 'statefulset-controller';
const WORKERS = 5;
const HASH_LABEL = 'controller.kubernetes.io/hash';

export const startStatefulSets: StartController = (context) => {
  const { client, clock, informers } = context;
  const sets = informers.of(STATEFUL_SETS);
  const pods = informers.of(PODS);
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS);
  const revisions = informers.of(CONTROLLER_REVISIONS);
  const setClient = client.resource(STATEFUL_SETS);
  const podClient = client.resource(PODS);
  const keeper = new PodKeeper(context, context.recorder(NAME));
  const queue = context.queue(NAME);
  const matches = (set: KubeObject, child: KubeObject) =>
    matchesLabels(labelSelectorOf(set.spec?.selector), child.metadata.labels);
  const history = new RevisionHistory({ context, revisions, owners: setClient, matches, hashLabel: HASH_LABEL });

  async function sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const set = sets.get(namespace, name);
    if (set === undefined) return;
    const { update, all, collisions } = await history.sync(set);
    const mine = await claim({
      owner: set,
      children: candidates(pods, set),
      matches: (pod) => matches(set, pod) && ordinalOf(set, pod) >= 0,
      childClient: podClient,
      readOwner: () => setClient.get(namespace, name),
    });
    const current = all.find((revision) => revision.metadata.name === set.status?.currentRevision) ?? update;
    const names = { current: current.metadata.name ?? '', update: update.metadata.name ?? '' };
    const now = clock.now();
    const input = { set, pods: mine, ...names, now };
    const steps = plan(input);
    try {
      if (set.spec?.podManagementPolicy === 'Parallel') {
        const { error } = await slowStart(steps.length, (i) => take(set, steps[i] as Step, current, update));
        if (error !== null) throw error;
      } else {
        for (const step of steps) await take(set, step, current, update);
      }
    } finally {
      await writeStatus(setClient, set, setStatus(input, collisions));
    }
    const used = new Set([
      names.current,
      names.update,
      ...mine.map((pod) => pod.metadata.labels?.[REVISION_HASH] ?? ''),
    ]);
    if (!isTerminating(set)) await history.truncate(set, all, used);
    const wait = nextAvailable(mine, set.spec?.minReadySeconds, now);
    if (wait !== undefined) queue.addAfter(key, wait);
  }

  async function take(set: KubeObject, step: Step, current: KubeObject, update: KubeObject): Promise<void> {
    if (step.do === 'mend') return keeper.mend(set, step.pod, step.scaledDown);
    if (step.do === 'delete') return keeper.delete(set, step.pod);
    if (step.do === 'replace') {
      const reason = step.pod.status?.phase === 'Failed' ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod';
      const { namespace, name } = step.pod.metadata;
      const state = step.pod.status?.phase === 'Failed' ? 'failed' : 'terminated';
      const message = `StatefulSet ${namespace}/${set.metadata.name} is recreating ${state} Pod ${name}`;
      keeper.event(set, 'Warning', reason, message);
      return keeper.delete(set, step.pod);
    }
    const revision = step.revision === 'current' ? current : update;
    await keeper.create(set, newPod(set, templateOf(revision), revision.metadata.name ?? '', step.ordinal));
  }

  const enqueue = (key: string) => queue.add(key);
  const handlers = [
    sets.onChange({
      add: (set) => enqueue(keyOf(set)),
      update: (_, set) => enqueue(keyOf(set)),
      delete: (set) => enqueue(keyOf(set)),
    }),
    watchChildren({ children: pods, owners: sets, kind: 'StatefulSet', matches, enqueue }),
    watchChildren({ children: revisions, owners: sets, kind: 'StatefulSet', matches, enqueue }),
  ];
  const needed = [sets, pods, claims, revisions];
  return startLoop({ name: NAME, queue, informers: needed, workers: WORKERS, sync, handlers });
};
