import { RingBuffer } from '../util/ring-buffer.js';
import type { CallContext } from './api.js';
import { callIsOver, overError } from './call-over.js';
import type { ServerError } from './errors.js';
import { refusal } from './errors.js';

/** One who waits to read at a state that is at least as new as the moment of asking. */
export interface Reader {
  /** Who asked; a call that is over is dropped. */
  readonly ctx?: CallContext;
  /** @param confirmedAt ms, monotonic: this member's view was the cluster's at some moment after it */
  ready(confirmedAt: number): void;
  fail(err: ServerError): void;
}

interface Waiting {
  readonly reader: Reader;
  readonly since: number;
}

interface Round {
  readonly index: number;
  readonly startedAt: number;
  readonly readers: Waiting[];
}

/**
 * Joins linearizable reads into rounds of ReadIndex (Raft thesis 6.4). One round is under way at a time; all who ask
 * meanwhile share the next. A retry has a new number, so that no late answer to an earlier attempt can confirm it.
 */
export class ReadIndexer {
  #waiting: Waiting[] = [];
  #asking: Waiting[] = [];
  #ctx = 0;
  #askedAt = 0;
  #startedAt = 0;
  /** Attempts that had to be made again. */
  slowCount = 0;
  /** Reads that were not confirmed in time. */
  failedCount = 0;
  /** How often there was another leader, the first one included. */
  leaderChanges = 0;
  readonly #confirmed = new RingBuffer<Round>();
  readonly #ask: (ctx: number) => void;

  readonly #takesLate: boolean;

  /**
   * @param ask starts an attempt: raft.readIndex(ctx)
   * @param takesLate the mutant: an answer is taken for whoever waits, though it is to an attempt before theirs (museum 5)
   */
  constructor(ask: (ctx: number) => void, takesLate = false) {
    this.#ask = ask;
    this.#takesLate = takesLate;
  }

  add(reader: Reader, now: number): void {
    this.#waiting.push({ reader, since: now });
  }

  get wantsRound(): boolean {
    return this.#asking.length === 0 && this.#waiting.length > 0;
  }

  /** Called once a turn. */
  startRound(now: number): void {
    if (!this.wantsRound) return;
    this.#asking = dropOver(this.#waiting, now);
    this.#waiting = [];
    if (this.#asking.length === 0) return;
    this.#startedAt = now;
    this.#attempt(now);
  }

  #attempt(now: number): void {
    this.#ctx++;
    this.#askedAt = now;
    this.#ask(this.#ctx);
  }

  /** Raft confirmed attempt `ctx`; the readers go on once `index` is applied. */
  confirmed(ctx: number, index: number): void {
    if ((ctx !== this.#ctx && !this.#takesLate) || this.#asking.length === 0) return;
    this.#confirmed.push({ index, startedAt: this.#startedAt, readers: this.#asking });
    this.#asking = [];
  }

  /** Wakes the readers whose index has been applied. */
  applied(index: number): void {
    for (let head = this.#confirmed.peek(); head !== undefined && head.index <= index; head = this.#confirmed.peek()) {
      this.#confirmed.shift();
      for (const waiting of head.readers) waiting.reader.ready(head.startedAt);
    }
  }

  /** There is another leader: what was asked of the old one may never be answered, so it is asked again. */
  leaderChanged(now: number): void {
    this.leaderChanges++;
    if (this.#asking.length > 0) this.#attempt(now);
  }

  /** Retries an attempt that got no answer, and fails who waited longer than `timeoutMs`. */
  tick(now: number, retryMs: number, timeoutMs: number): void {
    const before = this.#waiting.length + this.#asking.length;
    this.#waiting = dropOver(expire(this.#waiting, now, timeoutMs), now);
    this.#asking = dropOver(expire(this.#asking, now, timeoutMs), now);
    this.failedCount += before - this.#waiting.length - this.#asking.length;
    if (this.#asking.length > 0 && now - this.#askedAt >= retryMs) {
      this.slowCount++;
      this.#attempt(now);
    }
    for (let i = 0; i < this.#confirmed.length; i++) {
      const round = this.#confirmed.at(i);
      if (round === undefined || round.readers.length === 0 || !late(round.readers[0] as Waiting, now, timeoutMs))
        break;
      for (const waiting of round.readers.splice(0)) waiting.reader.fail(refusal('ERR_TIMEOUT'));
    }
  }

  failAll(err: ServerError): void {
    const all = [...this.#waiting, ...this.#asking];
    this.#waiting = [];
    this.#asking = [];
    for (let round = this.#confirmed.shift(); round !== undefined; round = this.#confirmed.shift()) {
      all.push(...round.readers);
    }
    for (const waiting of all) waiting.reader.fail(err);
  }
}

/** Fails those whose caller waits no longer. Returns who stays. */
function dropOver(list: Waiting[], now: number): Waiting[] {
  let stay: Waiting[] | null = null;
  for (const [n, waiting] of list.entries()) {
    const ctx = waiting.reader.ctx ?? null;
    if (!callIsOver(ctx, now)) {
      stay?.push(waiting);
      continue;
    }
    stay ??= list.slice(0, n);
    waiting.reader.fail(overError(ctx, now));
  }
  return stay ?? list;
}

function late(waiting: Waiting, now: number, timeoutMs: number): boolean {
  return now - waiting.since >= timeoutMs;
}

/** Fails those who waited too long; they stand at the front. Returns who stays. */
function expire(list: Waiting[], now: number, timeoutMs: number): Waiting[] {
  let n = 0;
  while (n < list.length && late(list[n] as Waiting, now, timeoutMs)) n++;
  if (n === 0) return list;
  for (const waiting of list.slice(0, n)) waiting.reader.fail(refusal('ERR_TIMEOUT'));
  return list.slice(n);
}
