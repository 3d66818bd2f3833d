import { createHash } from 'node:crypto';
import type { KubeClock } from '../../kit/index.js';
import { sleep } from '../../kit/index.js';
import type { JsonObject, KubeObject } from '../../machinery/object.js';
import { LogBook } from '../log-book.js';
import type { PodIps } from '../pod-ips.js';
import type {
  ContainerRole,
  ContainerSpec,
  ContainerUsage,
  LogLine,
  LogQuery,
  ProbeKind,
  ProbeOutcome,
  PulledImage,
  RunningContainer,
  Runtime,
  StartRequest,
} from '../runtime.js';
import { RuntimeError } from '../runtime.js';
import type { SimRules } from './rules.js';
import { rulesOf, speaksOfReadiness } from './rules.js';
import { SimContainer } from './sim-container.js';

interface SimPod {
  pod: KubeObject;
  readonly containers: Map<string, { role: ContainerRole; current: SimContainer; previous: LogBook | null }>;
}

/** Plays pods' lives: nothing runs, everything takes place. One a node. */
export class SimRuntime implements Runtime {
  readonly name = 'sim';
  readonly version = '1';
  readonly #clock: KubeClock;
  readonly #random: () => number;
  readonly #pods = new Map<string, SimPod>();
  readonly #images = new Set<string>();

  constructor(clock: KubeClock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  async openPod(pod: KubeObject, ips: PodIps | null): Promise<{ ip: string }> {
    this.#of(pod);
    return { ip: ips === null ? '' : ips.take(pod.metadata.uid ?? '') };
  }

  podChanged(pod: KubeObject): void {
    const known = this.#pods.get(pod.metadata.uid ?? '');
    if (known !== undefined) known.pod = pod;
  }

  async closePod(uid: string): Promise<void> {
    this.#pods.delete(uid);
  }

  async pull(pod: KubeObject, container: ContainerSpec): Promise<PulledImage> {
    const image: string = container.image ?? '';
    const rules = rulesOf(pod, container, 'main');
    const present = this.#images.has(image);
    if (rules.pullError === null && present && container.imagePullPolicy !== 'Always') {
      return { imageId: imageId(image), sizeBytes: 0, present: true };
    }
    if (container.imagePullPolicy === 'Never' && !present) {
      throw new RuntimeError(
        'ErrImageNeverPull',
        `Container image "${image}" is not present with pull policy of Never`,
      );
    }
    if (rules.pullDelayMs > 0) await sleep(this.#clock, rules.pullDelayMs);
    if (rules.pullError !== null) throw new RuntimeError('ErrImagePull', rules.pullError);
    this.#images.add(image);
    return { imageId: imageId(image), sizeBytes: 0, present: false };
  }

  async start(request: StartRequest): Promise<RunningContainer> {
    const { startDelayMs } = this.#rules(request)();
    if (startDelayMs > 0) await sleep(this.#clock, startDelayMs);
    const id = createHash('sha256').update(`${this.#random()}|${this.#clock.now()}`).digest('hex');
    return this.#play(request, `sim://${id}`, this.#clock.now());
  }

  adopt(request: StartRequest, id: string, startedAt: number): RunningContainer | null {
    if (!id.startsWith('sim://')) return null;
    return this.#play(request, id, Number.isNaN(startedAt) ? this.#clock.now() : startedAt);
  }

  readiness(pod: KubeObject, container: ContainerSpec): JsonObject | undefined {
    if (!speaksOfReadiness(pod, container)) return undefined;
    return { periodSeconds: 0.2, failureThreshold: 1, sim: true };
  }

  async probe(uid: string, name: string, kind: ProbeKind, probe: JsonObject): Promise<ProbeOutcome> {
    const known = this.#pods.get(uid);
    const container = known?.containers.get(name);
    if (known === undefined || container === undefined) return { ok: false, message: 'the container is gone' };
    const rules = this.#rulesOf(known, name, container.role);
    const age = this.#clock.now() - container.current.startedAt;
    const failed = (message: string): ProbeOutcome => ({ ok: false, message: probe.sim === true ? '' : message });
    if (kind === 'liveness') {
      const ok = rules.liveMs === null || age < rules.liveMs;
      return ok ? { ok, message: '' } : failed('the simulated container does not answer any more');
    }
    const ok = age >= rules.readyDelayMs && (kind === 'startup' || rules.ready);
    return ok ? { ok, message: '' } : failed('the simulated container is not ready yet');
  }

  async hook(_uid: string, _name: string, handler: JsonObject): Promise<void> {
    const seconds = (handler.sleep as { seconds?: number } | undefined)?.seconds ?? 0;
    if (seconds > 0) await sleep(this.#clock, seconds * 1000);
  }

  async logs(uid: string, query: LogQuery, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void> {
    const container = this.#pods.get(uid)?.containers.get(query.container);
    const book = query.previous ? container?.previous : container?.current.log;
    if (book === undefined || book === null) {
      throw new RuntimeError('NoLog', `no log of container ${query.container} is kept`);
    }
    await book.read(query, onLine, signal);
  }

  usage(uid: string): readonly ContainerUsage[] {
    const known = this.#pods.get(uid);
    if (known === undefined) return [];
    const list: ContainerUsage[] = [];
    for (const [name, { role, current }] of known.containers) {
      if (current.isOver) continue;
      const { cpuMillis, memoryBytes } = this.#rulesOf(known, name, role);
      list.push({ name, cpuMillis, memoryBytes });
    }
    return list;
  }

  #of(pod: KubeObject): SimPod {
    const uid = pod.metadata.uid ?? '';
    let known = this.#pods.get(uid);
    if (known === undefined) this.#pods.set(uid, (known = { pod, containers: new Map() }));
    return known;
  }

  #play(request: StartRequest, id: string, startedAt: number): SimContainer {
    const { pod, container, role, restart } = request;
    const known = this.#of(pod);
    known.pod = pod;
    const before = known.containers.get(container.name);
    const log = new LogBook();
    const made = new SimContainer(id, this.#clock, log, this.#rules(request), restart, startedAt);
    known.containers.set(container.name, { role, current: made, previous: before?.current.log ?? null });
    return made;
  }

  #rules({ pod, container, role }: StartRequest): () => SimRules {
    return () => {
      const known = this.#pods.get(pod.metadata.uid ?? '');
      return known === undefined ? rulesOf(pod, container, role) : this.#rulesOf(known, container.name, role);
    };
  }

  #rulesOf({ pod }: SimPod, name: string, role: ContainerRole): SimRules {
    const all: ContainerSpec[] = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
    return rulesOf(pod, all.find((one) => one.name === name) ?? { name }, role);
  }
}

function imageId(image: string): string {
  return `sim://sha256:${createHash('sha256').update(image).digest('hex')}`;
}
