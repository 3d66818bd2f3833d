/**
 * One pod on its node, from its binding to its end.
 *
 *   opened --init containers, one by one--> containers --all ended for good--> over
 *      `---------- deletionTimestamp at any time: all told to end --> ended --> deleted for good
 *
 * `sync` looks at everything and starts what is due; whatever ends (a start, a container, a timer) calls it again.
 */
import type { EventRecorder, KubeClock, Logger } from '../kit/index.js';
import type { JsonObject, KubeObject } from '../machinery/object.js';
import type { ContainerSlot } from './container-slot.js';
import { restartsAfter, restoreSlot, slotsOf } from './container-slot.js';
import type { PodIps } from './pod-ips.js';
import { PodProbes } from './pod-probes.js';
import { isInitialized, phaseOf, podStatus } from './pod-status.js';
import type { Exit, RunningContainer, Runtime } from './runtime.js';
import { RuntimeError } from './runtime.js';
import type { StatusWriter } from './status-writer.js';

export interface RestartBackoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** A container that ran so long begins anew. */
  readonly resetMs: number;
}

export const RESTART_BACKOFF: RestartBackoff = { firstMs: 10_000, maxMs: 300_000, resetMs: 600_000 };
/** What cannot be made as its spec asks is tried again after this. */
const CONFIG_RETRY_MS = 10_000;

export interface PodWorkerOptions {
  readonly runtime: Runtime;
  readonly clock: KubeClock;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly status: StatusWriter;
  readonly hostIp: string;
  /** Null: the node has no range yet; `sync` is called when it has. */
  readonly ips: () => PodIps | null;
  readonly backoff: RestartBackoff;
  /** Takes the object away for good; the pod has ended. */
  readonly remove: (pod: KubeObject) => Promise<void>;
}

export class PodWorker {
  readonly uid: string;
  #pod: KubeObject;
  readonly #options: PodWorkerOptions;
  readonly #inits: readonly ContainerSlot[];
  readonly #mains: readonly ContainerSlot[];
  readonly #probes = new Map<ContainerSlot, PodProbes>();
  readonly #timers = new Set<unknown>();
  /** Those that call `sync`, by what for: one each. */
  readonly #due = new Set<string>();
  #startedAt: number;
  #podIp = '';
  #opening = false;
  #open = false;
  /** Containers of before are being looked for. */
  #restoring = true;
  #verdict: { reason: string; message: string } | null = null;
  #ending = false;
  /** Of the grace that runs, its end. */
  #endsBy = 0;
  #removing = false;
  #gone = false;
  #stopped = false;

  constructor(pod: KubeObject, options: PodWorkerOptions) {
    this.uid = pod.metadata.uid ?? '';
    this.#pod = pod;
    this.#options = options;
    const { inits, mains } = slotsOf(pod);
    this.#inits = inits;
    this.#mains = mains;
    this.#startedAt = Date.parse(pod.status?.startTime ?? '') || options.clock.now();
    this.#restore();
    this.#restoring = false;
  }

  get pod(): KubeObject {
    return this.#pod;
  }

  get podIp(): string {
    return this.#podIp;
  }

