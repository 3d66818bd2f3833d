/** The Node that a kubelet registers and keeps up to date. Source: core/v1 Node. */
import type { JsonObject, KubeObject } from '../machinery/object.js';
import { timeText } from './pod-status.js';

export interface NodeFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { key: string; value?: string; effect: string }[];
  readonly cpu: string;
  readonly memory: string;
  readonly pods: number;
  readonly address: string;
  /** `v1.32.0` */
  readonly kubeletVersion: string;
  /** `sim://1` */
  readonly runtimeVersion: string;
  readonly port: number;
}

export function newNode(facts: NodeFacts, status: JsonObject): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: facts.name, labels: nodeLabels(facts), annotations: {} },
    spec: facts.taints.length === 0 ? {} : { taints: facts.taints.map((taint) => ({ ...taint })) },
    status,
  };
}

export function nodeLabels({ name, labels }: NodeFacts): Record<string, string> {
  return {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': process.arch === 'arm64' ? 'arm64' : 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': process.arch === 'arm64' ? 'arm64' : 'amd64',
    ...labels,
  };
}

/** @param hasRange its pods can have addresses */
export function nodeStatus(facts: NodeFacts, known: KubeObject | null, hasRange: boolean, now: number): JsonObject {
  const amounts = { cpu: facts.cpu, memory: facts.memory, pods: String(facts.pods), 'ephemeral-storage': '100Gi' };
  const given: readonly { type: string; status: string; lastTransitionTime?: string }[] =
    known?.status?.conditions ?? [];
  const condition = (type: string, status: string, reason: string, message: string): JsonObject => {
    const old = given.find((one) => one.type === type);
    const since = old?.status === status ? old.lastTransitionTime : undefined;
    return {
      type,
      status,
      lastHeartbeatTime: timeText(now),
      lastTransitionTime: since ?? timeText(now),
      reason,
      message,
    };
  };
  return {
    capacity: amounts,
    allocatable: { ...amounts },
    conditions: [
      hasRange
        ? condition('NetworkUnavailable', 'False', 'RouteCreated', 'the node has a range of pod addresses')
        : condition('NetworkUnavailable', 'True', 'NoRouteCreated', 'the node has no range of pod addresses yet'),
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
    ],
    addresses: [
      { type: 'InternalIP', address: facts.address },
      { type: 'Hostname', address: facts.name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: facts.port } },
    nodeInfo: {
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      bootID: '',
      containerRuntimeVersion: facts.runtimeVersion,
      kernelVersion: 'n/a',
      kubeProxyVersion: facts.kubeletVersion,
      kubeletVersion: facts.kubeletVersion,
      machineID: facts.name,
      operatingSystem: 'linux',
      osImage: 'Keel',
      systemUUID: facts.name,
    },
  };
}
