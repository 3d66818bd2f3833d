import { Histogram } from '../util/histogram.js';
import type { Rpc } from '../wire/index.js';
import type { SlowCalls, TimedCall } from './slow-calls.js';

/** gRPC's codes, by number. */
const CODES = 17;
/** Buckets as Prometheus' clients have them where nothing else is said. */
const HANDLING_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What has gone through one rpc on one member, as gRPC's metrics have it. A call pays a few additions. */
export class Tally {
  readonly rpc: Rpc;
  started = 0;
  received = 0;
  receivedBytes = 0;
  sent = 0;
  sentBytes = 0;
  /** Ended calls by code. */
  readonly handled = new Float64Array(CODES);
  /** How long its calls took, in seconds; null: nobody asked for it (--metrics=extensive). */
  readonly times: Histogram | null;
  readonly #now: (() => number) | null;
  readonly #slow: SlowCalls | null;

  /** @param now ms, where times are wanted @param slow who is told of calls that took long; both need `now` */
  constructor(rpc: Rpc, now: (() => number) | null = null, timed = now !== null, slow: SlowCalls | null = null) {
    this.rpc = rpc;
    this.#now = now;
    this.times = timed ? new Histogram(HANDLING_SECONDS) : null;
    this.#slow = slow;
  }

  /** A call begins. @returns what `end` is to be given */
  start(): number {
    this.started++;
    return this.#now === null ? 0 : this.#now();
  }

  /** A message has come. */
  take(message: Buffer): void {
    this.received++;
    this.receivedBytes += message.length;
  }

  give(bytes: number): void {
    this.sent++;
    this.sentBytes += bytes;
  }

  /** @param startedAt what `start` said */
  end(code: number, startedAt: number): void {
    this.handled[code]!++;
    if (this.times !== null && this.#now !== null) this.times.observe((this.#now() - startedAt) / 1000);
  }

  /** The same of a unary call, which may have taken too long. @param bytes of its answer */
  endUnary(code: number, startedAt: number, call: TimedCall, bytes: number): void {
    this.end(code, startedAt);
    if (this.#slow === null || this.#now === null) return;
    const took = this.#now() - startedAt;
    if (took > this.#slow.warningMs) this.#slow.note(this.rpc, call, took, bytes);
  }
}

/** Versions that are told apart; a client may say what it likes, and beyond these it counts as one that says nothing. */
const VERSIONS_MAX = 100;

/** Calls by the version that their client says it speaks. */
export class ClientVersions {
  readonly #calls = new Map([['unknown', { count: 0 }]]);

  count(version: string | undefined): void {
    const known = this.#calls.get(version ?? 'unknown');
    if (known !== undefined) known.count++;
    else if (this.#calls.size < VERSIONS_MAX) this.#calls.set(version ?? 'unknown', { count: 1 });
    else this.count(undefined);
  }

  *[Symbol.iterator](): Generator<readonly [version: string, count: number]> {
    for (const [version, { count }] of this.#calls) yield [version, count];
  }
}
