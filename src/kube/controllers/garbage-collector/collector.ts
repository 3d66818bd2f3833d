import type { ControllerContext, EventRecorder, ResourceClient, WorkQueue } from '../../kit/api.js';
import { orNull } from '../../kit/api-status-error.js';
import type { KubeObject, OwnerReference } from '../../machinery/object.js';
import type { GraphNode, Identity } from './graph.js';
import { blockingDependents, FOREGROUND, ORPHAN, OwnerGraph } from './graph.js';
import { Monitors } from './monitors.js';

/** Owners known to be gone; the oldest are forgotten. */
const ABSENT_MAX = 500;

type Owner = 'solid' | 'dangling' | 'waiting';

/** A namespaced kind as the owner of an object without a namespace: nothing can be found out, nothing is done. */
class UnresolvableOwner extends Error {}

/** Acts on what the graph tells, after having looked at the live object: the graph may be behind. */
export class Collector {
  readonly monitors: Monitors;
  readonly graph: OwnerGraph;
  readonly #context: ControllerContext;
  readonly #deletions: WorkQueue;
  readonly #absent = new Set<string>();

  constructor(context: ControllerContext, recorder: EventRecorder, deletions: WorkQueue, orphans: WorkQueue) {
    this.#context = context;
    this.#deletions = deletions;
    this.graph = new OwnerGraph({
      check: (node) => deletions.add(node.uid),
      orphan: (node) => orphans.add(node.uid),
      invalidOwner: (dependent, ref) => {
        const { namespace } = dependent;
        const owner = `[${ref.apiVersion}/${ref.kind}, namespace: ${namespace}, name: ${ref.name}, uid: ${ref.uid}]`;
        const message = `ownerRef ${owner} does not exist in namespace "${namespace}"`;
        recorder.event(referenceTo(dependent), 'Warning', 'OwnerRefInvalidNamespace', message);
      },
    });
    this.monitors = new Monitors(context, this.graph);
  }

  /** Finds out whether it may live on, and does what follows. */
  async attemptToDelete(uid: string): Promise<void> {
    const node = this.graph.get(uid);
    if (node === undefined) return;
    // Somebody deletes it already, and nobody waits for its dependents.
    if (node.beingDeleted && !node.deletingDependents) return;
    const client = await this.#clientOf(node);
    const namespace = node.observed ? node.namespace : this.#namespaceOf(node);
    const live = await orNull(client.get(namespace, node.name));
    if (live === null || live.metadata.uid !== uid) {
      this.#remember(absentKey(node, namespace));
      this.graph.absent(uid, (other) => this.#absent.has(absentKey(other, this.#namespaceOf(other))));
      return;
    }
    // Its watch has not told of it yet. Should it go before it does, nobody would tell of that either.
    if (!node.observed) this.#deletions.addRateLimited(uid);
    if (node.deletingDependents) return this.#afterDependents(node, client, live);
    if ((live.metadata.ownerReferences ?? []).length === 0) return;
    try {
      await this.#judge(node, client, live);
    } catch (err) {
      if (!(err instanceof UnresolvableOwner)) throw err;
      this.#context.log.warn(err.message, { kind: node.kind, object: node.name });
    }
  }

  /** Lets its dependents go, then itself. */
  async attemptToOrphan(uid: string): Promise<void> {
    const node = this.graph.get(uid);
    if (node === undefined) return;
    await Promise.all(
      [...node.dependents].map(async (dependent) => {
        const client = await this.#clientOf(dependent);
        const live = await orNull(client.get(dependent.namespace, dependent.name));
        if (live === null || live.metadata.uid !== dependent.uid) return;
        await this.#keepOwners(client, live, (ref) => ref.uid !== uid);
      }),
    );
    const client = await this.#clientOf(node);
    await this.#dropFinalizer(client, node, ORPHAN);
  }

  async #judge(node: GraphNode, client: ResourceClient, live: KubeObject): Promise<void> {
    const refs = live.metadata.ownerReferences ?? [];
    const states = new Map<OwnerReference, Owner>();
    for (const ref of refs) states.set(ref, await this.#stateOf(ref, node));
    const any = (state: Owner) => refs.some((ref) => states.get(ref) === state);
    const { namespace, name } = node;
    if (any('solid')) {
      if (any('dangling') || any('waiting')) {
        await this.#keepOwners(client, live, (ref) => states.get(ref) === 'solid');
      }
      return;
    }
    const { resourceVersion = '', finalizers = [] } = live.metadata;
    if (any('waiting') && node.dependents.size > 0) {
      // In a circle each would wait for the next: it no longer stands in its owner's way.
      if ([...node.dependents].some((dependent) => dependent.deletingDependents)) {
        const ownerReferences = refs.map((ref) => ({ ...ref, blockOwnerDeletion: false }));
        await this.#patchOwners(client, live, ownerReferences);
      }
      const preconditions = { uid: node.uid };
      await orNull(client.delete(namespace, name, { propagationPolicy: 'Foreground', preconditions }));
      return;
    }
    const propagationPolicy = finalizers.includes(ORPHAN)
      ? 'Orphan'
      : finalizers.includes(FOREGROUND)
        ? 'Foreground'
        : 'Background';
    // With its version: an owner that was given to it meanwhile keeps it.
    const preconditions = { uid: node.uid, resourceVersion };
    await orNull(client.delete(namespace, name, { propagationPolicy, preconditions }));
  }

  async #stateOf(ref: OwnerReference, dependent: GraphNode): Promise<Owner> {
    const resource = await this.#resource(ref.apiVersion, ref.kind);
    if (resource.namespaced && dependent.namespace === '') {
      throw new UnresolvableOwner('an object without a namespace names an owner that has one');
    }
    const namespace = resource.namespaced ? dependent.namespace : '';
    const key = absentKey(ref, namespace);
    if (this.#absent.has(key)) return 'dangling';
    const owner = await orNull(this.#context.client.resource(resource.gvr).get(namespace, ref.name));
    if (owner === null || owner.metadata.uid !== ref.uid) {
      this.#remember(key);
      return 'dangling';
    }
    const { deletionTimestamp, finalizers = [] } = owner.metadata;
    return deletionTimestamp !== undefined && finalizers.includes(FOREGROUND) ? 'waiting' : 'solid';
  }

  async #afterDependents(node: GraphNode, client: ResourceClient, live: KubeObject): Promise<void> {
    if (!(live.metadata.finalizers ?? []).includes(FOREGROUND)) return;
    const blocking = blockingDependents(node);
    if (blocking.length === 0) return this.#dropFinalizer(client, node, FOREGROUND);
    for (const dependent of blocking) if (!dependent.deletingDependents) this.#deletions.add(dependent.uid);
  }

  async #dropFinalizer(client: ResourceClient, node: GraphNode, finalizer: string): Promise<void> {
    const { namespace, name, uid } = node;
    const live = await orNull(client.get(namespace, name));
    if (live === null || live.metadata.uid !== uid) return;
    const { finalizers = [], resourceVersion = '' } = live.metadata;
    if (!finalizers.includes(finalizer)) return;
    const metadata = { uid, resourceVersion, finalizers: finalizers.filter((each) => each !== finalizer) };
    await orNull(client.patch(namespace, name, 'merge', { metadata }));
  }

