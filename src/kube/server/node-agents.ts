/** The agents of nodes as the server reaches them: calls in one process, whatever is behind them. */
import type { KubeObject } from '../machinery/object.js';

export interface AgentLogQuery {
  readonly container: string;
  readonly previous: boolean;
  readonly follow: boolean;
  readonly tailLines?: number;
  /** Not before, ms since the epoch. */
  readonly since?: number;
}

export interface AgentLogLine {
  /** ms since the epoch */
  readonly at: number;
  readonly text: string;
}

export interface AgentUsage {
  /** Thousandths of a core. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

export interface AgentPodUsage {
  readonly pod: KubeObject;
  readonly containers: readonly (AgentUsage & { readonly name: string })[];
}

export interface NodeAgent {
  readonly node: string;
  /** Resolves at the end of the lines, or when following at the end of the container. @throws Error: there are none */
  logs(pod: KubeObject, query: AgentLogQuery, onLine: (line: AgentLogLine) => void, signal: AbortSignal): Promise<void>;
  /** Of running containers. */
  podUsage(): readonly AgentPodUsage[];
  nodeUsage(): AgentUsage;
}

export interface NodeAgents {
  find(node: string): NodeAgent | undefined;
  all(): readonly NodeAgent[];
  /** Ends when the agents do: whoever follows them is sent home. */
  readonly closing: AbortSignal;
}
