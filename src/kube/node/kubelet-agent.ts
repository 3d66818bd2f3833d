/** What a kubelet answers when it is asked by the API server of its own process: logs and usage. */
import type { KubeObject } from '../machinery/object.js';
import type { Kubelet } from './kubelet.js';
import type { ContainerUsage, LogLine, LogQuery } from './runtime.js';

/** What the node itself uses beside its pods. */
const NODE_CPU_MILLIS = 20;
const NODE_MEMORY_BYTES = 200 * 1024 * 1024;

export class KubeletAgent {
  readonly #kubelet: Kubelet;

  constructor(kubelet: Kubelet) {
    this.#kubelet = kubelet;
  }

  get node(): string {
    return this.#kubelet.name;
  }

  /** @throws RuntimeError */
  logs(pod: KubeObject, query: LogQuery, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void> {
    return this.#kubelet.runtime.logs(pod.metadata.uid ?? '', query, onLine, signal);
  }

  podUsage(): { pod: KubeObject; containers: readonly ContainerUsage[] }[] {
    const list: { pod: KubeObject; containers: readonly ContainerUsage[] }[] = [];
    for (const worker of this.#kubelet.workers) {
      const containers = this.#kubelet.runtime.usage(worker.uid);
      if (containers.length > 0) list.push({ pod: worker.pod, containers });
    }
    return list;
  }

  nodeUsage(): { cpuMillis: number; memoryBytes: number } {
    let cpuMillis = NODE_CPU_MILLIS;
    let memoryBytes = NODE_MEMORY_BYTES;
    for (const { containers } of this.podUsage()) {
      for (const one of containers) {
        cpuMillis += one.cpuMillis;
        memoryBytes += one.memoryBytes;
      }
    }
    return { cpuMillis, memoryBytes };
  }
}
