/** The probes of one running container: startup before the others, each by its own clock. Source: core/v1 Probe. */
import type { KubeClock } from '../kit/index.js';
import type { JsonObject } from '../machinery/object.js';
import type { ContainerSpec, ProbeKind, ProbeOutcome } from './runtime.js';

export interface ProbeListener {
  /** Passed its startup probe, or has none. */
  onStarted(): void;
  onReady(ready: boolean): void;
  /** Failed so often that it is to be started anew. */
  onUnhealthy(kind: ProbeKind, message: string): void;
  /** One that failed, for an event. */
  onFailure(kind: ProbeKind, message: string): void;
}

export class PodProbes {
  readonly #clock: KubeClock;
  readonly #spec: ContainerSpec;
  readonly #probe: (kind: ProbeKind, probe: JsonObject) => Promise<ProbeOutcome>;
  readonly #listener: ProbeListener;
  readonly #timers = new Map<ProbeKind, unknown>();
  #stopped = false;

  constructor(
    clock: KubeClock,
    spec: ContainerSpec,
    probe: (kind: ProbeKind, probe: JsonObject) => Promise<ProbeOutcome>,
    listener: ProbeListener,
  ) {
    this.#clock = clock;
    this.#spec = spec;
    this.#probe = probe;
    this.#listener = listener;
  }

  start(): void {
    if (this.#spec.startupProbe !== undefined) return this.#begin('startup');
    this.#started();
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) this.#clock.clearTimeout(timer);
    this.#timers.clear();
  }

  #started(): void {
    if (this.#stopped) return;
    this.#listener.onStarted();
    if (this.#spec.livenessProbe !== undefined) this.#begin('liveness');
    if (this.#spec.readinessProbe !== undefined) this.#begin('readiness');
    else this.#listener.onReady(true);
  }

  #begin(kind: ProbeKind): void {
    const probe = this.#spec[`${kind}Probe`];
    const delay = (probe.initialDelaySeconds ?? 0) * 1000;
    this.#arm(kind, delay, { successes: 0, failures: 0 });
  }

  #arm(kind: ProbeKind, ms: number, counts: { successes: number; failures: number }): void {
    if (this.#stopped) return;
    this.#timers.set(
      kind,
      this.#clock.setTimeout(() => void this.#once(kind, counts), ms),
    );
  }

  async #once(kind: ProbeKind, counts: { successes: number; failures: number }): Promise<void> {
    const probe = this.#spec[`${kind}Probe`];
    let outcome: ProbeOutcome;
    try {
      outcome = await this.#probe(kind, probe);
    } catch (err) {
      outcome = { ok: false, message: (err as Error).message };
    }
    if (this.#stopped) return;
    const { ok, message } = outcome;
    counts.successes = ok ? counts.successes + 1 : 0;
    counts.failures = ok ? 0 : counts.failures + 1;
    if (!ok) this.#listener.onFailure(kind, message);
    const enough = ok
      ? counts.successes >= (probe.successThreshold ?? 1)
      : counts.failures >= (probe.failureThreshold ?? 3);
    if (enough) {
      if (kind === 'readiness') this.#listener.onReady(ok);
      else if (!ok) {
        this.stop();
        return this.#listener.onUnhealthy(kind, message);
      } else if (kind === 'startup') return this.#started();
    }
    this.#arm(kind, (probe.periodSeconds ?? 10) * 1000, counts);
  }
}
