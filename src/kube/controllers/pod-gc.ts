/** Clears away pods that nobody else will: of nodes that are gone, never bound, or ended and too many. Source: kubernetes pod garbage collector. */
import type { ControllerContext, StartController } from '../kit/index.js';
import { isNotFound, NODES, PODS } from '../kit/index.js';
import type { KubeObject } from '../machinery/object.js';
import { timeOf, withCondition } from './conditions.js';
import { byAge, isFinished, isTerminating } from './pods.js';

const EVERY_MS = 20_000;
/** A node may be made again under its name. */
const QUARANTINE_MS = 40_000;
const TERMINATED_MAX = 12_500;

export const startPodGc: StartController = (context) => {
  const { clock, log } = context;
  const pods = context.informers.of(PODS);
  const nodes = context.informers.of(NODES);
  /** Nodes that pods name and that are not there, since when. */
  const missing = new Map<string, number>();
  let timer: unknown = null;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();

  async function round(): Promise<void> {
    const now = clock.now();
    const all = pods.list();
    const over = all.filter((pod) => isFinished(pod) && !isTerminating(pod)).sort(byAge);
    for (const pod of over.slice(0, Math.max(0, over.length - TERMINATED_MAX))) await remove(context, pod);
    const named = new Set(all.map((pod): string => pod.spec?.nodeName ?? '').filter((name) => name !== ''));
    for (const name of missing.keys()) if (!named.has(name) || nodes.get('', name)) missing.delete(name);
    for (const name of named) {
      if (nodes.get('', name) !== undefined) continue;
      const since = missing.get(name) ?? now;
      missing.set(name, since);
      if (now - since < QUARANTINE_MS || (await isThere(context, name))) continue;
      for (const pod of all.filter((each) => each.spec.nodeName === name)) {
        await fail(context, pod);
        await remove(context, pod);
      }
    }
    for (const pod of all) if (!pod.spec?.nodeName && isTerminating(pod)) await remove(context, pod);
  }

  const arm = () => {
    timer = clock.setTimeout(() => {
      running = round()
        .catch((err) => log.warn('pods could not be cleared away', { error: (err as Error).message }))
        .finally(() => void (stopped || arm()));
    }, EVERY_MS);
  };
  void Promise.all([pods.whenSynced(), nodes.whenSynced()]).then(() => void (stopped || arm()));
  return {
    name: 'pod-garbage-collector-controller',
    async stop() {
      stopped = true;
      clock.clearTimeout(timer);
      await running;
    },
  };
};

async function isThere({ client }: ControllerContext, node: string): Promise<boolean> {
  try {
    await client.resource(NODES).get('', node);
    return true;
  } catch (err) {
    if (isNotFound(err)) return false;
    throw err;
  }
}

/** So that whoever counts it sees an end. */
async function fail({ client, clock }: ControllerContext, pod: KubeObject): Promise<void> {
  if (isFinished(pod)) return;
  const { namespace = '', name = '' } = pod.metadata;
  const reason = 'DeletionByPodGC';
  const target = { type: 'DisruptionTarget', status: 'True', reason, message: 'PodGC: node no longer exists' };
  const conditions = withCondition(pod.status?.conditions ?? [], target, clock.now());
  const status = { phase: 'Failed', conditions: conditions.map((each) => ({ ...each })) };
  await client
    .resource(PODS)
    .patch(namespace, name, 'merge', { metadata: { uid: pod.metadata.uid ?? '' }, status }, { subresource: 'status' })
    .catch(ignoreGone);
}

async function remove({ client, log, clock }: ControllerContext, pod: KubeObject): Promise<void> {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  log.info('a pod is cleared away', { pod: `${namespace}/${name}`, at: timeOf(clock.now()) });
  const query = { gracePeriodSeconds: 0, preconditions: { uid } };
  await client.resource(PODS).delete(namespace, name, query).catch(ignoreGone);
}

function ignoreGone(err: unknown): void {
  if (!isNotFound(err)) throw err;
}
