/** What the scheduler wants to know of a pod, read once per version of it. */
import type { KubeObject } from '../machinery/object.js';
import { parseQuantity, quantityMillis, quantityValue } from '../machinery/quantity.js';
import type { LabelSelector } from '../machinery/selectors.js';
import { labelSelectorOf, NOTHING } from '../machinery/selectors.js';

/** Amounts by resource; cpu in thousandths, all others in whole units (bytes, pieces). */
export type Amounts = ReadonlyMap<string, number>;

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A term of podAffinity or podAntiAffinity. */
export interface AffinityTerm {
  readonly selector: LabelSelector;
  readonly topologyKey: string;
  /** Names; null: decided by namespaceSelector alone. */
  readonly namespaces: ReadonlySet<string>;
  /** Matches labels of namespaces; NOTHING where there is none. */
  readonly namespaceSelector: LabelSelector;
  /** Of a preferred term, 1-100. */
  readonly weight: number;
}

export interface PodAffinityTerms {
  readonly required: readonly AffinityTerm[];
  readonly preferred: readonly AffinityTerm[];
}

export interface PodInfo {
  readonly pod: KubeObject;
  /** namespace/name */
  readonly key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly requests: Amounts;
  /** With what is assumed of containers that ask for nothing, for scores. */
  readonly assumedCpu: number;
  readonly assumedMemory: number;
  readonly hostPorts: readonly HostPort[];
  readonly affinity: PodAffinityTerms;
  readonly antiAffinity: PodAffinityTerms;
}

const ASSUMED_CPU = 100;
const ASSUMED_MEMORY = 200 * 1024 * 1024;
const NO_TERMS: PodAffinityTerms = { required: [], preferred: [] };

/** cpu in thousandths, others whole. A text that is no quantity counts as nothing: validation let it pass. */
export function amountOf(resource: string, text: unknown): number {
  try {
    const quantity = parseQuantity(String(text));
    return Number(resource === 'cpu' ? quantityMillis(quantity) : quantityValue(quantity));
  } catch {
    return 0;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: parts of a spec
type Loose = any;

export function podInfo(pod: KubeObject): PodInfo {
  const { namespace = '', name = '', uid = '', labels = {} } = pod.metadata;
  const spec = pod.spec ?? {};
  const requests = requestsOf(spec, (c, resource) => c.resources?.requests?.[resource]);
  const assumed = requestsOf(spec, (c, resource) => {
    const asked = c.resources?.requests?.[resource];
    if (asked !== undefined) return asked;
    return resource === 'cpu' ? `${ASSUMED_CPU}m` : resource === 'memory' ? ASSUMED_MEMORY : undefined;
  });
  return {
    pod,
    key: `${namespace}/${name}`,
    uid,
    namespace,
    labels,
    priority: spec.priority ?? 0,
    requests,
    assumedCpu: assumed.get('cpu') ?? 0,
    assumedMemory: assumed.get('memory') ?? 0,
    hostPorts: hostPortsOf(spec),
    affinity: termsOf(spec.affinity?.podAffinity, namespace),
    antiAffinity: termsOf(spec.affinity?.podAntiAffinity, namespace),
  };
}

/**
 * What a pod takes of a node: containers and sidecars together, or the most that an init container needs beside the
 * sidecars started before it; and the overhead on top.
 */
function requestsOf(spec: Loose, asked: (container: Loose, resource: string) => unknown): Map<string, number> {
  const names = new Set<string>(['cpu', 'memory']);
  const all: Loose[] = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  for (const container of all) for (const one of Object.keys(container.resources?.requests ?? {})) names.add(one);
  const total = new Map<string, number>();
  for (const resource of names) {
    const amount = (container: Loose): number => {
      const text = asked(container, resource);
      return text === undefined ? 0 : amountOf(resource, text);
    };
    let sidecars = 0;
    let initial = 0;
    for (const container of spec.initContainers ?? []) {
      const own = amount(container);
      if (container.restartPolicy === 'Always') {
        sidecars += own;
        initial = Math.max(initial, sidecars);
      } else initial = Math.max(initial, sidecars + own);
    }
    let sum = sidecars;
    for (const container of spec.containers ?? []) sum += amount(container);
    sum = Math.max(sum, initial);
    const overhead = spec.overhead?.[resource];
    if (overhead !== undefined) sum += amountOf(resource, overhead);
    if (sum > 0) total.set(resource, sum);
  }
  return total;
}

function hostPortsOf(spec: Loose): HostPort[] {
  const ports: HostPort[] = [];
  const sidecars = (spec.initContainers ?? []).filter((c: Loose) => c.restartPolicy === 'Always');
  for (const container of [...(spec.containers ?? []), ...sidecars]) {
    for (const { hostPort = 0, hostIP = '', protocol = 'TCP' } of container.ports ?? []) {
      if (hostPort > 0) ports.push({ ip: hostIP === '' ? '0.0.0.0' : hostIP, protocol, port: hostPort });
    }
  }
  return ports;
}

function termsOf(affinity: Loose, namespace: string): PodAffinityTerms {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  if (required.length === 0 && preferred.length === 0) return NO_TERMS;
  return {
    required: required.map((term: Loose) => termOf(term, namespace, 1)),
    preferred: preferred.map((one: Loose) => termOf(one.podAffinityTerm, namespace, one.weight ?? 1)),
  };
}

function termOf(term: Loose, namespace: string, weight: number): AffinityTerm {
  const named: string[] = term.namespaces ?? [];
  const own = named.length === 0 && term.namespaceSelector == null;
  return {
    selector: labelSelectorOf(term.labelSelector),
    topologyKey: term.topologyKey ?? '',
    namespaces: new Set(own ? [namespace] : named),
    namespaceSelector: term.namespaceSelector == null ? NOTHING : labelSelectorOf(term.namespaceSelector),
    weight,
  };
}

/** Whether it still holds what it asked for: one that has ended does not. */
export function isOver(pod: KubeObject): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
