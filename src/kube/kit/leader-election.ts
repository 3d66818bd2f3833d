import type { KubeObject } from '../machinery/object.js';
import type { ApiClient, KubeClock, Logger } from './api.js';
import { isAlreadyExists, isConflict, isNotFound } from './api-status-error.js';
import { sleep } from './clock.js';
import { LEASES } from './resources.js';

export interface LeaderElectionOptions {
  readonly client: ApiClient;
  readonly clock: KubeClock;
  readonly log: Logger;
  /** Of the Lease, `kube-system` and `kube-controller-manager`. */
  readonly namespace: string;
  readonly name: string;
  /** Who we are, another name for each replica: `host_uuid`. */
  readonly identity: string;
  /** A holder that was not heard of for so long has lost it. Default 15,000 ms. */
  readonly leaseMs?: number;
  /** A leader that could not renew for so long steps down. Less than leaseMs. Default 10,000 ms. */
  readonly renewDeadlineMs?: number;
  /** Between attempts. Default 2,000 ms. */
  readonly retryMs?: number;
  /** Leads from now on. The signal ends with the leadership; the promise it gives back is waited for then. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
}

/**
 * One of several replicas leads, by a Lease. Clocks of different machines are never compared: a holder is given up when
 * its record has not changed for leaseMs of our own clock; a leader stops acting after renewDeadlineMs without an
 * answered renewal, which is before anybody else may begin (kubernetes leader election).
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #leaseMs: number;
  readonly #renewMs: number;
  readonly #retryMs: number;
  readonly #stopping = new AbortController();
  #observed: { record: string; at: number } | null = null;
  #lease: KubeObject | null = null;
  #running: Promise<void> | null = null;
  #leading = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 15_000;
    this.#renewMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryMs ?? 2_000;
    if (this.#renewMs >= this.#leaseMs) throw new TypeError('renewDeadlineMs must be less than leaseMs');
  }

  get leading(): boolean {
    return this.#leading;
  }

  /** Runs until stopped: waits for the lead, leads, and waits again if it was lost. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Steps down cleanly: the work ends first, then the Lease is free at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (await this.#attempt()) await this.#lead();
      if (!signal.aborted) await sleep(clock, this.#retryMs * 1.1, signal);
    }
  }

  async #lead(): Promise<void> {
    const { clock, log, lead, identity, name } = this.#options;
    const ending = new AbortController();
    this.#leading = true;
    log.info('leads', { lease: name, identity });
    const work = lead(ending.signal).catch((err) => log.error('the work of the leader failed', { error: String(err) }));
    let over = false;
    void work.then(() => {
      over = true;
    });
    let renewedAt = clock.now();
    while (!this.#stopping.signal.aborted && !over) {
      await sleep(clock, this.#retryMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) break;
      const asked = clock.now();
      const answer = await Promise.race([
        this.#attempt(),
        sleep(clock, Math.max(0, renewedAt + this.#renewMs - asked)).then(() => null),
      ]);
      if (answer === true) renewedAt = asked;
      else if (answer === false && this.#heldByAnother()) break;
      if (clock.now() - renewedAt >= this.#renewMs) break;
    }
    this.#leading = false;
    ending.abort();
    log.info('leads no more', { lease: name, identity });
    await work;
    if (this.#stopping.signal.aborted) await this.#release();
  }

  #heldByAnother(): boolean {
    const holder = this.#lease?.spec?.holderIdentity;
    return holder !== undefined && holder !== '' && holder !== this.#options.identity;
  }

  /** @returns whether the Lease is ours, as the server answered; false also where it could not be reached */
  async #attempt(): Promise<boolean> {
    const { client, clock, namespace, name, identity, log } = this.#options;
    const leases = client.resource(LEASES);
    const now = microTime(clock.now());
    try {
      const seconds = Math.ceil(this.#leaseMs / 1000);
      let lease: KubeObject;
      try {
        lease = await leases.get(namespace, name);
      } catch (err) {
        if (!isNotFound(err)) throw err;
        const spec = { holderIdentity: identity, leaseDurationSeconds: seconds, acquireTime: now, renewTime: now };
        const metadata = { name, namespace };
        const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata };
        this.#lease = await leases.create(namespace, { ...object, spec: { ...spec, leaseTransitions: 0 } });
        return true;
      }
      this.#lease = lease;
      const holder: string = lease.spec?.holderIdentity ?? '';
      const record = JSON.stringify(lease.spec);
      if (this.#observed?.record !== record) this.#observed = { record, at: clock.now() };
      const ours = holder === identity;
      if (!ours && holder !== '' && clock.now() - this.#observed.at < this.#leaseMs) return false;
      const transitions: number = lease.spec?.leaseTransitions ?? 0;
      const spec = {
        ...lease.spec,
        holderIdentity: identity,
        leaseDurationSeconds: seconds,
        acquireTime: ours ? lease.spec.acquireTime : now,
        renewTime: now,
        leaseTransitions: ours ? transitions : transitions + 1,
      };
      // With its resourceVersion: of two that try, one succeeds.
      this.#lease = await leases.update(namespace, { ...lease, spec });
      return true;
    } catch (err) {
      if (!isConflict(err) && !isAlreadyExists(err)) {
        log.warn('the lease could not be asked for', { lease: name, error: (err as Error).message });
      }
      return false;
    }
  }

  async #release(): Promise<void> {
    const { client, namespace, name, identity, clock } = this.#options;
    try {
      const leases = client.resource(LEASES);
      const lease = await leases.get(namespace, name);
      if (lease.spec?.holderIdentity !== identity) return;
      const now = microTime(clock.now());
      await leases.update(namespace, {
        ...lease,
        spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now },
      });
    } catch {
      // It runs out by itself.
    }
  }
}

/** RFC 3339 with six decimals. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
