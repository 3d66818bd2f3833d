import type { Controller, ControllerContext, Gvr } from '../../kit/index.js';
import { claim, controllerOf, Expectations, keyOf, PODS, slowStart, splitKey } from '../../kit/index.js';
import type { LabelSelector } from '../../machinery/label-selector.js';
import { matchesLabels } from '../../machinery/label-selector.js';
import type { KubeObject } from '../../machinery/object.js';
import { candidates, watchChildren } from '../children.js';
import { startLoop } from '../loop.js';
import { PodControl, podOfTemplate } from '../pod-control.js';
import { isActive, isTerminating, nextAvailable } from '../pods.js';
import { writeStatus } from '../write-status.js';
import { podsToDelete } from './deletion-order.js';
import type { Failure } from './status.js';
import { replicaStatus } from './status.js';

export interface ReplicasKind {
  readonly name: string;
  /** What its Events come from. */
  readonly component: string;
  readonly gvr: Gvr;
  readonly kind: string;
  readonly selector: (set: KubeObject) => LabelSelector;
}

const WORKERS = 5;
/** Pods made or deleted in one go. */
const BURST = 500;

export function startReplicas(
  context: ControllerContext,
  { name, component, gvr, kind, selector }: ReplicasKind,
): Controller {
  const { client, clock, informers } = context;
  const sets = informers.of(gvr);
  const pods = informers.of(PODS);
  const setClient = client.resource(gvr);
  const control = new PodControl(context, context.recorder(component));
  const expectations = new Expectations(clock);
  const queue = context.queue(name);

  const matches = (set: KubeObject, pod: KubeObject) => matchesLabels(selector(set), pod.metadata.labels);

  async function sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const set = sets.get(namespace, name);
    if (set === undefined) return expectations.forget(key);
    const act = expectations.fulfilled(key) && !isTerminating(set);
    const mine = await claim({
      owner: set,
      children: candidates(pods, set).filter(isActive),
      matches: (pod) => matches(set, pod),
      childClient: control.client,
      readOwner: () => setClient.get(namespace, name),
    });
    const trouble = act ? await manage(key, set, mine) : null;
    const now = clock.now();
    // What a round that waited would say of failures is not known; it keeps what was said.
    const failure = act ? (trouble?.failure ?? null) : failureOf(set);
    await writeStatus(setClient, set, replicaStatus(set, mine, failure, now));
    const wait = nextAvailable(mine, set.spec?.minReadySeconds, now);
    if (wait !== undefined) queue.addAfter(key, wait);
    if (trouble !== null) throw trouble.error;
  }

  async function manage(
    key: string,
    set: KubeObject,
    mine: readonly KubeObject[],
  ): Promise<{ failure: Failure; error: unknown } | null> {
    const difference = mine.length - (set.spec?.replicas ?? 0);
    if (difference < 0) {
      const count = Math.min(-difference, BURST);
      expectations.expectAdds(key, count);
      const template = podOfTemplate(set, set.spec.template);
      let vain = 0;
      const { done, error } = await slowStart(count, async () => {
        if ((await control.create(set, template)) === null) vain++;
      });
      // In a namespace that goes nothing will come; what failed, or was not tried, neither.
      expectations.added(key, count - done + vain);
      return error === null ? null : { error, failure: { reason: 'FailedCreate', message: messageOf(error) } };
    }
    if (difference > 0) {
      const going = podsToDelete(mine, family(set), Math.min(difference, BURST), clock.now());
      expectations.expectDeletes(key, going.map(keyOf));
      const results = await Promise.allSettled(
        going.map(async (pod) => {
          let there = false;
          try {
            there = await control.delete(set, pod);
          } finally {
            if (!there) expectations.deleted(key, keyOf(pod));
          }
        }),
      );
      const failed = results.find((result) => result.status === 'rejected');
      if (failed === undefined) return null;
      return { error: failed.reason, failure: { reason: 'FailedDelete', message: messageOf(failed.reason) } };
    }
    return null;
  }

  /** All pods of all sets of the same owner: where they crowd, one goes first. */
  function family(set: KubeObject): KubeObject[] {
    const owner = controllerOf(set);
    const siblings = owner === undefined ? [set] : sets.byIndex('owner', owner.uid);
    return siblings.flatMap((sibling) => pods.byIndex('owner', sibling.metadata.uid ?? ''));
  }

  const handlers = [
    sets.onChange({
      add: (set) => queue.add(keyOf(set)),
      update: (_, set) => queue.add(keyOf(set)),
      delete: (set) => {
        expectations.forget(keyOf(set));
        queue.add(keyOf(set));
      },
    }),
    watchChildren({
      children: pods,
      owners: sets,
      kind,
      matches,
      enqueue: (key) => queue.add(key),
      added: (key) => expectations.added(key),
      deleted: (key, pod) => expectations.deleted(key, keyOf(pod)),
    }),
  ];
  return startLoop({ name, queue, informers: [sets, pods], workers: WORKERS, sync, handlers });
}

function failureOf(set: KubeObject): Failure | null {
  const conditions: (Failure & { type: string })[] = set.status?.conditions ?? [];
  return conditions.find((condition) => condition.type === 'ReplicaFailure') ?? null;
}

function messageOf(err: unknown): string {
  return (err as Error).message;
}
