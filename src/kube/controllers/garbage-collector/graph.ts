/**
 * Who owns whom, over all resources, by uid. Fed by what watches see; tells what is worth a look. An owner that was named
 * and not seen yet stands in the graph as well, `observed: false`: watches of two resources have no common order.
 */
import type { KubeObject, OwnerReference } from '../../machinery/object.js';
import { parseApiVersion } from '../../machinery/object.js';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

export interface Identity {
  readonly uid: string;
  apiVersion: string;
  kind: string;
  /** Of an owner that was not observed: of the dependent that named it, whether the owner's kind has one or not. */
  namespace: string;
  name: string;
}

export interface GraphNode extends Identity {
  observed: boolean;
  beingDeleted: boolean;
  /** In foreground deletion: it goes after its dependents. */
  deletingDependents: boolean;
  owners: readonly OwnerReference[];
  readonly dependents: Set<GraphNode>;
}

export interface GraphListener {
  /** Whether it may live on is to be found out. */
  check(node: GraphNode): void;
  /** Its dependents are to be let go, then itself. */
  orphan(node: GraphNode): void;
  /** An owner of another namespace. */
  invalidOwner(dependent: GraphNode, ref: OwnerReference): void;
}

export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #listener: GraphListener;

  constructor(listener: GraphListener) {
    this.#listener = listener;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  nodes(): Iterable<GraphNode> {
    return this.#nodes.values();
  }

  /** It is there, new or changed. */
  put(object: KubeObject): void {
    const { uid = '', ownerReferences = [] } = object.metadata;
    if (uid === '') return;
    let node = this.#nodes.get(uid);
    if (node === undefined) {
      node = { ...identityOf(object), observed: true, beingDeleted: false, deletingDependents: false, ...none() };
      this.#nodes.set(uid, node);
    } else if (!node.observed) {
      Object.assign(node, identityOf(object), { observed: true });
      // Who named it by other words named somebody else.
      for (const dependent of node.dependents) {
        if (this.#misnames(dependent, node)) this.#listener.check(dependent);
      }
    }
    this.#setOwners(node, ownerReferences);
    this.#transit(node, object);
  }

  /**
   * The live object is not there. Of an owner that was only named, other dependents may mean another one by its uid: then
   * it stays, by their words.
   * @param isAbsent whether that one is known not to be there, either
   */
  absent(uid: string, isAbsent: (identity: Identity) => boolean): void {
    const node = this.#nodes.get(uid);
    if (node === undefined || node.observed) return this.remove(uid);
    for (const dependent of node.dependents) {
      const ref = dependent.owners.find((owner) => owner.uid === uid);
      if (ref === undefined) continue;
      const { apiVersion, kind, name } = ref;
      const other = { uid, apiVersion, kind, name, namespace: dependent.namespace };
      if (isAbsent(other)) continue;
      Object.assign(node, other);
      for (const each of node.dependents) if (each !== dependent) this.#listener.check(each);
      this.#listener.check(node);
      return;
    }
    this.remove(uid);
  }

  /** It is gone. */
  remove(uid: string): void {
    const node = this.#nodes.get(uid);
    if (node === undefined) return;
    this.#nodes.delete(uid);
    for (const ref of node.owners) this.#leave(node, ref);
    for (const dependent of node.dependents) this.#listener.check(dependent);
    for (const { uid: owner } of node.owners) {
      const above = this.#nodes.get(owner);
      if (above?.deletingDependents === true) this.#listener.check(above);
    }
  }

  #setOwners(node: GraphNode, refs: readonly OwnerReference[]): void {
    const before = node.owners;
    if (sameRefs(before, refs)) return;
    node.owners = refs;
    const now = new Map(refs.map((ref) => [ref.uid, ref]));
    const old = new Map(before.map((ref) => [ref.uid, ref]));
    for (const ref of before) {
      const after = now.get(ref.uid);
      if (after === undefined) this.#leave(node, ref);
      const unblocked = ref.blockOwnerDeletion === true && after?.blockOwnerDeletion !== true;
      const owner = this.#nodes.get(ref.uid);
      if (unblocked && owner?.deletingDependents === true) this.#listener.check(owner);
    }
    let doubtful = false;
    for (const ref of now.values()) {
      const known = old.get(ref.uid);
      if (known !== undefined && known.name === ref.name && known.kind === ref.kind) continue;
      if (this.#enter(node, ref)) doubtful = true;
    }
    if (doubtful) this.#listener.check(node);
  }

  /** @returns whether the reference seems to name another object than the one of its uid */
  #enter(node: GraphNode, ref: OwnerReference): boolean {
    let owner = this.#nodes.get(ref.uid);
    if (owner === undefined) {
      const { apiVersion, kind, name, uid } = ref;
      const identity = { uid, apiVersion, kind, name, namespace: node.namespace };
      owner = { ...identity, observed: false, beingDeleted: false, deletingDependents: false, ...none() };
      this.#nodes.set(uid, owner);
      owner.dependents.add(node);
      this.#listener.check(owner);
      return false;
    }
    owner.dependents.add(node);
    // It came too late to be found when its owner began to go.
    if (owner.deletingDependents) this.#listener.check(node);
    return this.#misnames(node, owner);
  }

  #leave(node: GraphNode, ref: OwnerReference): void {
    const owner = this.#nodes.get(ref.uid);
    if (owner === undefined) return;
    owner.dependents.delete(node);
    if (!owner.observed && owner.dependents.size === 0) this.#nodes.delete(owner.uid);
  }

  #misnames(dependent: GraphNode, owner: GraphNode): boolean {
    const ref = dependent.owners.find(({ uid }) => uid === owner.uid);
    if (ref === undefined) return false;
    if (owner.namespace !== '' && owner.namespace !== dependent.namespace) {
      if (owner.observed) this.#listener.invalidOwner(dependent, ref);
      return true;
    }
    const group = (apiVersion: string) => parseApiVersion(apiVersion).group;
    return ref.name !== owner.name || ref.kind !== owner.kind || group(ref.apiVersion) !== group(owner.apiVersion);
  }

  #transit(node: GraphNode, { metadata }: KubeObject): void {
    const { deletionTimestamp, finalizers = [] } = metadata;
    if (deletionTimestamp === undefined) return;
    const before = node.beingDeleted;
    node.beingDeleted = true;
    if (finalizers.includes(ORPHAN)) {
      // Until it is seen without: a try may have failed half-way.
      if (!before || node.dependents.size > 0) this.#listener.orphan(node);
      return;
    }
    if (!finalizers.includes(FOREGROUND) || node.deletingDependents) return;
    node.deletingDependents = true;
    for (const dependent of node.dependents) this.#listener.check(dependent);
    this.#listener.check(node);
  }
}

function identityOf(object: KubeObject): Identity {
  const { uid = '', name = '', namespace = '' } = object.metadata;
  return { uid, apiVersion: object.apiVersion, kind: object.kind, namespace, name };
}

function none(): { owners: readonly OwnerReference[]; dependents: Set<GraphNode> } {
  return { owners: [], dependents: new Set() };
}

function sameRefs(a: readonly OwnerReference[], b: readonly OwnerReference[]): boolean {
  return (
    a.length === b.length &&
    a.every((ref, i) => {
      const other = b[i]!;
      return (
        ref.uid === other.uid &&
        ref.name === other.name &&
        ref.kind === other.kind &&
        ref.apiVersion === other.apiVersion &&
        ref.blockOwnerDeletion === other.blockOwnerDeletion
      );
    })
  );
}

/** Those that keep it from going in the foreground. */
export function blockingDependents(node: GraphNode): GraphNode[] {
  return [...node.dependents].filter((dependent) =>
    dependent.owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion === true),
  );
}
