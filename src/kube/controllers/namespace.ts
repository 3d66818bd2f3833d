/** Empties namespaces that are being deleted and lets them go. Source: kubernetes namespaces, deletion. */
import type { ServedResource } from '../kit/discovery.js';
import { discoverResources } from '../kit/discovery.js';
import type { ControllerContext, StartController } from '../kit/index.js';
import { isNotFound, NAMESPACES, orNull } from '../kit/index.js';
import type { Remaining } from '../machinery/namespace-conditions.js';
import { namespaceConditions } from '../machinery/namespace-conditions.js';
import type { KubeObject } from '../machinery/object.js';
import { startLoop } from './loop.js';
import { writeStatus } from './write-status.js';

const FINALIZER = 'kubernetes';
/** Pods have their grace and others their finalizers: how long until the next look, ms. */
const LOOK_AGAIN_MS = 500;
const LOOK_AGAIN_MAX_MS = 15_000;
const WORKERS = 5;

export const startNamespaces: StartController = (context) => {
  const namespaces = context.informers.of(NAMESPACES);
  const queue = context.queue('namespace');
  const add = (namespace: KubeObject) => {
    if (namespace.metadata.deletionTimestamp !== undefined) queue.add(namespace.metadata.name ?? '');
  };
  return startLoop({
    name: 'namespace-controller',
    queue,
    informers: [namespaces],
    workers: WORKERS,
    handlers: [namespaces.onChange({ add, update: (_, namespace) => add(namespace) })],
    async sync(name) {
      const again = await finalize(context, name);
      if (again !== undefined) queue.addAfter(name, again);
    },
  });
};

/** @returns ms until it is to be looked at again, if something remains */
async function finalize(context: ControllerContext, name: string): Promise<number | undefined> {
  const client = context.client.resource(NAMESPACES);
  const namespace = await orNull(client.get('', name));
  if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
  const finalizers: string[] = namespace.spec?.finalizers ?? [];
  if (finalizers.includes(FINALIZER)) {
    const remaining = await empty(context, name);
    const failures = [...remaining.errors, ...remaining.undiscovered];
    if (failures.length > 0 || remaining.counts.size > 0) {
      const conditions = namespaceConditions(remaining, namespace.status?.conditions ?? [], context.clock.now());
      await orNull(writeStatus(client, namespace, { ...namespace.status, phase: 'Terminating', conditions }));
      if (failures.length > 0) throw new Error(failures.join('; '));
      return Math.min(LOOK_AGAIN_MAX_MS, Math.max(LOOK_AGAIN_MS, remaining.grace * 500));
    }
    const left = finalizers.filter((finalizer) => finalizer !== FINALIZER);
    await orNull(client.update('', { ...namespace, spec: { ...namespace.spec, finalizers: left } }, 'finalize'));
    if (left.length > 0) return undefined;
  }
  // With the last finalizer the object goes by itself; a store that keeps it wants to be asked.
  const still = await orNull(client.get('', name));
  if (still === null || still.metadata.uid !== namespace.metadata.uid) return undefined;
  const isHeld = (still.spec?.finalizers ?? []).length > 0 || (still.metadata.finalizers ?? []).length > 0;
  if (!isHeld) await orNull(client.delete('', name, { preconditions: { uid: still.metadata.uid ?? '' } }));
  return undefined;
}

async function empty(context: ControllerContext, namespace: string): Promise<Remaining> {
  const { resources, failures } = await discoverResources(context.client);
  const remaining: Remaining = {
    counts: new Map(),
    finalizers: new Map(),
    errors: [],
    undiscovered: failures,
    grace: 0,
  };
  const deletable = resources.filter(
    ({ namespaced, verbs }) =>
      namespaced && verbs.includes('list') && (verbs.includes('deletecollection') || verbs.includes('delete')),
  );
  await Promise.all(deletable.map((resource) => emptyResource(context, resource, namespace, remaining)));
  return remaining;
}

async function emptyResource(
  context: ControllerContext,
  { gvr, verbs }: ServedResource,
  namespace: string,
  remaining: Remaining,
): Promise<void> {
  const client = context.client.resource(gvr);
  try {
    const before = await client.list(namespace);
    if (before.items.length === 0) return;
    const propagationPolicy = 'Background';
    if (verbs.includes('deletecollection')) await client.deleteCollection(namespace, { propagationPolicy });
    else {
      for (const { metadata } of before.items) {
        await orNull(client.delete(namespace, metadata.name ?? '', { propagationPolicy }));
      }
    }
    const { items } = await client.list(namespace);
    if (items.length === 0) return;
    // Also without a group there is the dot: `pods.`.
    remaining.counts.set(`${gvr.plural}.${gvr.group}`, items.length);
    for (const { metadata } of items) {
      remaining.grace = Math.max(remaining.grace, metadata.deletionGracePeriodSeconds ?? 0);
      for (const finalizer of metadata.finalizers ?? []) {
        remaining.finalizers.set(finalizer, (remaining.finalizers.get(finalizer) ?? 0) + 1);
      }
    }
  } catch (err) {
    // Its definition went just now, and its objects with it.
    if (!isNotFound(err)) remaining.errors.push((err as Error).message);
  }
}
