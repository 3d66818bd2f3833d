/**
 * What a kubelet runs containers with. A runtime knows containers and pods' sandboxes; when they are started, stopped,
 * started again and told of is the kubelet's business. Times are ms since the epoch.
 */
import type { JsonObject, KubeObject } from '../machinery/object.js';
import type { PodIps } from './pod-ips.js';

// biome-ignore lint/suspicious/noExplicitAny: a container as it stands in a pod's spec
export type ContainerSpec = any;

export interface Exit {
  readonly exitCode: number;
  readonly signal?: number;
  /** Default: Completed for 0, else Error. `OOMKilled`. */
  readonly reason?: string;
  readonly message?: string;
  readonly startedAt: number;
  readonly finishedAt: number;
}

export interface RunningContainer {
  /** `sim://...` */
  readonly id: string;
  readonly startedAt: number;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  /** Asks it to end, and makes it end after the grace. `exited` tells when. */
  stop(graceMs: number): void;
}

export interface StartRequest {
  readonly pod: KubeObject;
  readonly container: ContainerSpec;
  readonly role: ContainerRole;
  /** 0 for the first. */
  readonly restart: number;
  readonly podIp: string;
}

/** A sidecar is an init container that goes on running. */
export type ContainerRole = 'init' | 'sidecar' | 'main';

export interface PulledImage {
  readonly imageId: string;
  readonly sizeBytes: number;
  /** It lay there already. */
  readonly present: boolean;
}

/** A container cannot be made as its spec asks: `CreateContainerConfigError`, `ErrImagePull`, `RunContainerError`. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface ProbeOutcome {
  readonly ok: boolean;
  /** Why not; '' is not told. */
  readonly message: string;
}

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface LogLine {
  readonly at: number;
  readonly text: string;
}

export interface LogQuery {
  readonly container: string;
  readonly previous: boolean;
  readonly follow: boolean;
  /** The last so many. */
  readonly tailLines?: number;
  /** Not before, ms. */
  readonly since?: number;
}

export interface ContainerUsage {
  readonly name: string;
  /** Thousandths of a core. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

export interface Runtime {
  /** As in container ids and `containerRuntimeVersion`: `sim`, `process`. */
  readonly name: string;
  readonly version: string;
  /**
   * Pods' shared part: addresses, folders. Idempotent.
   * @param ips null for a pod on its host's network
   * @returns its address; '' for such a pod
   */
  openPod(pod: KubeObject, ips: PodIps | null): Promise<{ readonly ip: string }>;
  /** A later version of it. */
  podChanged?(pod: KubeObject): void;
  /** A readiness probe for a container that has none of its own. */
  readiness?(pod: KubeObject, container: ContainerSpec): JsonObject | undefined;
  /** All containers have ended. */
  closePod(uid: string): Promise<void>;
  /** @throws RuntimeError ErrImagePull, ErrImageNeverPull */
  pull(pod: KubeObject, container: ContainerSpec): Promise<PulledImage>;
  /** @throws RuntimeError */
  start(request: StartRequest): Promise<RunningContainer>;
  /**
   * Containers that ran when this process's predecessor ended.
   * @param startedAt when it was started, as the pod's status says
   * @returns null: it does not run any more
   */
  adopt(request: StartRequest, id: string, startedAt: number): RunningContainer | null;
  probe(uid: string, container: string, kind: ProbeKind, probe: JsonObject): Promise<ProbeOutcome>;
  /** postStart, preStop. @throws Error */
  hook(uid: string, container: string, handler: JsonObject): Promise<void>;
  /** Resolves at the end of the lines, or when following at the end of the container. @throws RuntimeError: no such log */
  logs(uid: string, query: LogQuery, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void>;
  /** Of a pod's running containers. */
  usage(uid: string): readonly ContainerUsage[];
}