  /** A later version of it. */
  update(pod: KubeObject): void {
    this.#pod = pod;
    this.#options.runtime.podChanged?.(pod);
    const specs = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    for (const slot of this.#all()) slot.spec = specs.find((one) => one.name === slot.name) ?? slot.spec;
    this.sync();
  }

  /** The object is gone from the API, whatever still runs: it ends now. */
  gone(): void {
    if (this.#removing) return;
    this.#gone = true;
    this.#end(0);
    const ended = this.#whenEnded();
    this.stop();
    void ended.then(() => this.#close());
  }

  /** Nothing is told or started any more; containers are left as they are. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) this.#options.clock.clearTimeout(timer);
    this.#timers.clear();
    for (const probes of this.#probes.values()) probes.stop();
    this.#probes.clear();
  }

  sync(): void {
    if (this.#stopped || this.#restoring) return;
    if (this.#pod.metadata.deletionTimestamp !== undefined) this.#terminate();
    else if (!this.#isOver()) this.#advance();
    if (this.#stopped) return;
    this.#publish();
    if (this.#ending && !this.#removing && this.#pod.metadata.deletionTimestamp !== undefined && this.#idle()) {
      this.#removing = true;
      void this.#remove();
    }
  }

  #all(): ContainerSlot[] {
    return [...this.#inits, ...this.#mains];
  }

  #isOver(): boolean {
    const phase: string = this.#pod.status?.phase ?? '';
    return phase === 'Succeeded' || phase === 'Failed';
  }

  /** What an earlier kubelet of this node left. */
  #restore(): void {
    const { status = {} } = this.#pod;
    const known = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    this.#podIp = status.podIP ?? '';
    for (const slot of this.#all()) {
      const found = restoreSlot(
        slot,
        known.find((one) => one.name === slot.name),
      );
      if (found === null || this.#isOver()) continue;
      const running = this.#options.runtime.adopt(this.#request(slot), found.id, found.startedAt);
      if (running !== null) this.#runs(slot, running);
      else {
        const { now } = this.#options.clock;
        const finishedAt = now();
        this.#ended(slot, { exitCode: 137, reason: 'Error', startedAt: found.startedAt, finishedAt });
      }
    }
  }

  #request(slot: ContainerSlot) {
    return { pod: this.#pod, container: slot.spec, role: slot.role, restart: slot.restarts, podIp: this.#podIp };
  }

  #advance(): void {
    if (this.#ending) return;
    const deadline: number | undefined = this.#pod.spec?.activeDeadlineSeconds;
    if (deadline !== undefined) {
      const left = this.#startedAt + deadline * 1000 - this.#options.clock.now();
      if (left <= 0) {
        this.#verdict = {
          reason: 'DeadlineExceeded',
          message: 'Pod was active on the node longer than the specified deadline',
        };
        return this.#end(this.#grace());
      }
      this.#later('deadline', left);
    }
    if (!this.#opened()) return;
    for (const slot of this.#inits) {
      if (slot.role === 'sidecar') {
        this.#ensure(slot);
        if (!slot.started) return;
      } else if (!(slot.state.kind === 'terminated' && slot.state.exitCode === 0)) {
        // Main containers have run: then it did its work in an earlier life.
        this.#ensure(slot);
        return this.#endSidecars();
      }
    }
    for (const slot of this.#mains) {
      if (slot.state.kind === 'waiting' && slot.state.reason === 'PodInitializing') {
        slot.state = { kind: 'waiting', reason: 'ContainerCreating' };
      }
      this.#ensure(slot);
    }
    this.#endSidecars();
  }

  /** They go on for the containers' sake only. */
  #endSidecars(): void {
    const policy: string = this.#pod.spec?.restartPolicy ?? 'Always';
    const done = (slot: ContainerSlot): boolean =>
      slot.state.kind === 'terminated' && !restartsAfter(slot, policy, slot.state.exitCode);
    const failed = this.#inits.some((slot) => slot.role === 'init' && done(slot) && exitCode(slot) !== 0);
    if (!failed && !this.#mains.every(done)) return;
    this.#ending = true;
    for (const slot of [...this.#inits].reverse()) this.#stopContainer(slot, this.#grace());
  }

  #opened(): boolean {
    if (this.#open || this.#opening) return this.#open;
    const host = this.#pod.spec?.hostNetwork === true;
    const ips = host ? null : this.#options.ips();
    if (ips === null && !host) return false;
    this.#opening = true;
    this.#options.runtime
      .openPod(this.#pod, ips)
      .then(
        ({ ip }) => {
          this.#podIp = host ? this.#options.hostIp : ip;
          this.#open = true;
        },
        (err: Error) => {
          this.#options.events.event(
            this.#pod,
            'Warning',
            'FailedCreatePodSandBox',
            `Failed to create pod sandbox: ${err.message}`,
          );
          return new Promise<void>((resolve) => this.#options.clock.setTimeout(resolve, CONFIG_RETRY_MS));
        },
      )
      .finally(() => {
        this.#opening = false;
        this.sync();
      });
    return false;
  }

  /** It runs, or will when its time has come. */
  #ensure(slot: ContainerSlot): void {
    if (slot.running !== null || slot.starting || this.#ending) return;
    const now = this.#options.clock.now();
    const policy: string = this.#pod.spec?.restartPolicy ?? 'Always';
    const { state } = slot;
    if (state.kind === 'terminated') {
      if (!restartsAfter(slot, policy, state.exitCode)) return;
      const wait = state.finishedAt + slot.backoffMs - now;
      if (wait > 0) {
        const { name = '', namespace = '' } = this.#pod.metadata;
        const message = `back-off ${seconds(slot.backoffMs)} restarting failed container=${slot.name} pod=${name}_${namespace}(${this.uid})`;
        slot.last = state;
        slot.state = { kind: 'waiting', reason: 'CrashLoopBackOff', message };
        slot.notBefore = now + wait;
        this.#options.events.event(
          this.#pod,
          'Warning',
          'BackOff',
          `Back-off restarting failed container ${slot.name} in pod ${name}_${namespace}(${this.uid})`,
        );
        return this.#later(slot.name, wait);
      }
      slot.last = state;
    }
    if (slot.notBefore > now) return this.#later(slot.name, slot.notBefore - now);
    if (slot.last !== null) {
      slot.restarts++;
      const { firstMs, maxMs } = this.#options.backoff;
      slot.backoffMs = slot.backoffMs <= 1 ? firstMs : Math.min(maxMs, slot.backoffMs * 2);
    }
    if (state.kind === 'terminated') slot.state = { kind: 'waiting', reason: 'ContainerCreating' };
    slot.starting = true;
    void this.#start(slot).finally(() => {
      slot.starting = false;
      this.sync();
    });
  }

  async #start(slot: ContainerSlot): Promise<void> {
    const { runtime, events, clock } = this.#options;
    const { image = '' } = slot.spec;
    try {
      const before = clock.now();
      const pulled = await runtime.pull(this.#pod, slot.spec);
      if (this.#stopped) return;
      slot.imageId = pulled.imageId;
      slot.pullBackoffMs = 0;
      if (pulled.present) {
        events.event(this.#pod, 'Normal', 'Pulled', `Container image "${image}" already present on machine`);
      } else {
        const took = `${clock.now() - before}ms`;
        const text = `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${pulled.sizeBytes} bytes.`;
        events.event(this.#pod, 'Normal', 'Pulling', `Pulling image "${image}"`);
        events.event(this.#pod, 'Normal', 'Pulled', text);
      }
      if (this.#ending) return;
      const running = await runtime.start(this.#request(slot));
      if (this.#gone) running.stop(0);
      if (this.#stopped) return;
      events.event(this.#pod, 'Normal', 'Created', `Created container: ${slot.name}`);
      this.#runs(slot, running);
      events.event(this.#pod, 'Normal', 'Started', `Started container ${slot.name}`);
      if (this.#ending) this.#stopContainer(slot, Math.max(0, this.#endsBy - clock.now()));
    } catch (err) {
      if (!this.#stopped) this.#failed(slot, err as Error);
    }
  }

  #failed(slot: ContainerSlot, err: Error): void {
    const { events, clock, backoff } = this.#options;
    const reason = err instanceof RuntimeError ? err.reason : 'RunContainerError';
    const { image = '' } = slot.spec;
    if (slot.last !== null) slot.restarts = Math.max(0, slot.restarts - 1);
    if (reason === 'ErrImagePull') {
      slot.pullBackoffMs = slot.pullBackoffMs === 0 ? backoff.firstMs : Math.min(backoff.maxMs, slot.pullBackoffMs * 2);
      slot.notBefore = clock.now() + slot.pullBackoffMs;
      events.event(this.#pod, 'Normal', 'Pulling', `Pulling image "${image}"`);
      events.event(this.#pod, 'Warning', 'Failed', `Failed to pull image "${image}": ${err.message}`);
      events.event(this.#pod, 'Warning', 'Failed', 'Error: ErrImagePull');
      slot.state = { kind: 'waiting', reason, message: err.message };
      this.#later(`${slot.name}/back-off`, Math.min(1000, slot.pullBackoffMs / 2), () => {
        if (slot.state.kind !== 'waiting' || slot.state.reason !== reason) return;
        const message = `Back-off pulling image "${image}": ${reason}: ${err.message}`;
        slot.state = { kind: 'waiting', reason: 'ImagePullBackOff', message };
        events.event(this.#pod, 'Normal', 'BackOff', `Back-off pulling image "${image}"`);
        events.event(this.#pod, 'Warning', 'Failed', 'Error: ImagePullBackOff');
      });
      return;
    }
    slot.notBefore = clock.now() + CONFIG_RETRY_MS;
    events.event(this.#pod, 'Warning', 'Failed', `Error: ${err.message}`);
    slot.state = { kind: 'waiting', reason, message: err.message };
  }

  #runs(slot: ContainerSlot, running: RunningContainer): void {
    const { runtime, events, clock } = this.#options;
    slot.running = running;
    slot.stopping = false;
    slot.containerId = running.id;
    slot.notBefore = 0;
    slot.state = { kind: 'running', startedAt: running.startedAt };
    void running.exited.then((exit) => {
      if (slot.running !== running) return;
      slot.running = null;
      this.#probes.get(slot)?.stop();
      this.#probes.delete(slot);
      this.#ended(slot, exit);
      this.sync();
    });
    const readinessProbe = slot.spec.readinessProbe ?? runtime.readiness?.(this.#pod, slot.spec);
    const spec = readinessProbe === undefined ? slot.spec : { ...slot.spec, readinessProbe };
    const probes = new PodProbes(clock, spec, (kind, probe) => runtime.probe(this.uid, slot.name, kind, probe), {
      onStarted: () => {
        slot.started = true;
        this.sync();
      },
      onReady: (ready) => {
        if (slot.ready === ready) return;
        slot.ready = ready;
        this.sync();
      },
      onFailure: (kind, message) => {
        if (message === '') return;
        const name = kind.charAt(0).toUpperCase() + kind.slice(1);
        events.event(this.#pod, 'Warning', 'Unhealthy', `${name} probe failed: ${message}`);
      },
      onUnhealthy: (kind) => {
        const text = `Container ${slot.name} failed ${kind} probe, will be restarted`;
        events.event(this.#pod, 'Normal', 'Killing', text);
        this.#stopContainer(slot, this.#grace(slot.spec[`${kind}Probe`]?.terminationGracePeriodSeconds), false);
      },
    });
    this.#probes.set(slot, probes);
    const hook: JsonObject | undefined = slot.spec.lifecycle?.postStart;
    if (hook === undefined) return probes.start();
    runtime.hook(this.uid, slot.name, hook).then(
      () => {
        if (slot.running === running) probes.start();
      },
      (err: Error) => {
        if (this.#stopped || slot.running !== running) return;
        events.event(this.#pod, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${err.message}`);
        this.#stopContainer(slot, this.#grace());
      },
    );
  }

  #ended(slot: ContainerSlot, exit: Exit): void {
    slot.ready = false;
    slot.started = false;
    slot.stopping = false;
    if (exit.finishedAt - exit.startedAt > this.#options.backoff.resetMs) slot.backoffMs = 0;
    slot.state = {
      kind: 'terminated',
      exitCode: exit.exitCode,
      ...(exit.signal === undefined ? {} : { signal: exit.signal }),
      reason: exit.reason ?? (exit.exitCode === 0 ? 'Completed' : 'Error'),
      ...(exit.message === undefined ? {} : { message: exit.message }),
      startedAt: exit.startedAt,
      finishedAt: exit.finishedAt,
      containerId: slot.containerId,
    };
  }

  #grace(given?: number): number {
    const { metadata, spec } = this.#pod;
    return (given ?? metadata.deletionGracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  #terminate(): void {
    const grace = this.#grace();
    const by = this.#options.clock.now() + grace;
    // A later deletion may have shortened it.
    if (this.#ending && this.#endsBy > 0 && by >= this.#endsBy) return;
    this.#endsBy = by;
    this.#end(grace);
  }

  #end(graceMs: number): void {
    this.#ending = true;
    this.#endsBy = this.#options.clock.now() + graceMs;
    for (const slot of this.#mains) this.#stopContainer(slot, graceMs);
    for (const slot of this.#inits) this.#stopContainer(slot, graceMs);
  }

  /** preStop, then what the runtime does to end it, all within the grace. */
  #stopContainer(slot: ContainerSlot, graceMs: number, tell = true): void {
    const { running } = slot;
    if (running === null) return;
    if (slot.stopping) return running.stop(graceMs);
    slot.stopping = true;
    slot.ready = false;
    this.#probes.get(slot)?.stop();
    const { events, runtime, clock } = this.#options;
    if (tell) events.event(this.#pod, 'Normal', 'Killing', `Stopping container ${slot.name}`);
    const hook: JsonObject | undefined = slot.spec.lifecycle?.preStop;
    if (hook === undefined || graceMs === 0) return running.stop(graceMs);
    const began = clock.now();
    const late = new Promise<void>((resolve) => {
      this.#timers.add(clock.setTimeout(resolve, graceMs));
    });
    const hooked = runtime.hook(this.uid, slot.name, hook).catch((err: Error) => {
      if (!this.#stopped) {
        events.event(this.#pod, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${err.message}`);
      }
    });
    void Promise.race([hooked, late]).then(() => running.stop(Math.max(2000, graceMs - (clock.now() - began))));
  }

  #idle(): boolean {
    return !this.#opening && this.#all().every((slot) => slot.running === null && !slot.starting);
  }

  async #whenEnded(): Promise<void> {
    await Promise.all(this.#all().map((slot) => slot.running?.exited));
  }

  async #remove(): Promise<void> {
    const { status, log, remove, clock } = this.#options;
    await status.flush(this.uid);
    while (!this.#stopped) {
      try {
        await remove(this.#pod);
        status.forget(this.uid);
        break;
      } catch (err) {
        log.warn('a pod that has ended could not be deleted', { pod: this.uid, error: (err as Error).message });
        await new Promise<void>((resolve) => this.#timers.add(clock.setTimeout(resolve, 1000)));
      }
    }
    // Finalizers may keep the object; nothing of it is left here.
    await this.#close();
  }

  async #close(): Promise<void> {
    this.stop();
    await this.#options.runtime.closePod(this.uid);
    this.#options.ips()?.release(this.uid);
  }

  #publish(): void {
    // A phase that has ended stays.
    if (this.#isOver()) return;
    const facts = {
      pod: this.#pod,
      inits: this.#inits,
      mains: this.#mains,
      podIp: this.#podIp,
      hostIp: this.#options.hostIp,
      startedAt: this.#startedAt,
      now: this.#options.clock.now(),
      verdict: this.#verdict,
      ending: this.#ending,
    };
    const phase = phaseOf(facts);
    // Told with the last container's end, not before.
    const early = (phase === 'Succeeded' || phase === 'Failed') && !this.#idle();
    this.#options.status.set(this.#pod, podStatus(early ? { ...facts, verdict: null, ending: false } : facts));
    if (!early && (phase === 'Succeeded' || phase === 'Failed')) this.#releaseAddress();
  }

  /** A pod that is over needs none; its status goes on showing it. */
  #releaseAddress(): void {
    if (this.#idle()) this.#options.ips()?.release(this.uid);
  }

  #later(what: string, ms: number, act: () => void = () => {}): void {
    if (this.#due.has(what)) return;
    this.#due.add(what);
    const timer = this.#options.clock.setTimeout(() => {
      this.#timers.delete(timer);
      this.#due.delete(what);
      if (this.#stopped) return;
      act();
      this.sync();
    }, ms);
    this.#timers.add(timer);
  }

  /** For logs: where a container stands. */
  slot(name: string): ContainerSlot | undefined {
    return this.#all().find((slot) => slot.name === name);
  }

  get initialized(): boolean {
    return isInitialized({ inits: this.#inits });
  }
}

function exitCode(slot: ContainerSlot): number {
  return slot.state.kind === 'terminated' ? slot.state.exitCode : 0;
}

/** As Go prints a duration: `10s`, `2m40s`. */
function seconds(ms: number): string {
  const total = Math.round(ms / 1000);
  return total < 60 ? `${total}s` : `${Math.floor(total / 60)}m${total % 60}s`;
}
