/** The nodes that run in this process, beside the server and whatever leads. */
import type { ApiClientOptions, Logger } from '../kit/index.js';
import { controllerContext, HttpApiClient } from '../kit/index.js';
import type { Kubelet, SimNodesOptions } from '../node/index.js';
import { KubeletAgent, startSimNodes } from '../node/index.js';
import type { NodeAgent, NodeAgents } from '../server/index.js';
import { KUBERNETES_VERSION } from '../server/index.js';

/** Events of all nodes that are on their way at once. */
const EVENT_SOCKETS = 2;

/** Kubelets of this process, as the server finds them. */
export class LocalAgents implements NodeAgents {
  readonly #closing = new AbortController();
  #kubelets: ReadonlyMap<string, Kubelet> = new Map();

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** A map that changes as nodes come and go. */
  set(kubelets: ReadonlyMap<string, Kubelet>): void {
    this.#kubelets = kubelets;
  }

  find(node: string): NodeAgent | undefined {
    const kubelet = this.#kubelets.get(node);
    return kubelet === undefined ? undefined : new KubeletAgent(kubelet);
  }

  all(): readonly NodeAgent[] {
    return [...this.#kubelets.values()].map((kubelet) => new KubeletAgent(kubelet));
  }

  close(): void {
    this.#closing.abort();
    this.#kubelets = new Map();
  }
}

export interface LocalNodesOptions {
  readonly client: ApiClientOptions;
  readonly log: Logger;
  /** --nodes: simulated ones. */
  readonly count: number;
  readonly agents: LocalAgents;
  readonly sim?: Partial<SimNodesOptions>;
}

/** @returns stops them */
export function startLocalNodes({ client: how, log, count, agents, sim }: LocalNodesOptions): {
  stop(): Promise<void>;
} {
  const client = new HttpApiClient({ userAgent: 'kubelet', maxSockets: 32, ...how });
  const events = new HttpApiClient({ userAgent: 'kubelet', maxSockets: EVENT_SOCKETS, ...how });
  const context = controllerContext({ client, log });
  const running = startSimNodes(context, { kubeletVersion: KUBERNETES_VERSION.gitVersion, events, ...sim, count });
  agents.set(running.kubelets);
  return {
    async stop() {
      agents.close();
      await running.stop();
      context.informers.stop();
      client.close();
      events.close();
    },
  };
}
