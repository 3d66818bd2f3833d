/** All nodes with their pods, those included that were placed a moment ago and are not told of by the API yet. */
import type { KubeObject } from '../machinery/object.js';
import type { LabelSelector } from '../machinery/selectors.js';
import { matchesLabels } from '../machinery/selectors.js';
import { NodeInfo } from './node-info.js';
import type { PodInfo } from './pod-info.js';

/** What plug-ins may look at beside the node in question. */
export interface World {
  readonly nodes: readonly NodeInfo[];
  /** Nodes that have pods with affinity or anti-affinity. */
  readonly withAffinity: readonly NodeInfo[];
  namespaceLabels(namespace: string): Readonly<Record<string, string>>;
  /** Of anything else that a plug-in must know: claims, volumes, classes, owners. */
  object(plural: WorldResource, namespace: string, name: string): KubeObject | undefined;
  list(plural: WorldResource, namespace?: string): readonly KubeObject[];
}

export type WorldResource = 'persistentvolumes' | 'persistentvolumeclaims' | 'storageclasses' | 'services';

export interface Surroundings {
  namespaceLabels: World['namespaceLabels'];
  object: World['object'];
  list: World['list'];
}

export const NO_SURROUNDINGS: Surroundings = {
  namespaceLabels: () => ({}),
  object: () => undefined,
  list: () => [],
};

export class ClusterView implements World {
  readonly #nodes = new Map<string, NodeInfo>();
  /** Pods of nodes that are not known (yet). */
  readonly #homeless = new Map<string, Map<string, PodInfo>>();
  readonly #places = new Map<string, { node: string; assumed: boolean }>();
  /** Pods for which others were sent away, by uid, with the node they are to get. */
  readonly #nominated = new Map<string, { node: string; pod: PodInfo }>();
  readonly #around: Surroundings;
  #list: NodeInfo[] | null = null;

  constructor(around: Surroundings = NO_SURROUNDINGS) {
    this.#around = around;
  }

  get nodes(): readonly NodeInfo[] {
    this.#list ??= [...this.#nodes.values()];
    return this.#list;
  }

  get withAffinity(): readonly NodeInfo[] {
    return this.nodes.filter((node) => node.hasAffinity);
  }

  namespaceLabels(namespace: string): Readonly<Record<string, string>> {
    return this.#around.namespaceLabels(namespace);
  }

  object(plural: WorldResource, namespace: string, name: string): KubeObject | undefined {
    return this.#around.object(plural, namespace, name);
  }

  list(plural: WorldResource, namespace?: string): readonly KubeObject[] {
    return this.#around.list(plural, namespace);
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  setNode(node: KubeObject): void {
    const name = node.metadata.name ?? '';
    const known = this.#nodes.get(name);
    if (known !== undefined) {
      known.node = node;
      return;
    }
    const info = new NodeInfo(node);
    for (const pod of this.#homeless.get(name)?.values() ?? []) info.add(pod);
    this.#homeless.delete(name);
    this.#nodes.set(name, info);
    this.#list = null;
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined) return;
    this.#nodes.delete(name);
    this.#list = null;
    const left = [...info.pods];
    if (left.length > 0) this.#homeless.set(name, new Map(left.map((pod) => [pod.uid, pod])));
  }

  /** It stands there, or will in a moment: then `assumed`, and `forget` takes it back. */
  place(pod: PodInfo, node: string, assumed: boolean): void {
    this.remove(pod.uid);
    this.#nominated.delete(pod.uid);
    this.#places.set(pod.uid, { node, assumed });
    const info = this.#nodes.get(node);
    if (info !== undefined) return info.add(pod);
    let homeless = this.#homeless.get(node);
    if (homeless === undefined) this.#homeless.set(node, (homeless = new Map()));
    homeless.set(pod.uid, pod);
  }

  remove(uid: string): void {
    const place = this.#places.get(uid);
    if (place === undefined) return;
    this.#places.delete(uid);
    this.#nodes.get(place.node)?.remove(uid);
    this.#homeless.get(place.node)?.delete(uid);
  }

  /** Only if the API has not confirmed it meanwhile. */
  forget(uid: string): void {
    if (this.isAssumed(uid)) this.remove(uid);
  }

  isAssumed(uid: string): boolean {
    return this.#places.get(uid)?.assumed === true;
  }

  nominate(pod: PodInfo, node: string): void {
    this.#nominated.set(pod.uid, { node, pod });
  }

  unnominate(uid: string): void {
    this.#nominated.delete(uid);
  }

  /** Pods that are to get this node and go before one of that priority. */
  nominatedOn(node: string, priority: number, uid: string): PodInfo[] {
    if (this.#nominated.size === 0) return [];
    const list: PodInfo[] = [];
    for (const one of this.#nominated.values()) {
      if (one.node === node && one.pod.uid !== uid && one.pod.priority >= priority) list.push(one.pod);
    }
    return list;
  }
}

/** The same world with one node as it would be. */
export function worldWith(world: World, changed: NodeInfo): World {
  const nodes = world.nodes.map((node) => (node.name === changed.name ? changed : node));
  return {
    nodes,
    get withAffinity() {
      return nodes.filter((node) => node.hasAffinity);
    },
    namespaceLabels: (namespace) => world.namespaceLabels(namespace),
    object: (plural, namespace, name) => world.object(plural, namespace, name),
    list: (plural, namespace) => world.list(plural, namespace),
  };
}

export function selectsNamespace(
  world: World,
  names: ReadonlySet<string>,
  selector: LabelSelector,
  namespace: string,
): boolean {
  if (names.has(namespace)) return true;
  if (selector.nothing === true) return false;
  return matchesLabels(selector, world.namespaceLabels(namespace));
}