  async #keepOwners(client: ResourceClient, live: KubeObject, keep: (ref: OwnerReference) => boolean): Promise<void> {
    const refs = live.metadata.ownerReferences ?? [];
    const kept = refs.filter(keep);
    if (kept.length < refs.length) await this.#patchOwners(client, live, kept);
  }

  /** A merge patch, which custom resources take as well; so with the version, since it replaces the list. */
  async #patchOwners(client: ResourceClient, live: KubeObject, refs: readonly OwnerReference[]): Promise<void> {
    const { namespace = '', name = '', uid = '', resourceVersion = '' } = live.metadata;
    const metadata = { uid, resourceVersion, ownerReferences: refs.map((ref) => ({ ...ref })) };
    await orNull(client.patch(namespace, name, 'merge', { metadata }));
  }

  async #clientOf(node: GraphNode): Promise<ResourceClient> {
    return this.#context.client.resource((await this.#resource(node.apiVersion, node.kind)).gvr);
  }

  /** An owner that was only named stands with its dependent's namespace. */
  #namespaceOf({ apiVersion, kind, namespace }: Identity): string {
    return this.monitors.resourceOf(apiVersion, kind)?.namespaced === true ? namespace : '';
  }

  async #resource(apiVersion: string, kind: string) {
    const known = this.monitors.resourceOf(apiVersion, kind);
    if (known !== undefined) return known;
    await this.monitors.refresh();
    const found = this.monitors.resourceOf(apiVersion, kind);
    // Not taken for absent: its server may be away.
    if (found === undefined) throw new Error(`no resource of kind ${kind} in ${apiVersion}`);
    return found;
  }

  #remember(key: string): void {
    this.#absent.add(key);
    if (this.#absent.size > ABSENT_MAX) this.#absent.delete(this.#absent.values().next().value as string);
  }
}

function absentKey(of: { apiVersion: string; kind: string; name: string; uid: string }, namespace: string): string {
  return [of.uid, of.apiVersion, of.kind, namespace, of.name].join('|');
}

function referenceTo({ apiVersion, kind, namespace, name, uid }: GraphNode): KubeObject {
  return { apiVersion, kind, metadata: { ...(namespace === '' ? {} : { namespace }), name, uid } };
}
