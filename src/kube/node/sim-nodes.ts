/** A number of simulated nodes in one process. */
import type { ApiClient, ControllerContext, StartController } from '../kit/index.js';
import { Kubelet } from './kubelet.js';
import type { NodeFacts } from './node-object.js';
import type { RestartBackoff } from './pod-worker.js';
import { SimRuntime } from './sim/sim-runtime.js';

export interface SimNodesOptions {
  readonly count: number;
  /** `node-1`, `node-2`, ... Default `node`. */
  readonly prefix?: string;
  /** Each. Default 4, 8Gi, 110. */
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: number;
  /** Nodes are spread over these; none: no zones. */
  readonly zones?: readonly string[];
  readonly kubeletVersion?: string;
  readonly backoff?: Partial<RestartBackoff>;
  readonly leaseMs?: number;
  /** See KubeletOptions. */
  readonly events?: ApiClient;
}

export interface RunningNodes {
  readonly kubelets: ReadonlyMap<string, Kubelet>;
  /** One node falls silent. */
  kill(name: string): Promise<void>;
  stop(): Promise<void>;
}

export function nodeFacts(options: SimNodesOptions, index: number): NodeFacts {
  const { prefix = 'node', zones = [] } = options;
  const zone = zones[index % Math.max(1, zones.length)];
  return {
    name: `${prefix}-${index + 1}`,
    labels: zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone },
    taints: [],
    cpu: options.cpu ?? '4',
    memory: options.memory ?? '8Gi',
    pods: options.pods ?? 110,
    address: `172.18.${Math.floor(index / 254)}.${(index % 254) + 1}`,
    kubeletVersion: options.kubeletVersion ?? 'v1.32.0',
    runtimeVersion: 'sim://1',
    port: 10250,
  };
}

export function startSimNodes(context: ControllerContext, options: SimNodesOptions): RunningNodes {
  const kubelets = new Map<string, Kubelet>();
  for (let i = 0; i < options.count; i++) {
    const kubelet = new Kubelet({
      context,
      facts: nodeFacts(options, i),
      runtime: new SimRuntime(context.clock, context.random),
      ...(options.backoff === undefined ? {} : { backoff: options.backoff }),
      ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
      ...(options.events === undefined ? {} : { events: options.events }),
    });
    kubelets.set(kubelet.name, kubelet);
    kubelet.start();
  }
  return {
    kubelets,
    async kill(name) {
      const kubelet = kubelets.get(name);
      kubelets.delete(name);
      await kubelet?.stop();
    },
    async stop() {
      await Promise.all([...kubelets.values()].map((kubelet) => kubelet.stop()));
      kubelets.clear();
    },
  };
}

/** As a loop among others. */
export function simNodes(options: SimNodesOptions): StartController {
  return (context) => {
    const nodes = startSimNodes(context, options);
    return { name: 'nodes', stop: () => nodes.stop() };
  };
}
