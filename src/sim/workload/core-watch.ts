import type { WatchMux } from '../../client/core/watch-mux.js';
import type { WatchBatch as Delivered, WatchEnd, Watcher, WatchSink, WatchSpec } from '../../client/core/watcher.js';
import type { Rng } from '../../util/rng.js';
import { EventType, FilterType } from '../../wire/index.js';
import type { Violation, WatchRecord } from '../checkers/index.js';
import { checkWatches } from '../checkers/index.js';
import { tombstone } from '../checkers/model.js';
import type { CoreHost } from './core-host.js';
import { kvOfKeyValue } from './requests.js';
import type { Workload } from './workload.js';

const ASK_AGAIN = 10;
/** Looked at so often, all that is due has come. */
const ASKED_LONG = 100;

/**
 * A watch through the client's core, over all streams that the core takes it to. Each stretch between two interruptions is
 * a record of its own, which must be whole up to where the core goes on.
 */
export class CoreWatch implements WatchSink {
  readonly #work: Workload;
  readonly #name: string;
  readonly #rng: Rng;
  readonly #mux: WatchMux;
  readonly #spec: WatchSpec;
  readonly #records: WatchRecord[] = [];
  #watcher: Watcher | null = null;
  /** Where the core said that it goes on, or where it was asked to; 0: from now on. */
  #start: number;
  #asked = 0;
  /** It has caught up, and cannot be told so. */
  #quiet = false;
  #ended: WatchEnd | null = null;

  constructor(work: Workload, host: CoreHost, id: number, rng: Rng) {
    this.#work = work;
    this.#name = `${host.name}/w${id}`;
    this.#rng = rng;
    this.#mux = host.core.watches(rng.chance(3, 4));
    const from = `k${String(rng.below(work.options.keys)).padStart(3, '0')}`;
    const whole = rng.chance(1, 2);
    this.#start = rng.chance(1, 2) ? 0 : 1;
    this.#spec = {
      key: whole ? '\0' : from,
      rangeEnd: whole ? '\0' : rng.pick(['', `${from.slice(0, 3)}~`]),
      startRevision: this.#start,
      prevKv: rng.chance(1, 3),
      progressNotify: rng.chance(2, 3),
      fragment: rng.chance(1, 2),
      filters: rng.pick([[], [], [FilterType.NOPUT], [FilterType.NODELETE]]),
    };
  }

  start(): void {
    this.#work.port.later(this.#rng.below(3_000_000), () => this.#watch(this.#start));
  }

  #watch(startRevision: number): void {
    this.#start = startRevision;
    this.#watcher = this.#mux.watch({ ...this.#spec, startRevision }, this);
    if (startRevision > 0) this.#open(startRevision);
    this.#park();
  }

  /** As the facade does with a slow reader. */
  #park(): void {
    const { port } = this.#work;
    const watcher = this.#watcher as Watcher;
    port.later(this.#rng.between(1_000_000, 8_000_000), () => {
      if (this.#work.stopping || watcher !== this.#watcher || watcher.state === 'ended') return;
      if (watcher.state === 'live') {
        this.#mux.park(watcher);
        this.#goesOn(watcher.nextRevision);
        port.later(this.#rng.below(2_000_000), () => this.#mux.unpark(watcher));
      }
      this.#park();
    });
  }

  #open(start: number): void {
    this.#records.push({
      name: `${this.#name}/${this.#records.length + 1}`,
      key: this.#spec.key,
      rangeEnd: this.#spec.rangeEnd,
      start,
      prev: this.#spec.prevKv,
      noPut: this.#spec.filters.includes(FilterType.NOPUT),
      noDelete: this.#spec.filters.includes(FilterType.NODELETE),
      batches: [],
      complete: 0,
    });
  }

  /** The stretch behind us is whole up to there. */
  #goesOn(nextRevision: number): void {
    const last = this.#records.at(-1);
    if (last !== undefined) last.complete = nextRevision - 1;
    this.#open(nextRevision);
  }

  created(revision: number): void {
    if (this.#start === 0) this.#open(revision + 1);
  }

  batch({ revision, events }: Delivered): void {
    this.#work.seenRevision = Math.max(this.#work.seenRevision, revision);
    this.#records.at(-1)?.batches.push({
      revision,
      fragment: false,
      compacted: this.#work.compactRevision(),
      events: events.map(({ type, kv, prevKv }) => {
        if (kv === null) throw new Error('a watch event without a key');
        const prev = prevKv === null ? null : kvOfKeyValue(prevKv);
        if (type === EventType.DELETE) return { type: 'delete', kv: tombstone(kv.key, kv.modRevision), prev };
        return { type: 'put', kv: kvOfKeyValue(kv), prev };
      }),
    });
  }

  interrupted(nextRevision: number): void {
    this.#goesOn(nextRevision);
  }

  ended(end: WatchEnd): void {
    if (end.compactRevision === 0) {
      this.#ended = end;
      return;
    }
    // Behind a compaction: what is there still can be had from its revision on.
    this.#work.port.later(this.#rng.below(100_000), () => this.#watch(end.compactRevision));
  }

  /** @param others of the same client */
  waitsFor(revision: number, others: readonly CoreWatch[]): string | null {
    if (this.#ended !== null) return null;
    const watcher = this.#watcher;
    if (watcher !== null && watcher.nextRevision > revision) return null;
    if (this.#asked++ % ASK_AGAIN === 0) this.#mux.requestProgress();
    // Nobody will say so; that all has come is seen in the end.
    if (
      watcher?.state === 'live' &&
      this.#asked > ASKED_LONG &&
      others.some((other) => other.#withholds(this, revision))
    ) {
      this.#quiet = true;
      return null;
    }
    return `${this.#name} (${watcher?.state}) has come to revision ${watcher?.nextRevision}, not ${revision}`;
  }

  /**
   * A member, as etcd, gives no progress to a whole stream while one of its watches begins behind the store's revision: as
   * one does that was created anew when all had come to it.
   */
  #withholds(other: CoreWatch, revision: number): boolean {
    const watcher = this.#watcher;
    if (watcher === null || this.#mux !== other.#mux || watcher.state !== 'live') return false;
    return watcher.nextRevision === revision + 1 && watcher.createdRevision === revision;
  }

  violations(log: Parameters<typeof checkWatches>[1]): Violation[] {
    if (this.#ended !== null) {
      const message = `${this.#name} ended by itself: ${this.#ended.message}`;
      return [{ rule: 'a watch goes on', message, ops: [], revisions: [] }];
    }
    const last = this.#records.at(-1);
    const complete = this.#quiet ? log.length + 1 : (this.#watcher?.nextRevision ?? 0) - 1;
    if (last !== undefined) last.complete = Math.max(0, complete);
    return checkWatches(this.#records, log);
  }
}
