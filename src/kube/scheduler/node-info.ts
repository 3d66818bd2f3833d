/** A node with what stands on it. Changed by the cluster's view as pods come and go; plug-ins only read. */
import type { KubeObject } from '../machinery/object.js';
import type { Amounts, HostPort, PodInfo } from './pod-info.js';
import { amountOf } from './pod-info.js';

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

export class NodeInfo {
  readonly name: string;
  #node: KubeObject;
  #allocatable: Amounts;
  #taints: readonly Taint[];
  readonly #pods = new Map<string, PodInfo>();
  readonly #requested = new Map<string, number>();
  #assumedCpu = 0;
  #assumedMemory = 0;
  /** Of the pods: how many have a required anti-affinity, and any affinity at all. */
  #withAffinity = 0;
  #images: ReadonlyMap<string, number> | null = null;

  constructor(node: KubeObject) {
    this.name = node.metadata.name ?? '';
    this.#node = node;
    this.#allocatable = amounts(node);
    this.#taints = taintsOf(node);
  }

  get node(): KubeObject {
    return this.#node;
  }

  set node(node: KubeObject) {
    this.#node = node;
    this.#allocatable = amounts(node);
    this.#taints = taintsOf(node);
    this.#images = null;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#node.metadata.labels ?? {};
  }

  get taints(): readonly Taint[] {
    return this.#taints;
  }

  get allocatable(): Amounts {
    return this.#allocatable;
  }

  get pods(): Iterable<PodInfo> {
    return this.#pods.values();
  }

  get podCount(): number {
    return this.#pods.size;
  }

  get hasAffinity(): boolean {
    return this.#withAffinity > 0;
  }

  get assumedCpu(): number {
    return this.#assumedCpu;
  }

  get assumedMemory(): number {
    return this.#assumedMemory;
  }

  requested(resource: string): number {
    return this.#requested.get(resource) ?? 0;
  }

  /** Bytes of the images that lie there, by name. */
  get images(): ReadonlyMap<string, number> {
    if (this.#images === null) {
      const images = new Map<string, number>();
      for (const { names = [], sizeBytes = 0 } of this.#node.status?.images ?? []) {
        for (const name of names) images.set(name, sizeBytes);
      }
      this.#images = images;
    }
    return this.#images;
  }

  usesPort(wanted: HostPort): boolean {
    for (const pod of this.#pods.values()) {
      for (const used of pod.hostPorts) {
        if (used.port !== wanted.port || used.protocol !== wanted.protocol) continue;
        if (used.ip === wanted.ip || used.ip === '0.0.0.0' || wanted.ip === '0.0.0.0') return true;
      }
    }
    return false;
  }

  add(pod: PodInfo): void {
    this.remove(pod.uid);
    this.#pods.set(pod.uid, pod);
    this.#count(pod, 1);
  }

  remove(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    this.#pods.delete(uid);
    this.#count(pod, -1);
  }

  /** One of its own, to try out other pods on. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.#node);
    for (const pod of this.#pods.values()) copy.add(pod);
    return copy;
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    for (const [resource, amount] of pod.requests) {
      this.#requested.set(resource, (this.#requested.get(resource) ?? 0) + sign * amount);
    }
    this.#assumedCpu += sign * pod.assumedCpu;
    this.#assumedMemory += sign * pod.assumedMemory;
    const { affinity, antiAffinity } = pod;
    const terms = affinity.required.length + affinity.preferred.length;
    if (terms + antiAffinity.required.length + antiAffinity.preferred.length > 0) this.#withAffinity += sign;
  }
}

function amounts(node: KubeObject): Amounts {
  const of: Record<string, unknown> = node.status?.allocatable ?? node.status?.capacity ?? {};
  return new Map(Object.entries(of).map(([resource, text]) => [resource, amountOf(resource, text)]));
}

function taintsOf(node: KubeObject): readonly Taint[] {
  return node.spec?.taints ?? [];
}
