import type { BackendError } from '../storage/backend/index.js';
import type { Change } from './change.js';
import { EventLog } from './event-log.js';
import type { Keyspace } from './keyspace.js';
import type { WatchSink, WatchStreamOptions } from './types.js';
import { REPLAY_BYTES, REPLAY_REVISIONS_MAX, ROUND_WATCHERS_MAX, ROUNDS_MAX, STEP_REVISIONS } from './watch-limits.js';
import { compactedPart, eventsPart, sendFragments } from './watch-part.js';
import { WatchRound } from './watch-round.js';
import { WatchStream } from './watch-stream.js';
import type { Watcher } from './watcher.js';
import { CLOSED, COMPACTED, SYNCED, UNSYNCED } from './watcher.js';
import { WatcherIndex } from './watcher-index.js';

export interface WatchHubOptions {
  readonly eventLogRevisions: number;
  readonly eventLogBytes: number;
  readonly fragmentBytes: number;
  readonly sliceRows: number;
  readonly wake: () => void;
  readonly onError: (err: BackendError) => void;
  readonly mutants: ReadonlySet<string>;
}

/**
 * All watchers of a member. A synced one hears of a revision in the turn that applies it; any other is a cursor
 * (`Watcher.next`) that catches up: from the event log if it reaches back far enough, else from the store's rows. A
 * slow client has no queue here: when its sink is full its watchers become cursors again.
 */
export class WatchHub {
  space: Keyspace;
  readonly #options: WatchHubOptions;
  readonly #synced = new WatcherIndex();
  /** Unsynced, in no round, the stream not known to be full. */
  readonly #ready = new Set<Watcher>();
  readonly #rounds = new Set<WatchRound>();
  readonly #streams = new Set<WatchStream>();
  #log: EventLog;
  #now = 0;
  readonly #mutant43: boolean;
  readonly #mutant47: boolean;

  constructor(space: Keyspace, options: WatchHubOptions) {
    this.space = space;
    this.#options = options;
    this.#log = this.#newLog();
    this.#mutant43 = options.mutants.has('43');
    this.#mutant47 = options.mutants.has('47');
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  get watcherCount(): number {
    let count = 0;
    for (const stream of this.#streams) count += stream.watcherCount;
    return count;
  }

  /** Since the start, for metrics. */
  eventsSent = 0;

  /** Watchers that have not heard of everything yet. */
  get unsyncedCount(): number {
    return this.watcherCount - this.#synced.size;
  }

  openStream(sink: WatchSink, options: WatchStreamOptions = {}): WatchStream {
    const stream = new WatchStream(this, sink, options, this.#now);
    this.#streams.add(stream);
    return stream;
  }

  /** Sends the progress notifications that are due. @param now ms on the monotonic clock; call it every 100 ms or so */
  tick(now: number): void {
    this.#now = now;
    for (const stream of this.#streams) stream.tick(now);
  }

  /** Tells the changes of one revision, the store's newest since this moment, in their order (W4). */
  notify(changes: readonly Change[]): void {
    const main = this.space.currentRev;
    this.#log.push(main, changes);
    if (this.#synced.size === 0) return;
    if (changes.length === 1) this.#notifyOne(changes[0] as Change);
    else this.#notifyMany(main, changes);
  }

  #notifyOne(change: Change): void {
    const watchers: Watcher[] = [];
    this.#synced.match(change.key, watchers);
    // The array too is shared by all watchers that want the same form.
    let plain: Buffer[] | null = null;
    let full: Buffer[] | null = null;
    for (const watcher of watchers) {
      if (watcher.state !== SYNCED || !this.#wants(watcher, change)) continue;
      if (watcher.stream.full) {
        this.#demote(watcher, change.main);
        continue;
      }
      const events = watcher.prevKv
        ? (full ??= [change.event(this.space, true)])
        : (plain ??= [change.event(this.space, false)]);
      this.deliver(watcher, change.main, events, (events[0] as Buffer).length);
    }
  }

  #notifyMany(main: number, changes: readonly Change[]): void {
    const touched: Watcher[] = [];
    const found: Watcher[] = [];
    for (const change of changes) {
      found.length = 0;
      this.#synced.match(change.key, found);
      for (const watcher of found) {
        if (!this.#wants(watcher, change)) continue;
        if (watcher.batch.length === 0) touched.push(watcher);
        watcher.push(main, change.event(this.space, watcher.prevKv));
      }
    }
    for (const watcher of touched) {
      const { batch, batchBytes } = watcher;
      watcher.clearBatch();
      if (watcher.state !== SYNCED) continue;
      if (watcher.stream.full) this.#demote(watcher, main);
      else this.deliver(watcher, main, batch, batchBytes);
    }
  }

  #wants(watcher: Watcher, change: Change): boolean {
    return watcher.wants(change) || (this.#mutant47 && change.main < watcher.next);
  }

  /** One response with events. `full` of the stream says afterwards whether it takes more. */
  deliver(watcher: Watcher, revision: number, events: readonly Buffer[], bytes: number): void {
    watcher.idle = false;
    this.eventsSent += events.length;
    const { stream } = watcher;
    const { fragmentBytes } = this.#options;
    const room =
      watcher.fragment && events.length > 1 && bytes + events.length * 6 >= fragmentBytes - 64
        ? sendFragments(stream.sink, watcher.id, revision, events, fragmentBytes)
        : stream.sink.send(eventsPart(watcher.id, revision, events, false));
    if (!room) stream.full = true;
  }

  /** A new watcher, whose created response has been sent. */
  start(watcher: Watcher): void {
    const { currentRev, compactRev } = this.space;
    if (watcher.next > currentRev) this.#sync(watcher);
    else if (watcher.next < compactRev) this.compacted(watcher);
    else if (this.#options.mutants.has('48') && watcher.next === currentRev) this.#sync(watcher);
    else this.enqueue(watcher);
  }

  /** An unsynced watcher is to catch up. */
  enqueue(watcher: Watcher): void {
    if (watcher.stream.full) {
      watcher.stream.parked.add(watcher);
      return;
    }
    this.#ready.add(watcher);
    this.#options.wake();
  }

  /** Everything up to the current revision that the watcher wants has been sent, and the revision is not before its start. */
  isCurrent(watcher: Watcher): boolean {
    if (this.#mutant43) return true;
    const { currentRev } = this.space;
    return watcher.state === SYNCED && currentRev >= watcher.startRev && currentRev + 1 >= watcher.next;
  }

  /** It lags behind a compaction, or began behind it: it ends, but its id stays taken (W6). */
  compacted(watcher: Watcher): void {
    this.remove(watcher);
    watcher.state = COMPACTED;
    watcher.stream.send(compactedPart(watcher.id, this.space.compactRev));
  }

  remove(watcher: Watcher): void {
    if (watcher.state === SYNCED) this.#synced.delete(watcher);
    this.#ready.delete(watcher);
    watcher.stream.parked.delete(watcher);
    watcher.state = CLOSED;
  }

  forget(stream: WatchStream): void {
    this.#streams.delete(stream);
  }

  /** One slice of catching up. @returns whether there is more that need not wait for the store */
  step(): boolean {
    let budget = STEP_REVISIONS;
    const distant: Watcher[] = [];
    for (const watcher of this.#ready) {
      if (budget <= 0) return true;
      if (watcher.stream.full) {
        this.#ready.delete(watcher);
        watcher.stream.parked.add(watcher);
      } else if (watcher.next < this.space.compactRev) {
        this.compacted(watcher);
      } else if (watcher.next >= this.#log.first || watcher.next > this.space.currentRev) {
        this.#ready.delete(watcher);
        budget -= this.#replay(watcher);
      } else if (distant.length < ROUND_WATCHERS_MAX) {
        distant.push(watcher);
      }
    }
    if (distant.length > 0 && this.#rounds.size < ROUNDS_MAX) this.#startRound(distant);
    return false;
  }

  /** Catches up from the log. @returns revisions looked at, and one */
  #replay(watcher: Watcher): number {
    const { currentRev } = this.space;
    let looked = 1;
    while (watcher.next <= currentRev && !watcher.stream.full) {
      const main = watcher.next;
      looked++;
      for (const change of this.#log.at(main)) {
        if (watcher.covers(change.key) && watcher.wants(change)) {
          watcher.push(main, change.event(this.space, watcher.prevKv));
        }
      }
      watcher.next = main + 1;
      if (watcher.batchRevs >= REPLAY_REVISIONS_MAX || watcher.batchBytes >= REPLAY_BYTES) this.flush(watcher);
    }
    this.flush(watcher);
    if (watcher.state !== UNSYNCED) return looked;
    if (watcher.next > currentRev) this.#sync(watcher);
    else watcher.stream.parked.add(watcher);
    return looked;
  }

  /** Sends what a replay has put together, at the store's revision (W5). */
  flush(watcher: Watcher): void {
    const { batch, batchBytes } = watcher;
    if (batch.length === 0) return;
    watcher.clearBatch();
    if (watcher.state === UNSYNCED) this.deliver(watcher, this.space.currentRev, batch, batchBytes);
  }

  #startRound(watchers: Watcher[]): void {
    for (const watcher of watchers) this.#ready.delete(watcher);
    const round = new WatchRound(this, this.space, watchers, this.#options.sliceRows);
    this.#rounds.add(round);
  }

  /** The round has read up to where the store was when it began; its members go on from there. */
  roundDone(round: WatchRound, members: Iterable<Watcher>): void {
    this.#rounds.delete(round);
    for (const watcher of members) if (watcher.state === UNSYNCED) this.enqueue(watcher);
    this.#options.wake();
  }

  failed(err: BackendError): void {
    this.#options.onError(err);
  }

  /** The rows are about to be replaced: no pass over them goes on. Its watchers keep their places. */
  suspend(): void {
    for (const round of this.#rounds) for (const watcher of round.abort()) this.#ready.add(watcher);
    this.#rounds.clear();
  }

  /**
   * The content was replaced by a snapshot's. Every watcher resumes behind the last revision it has heard of (W9).
   */
  restored(space: Keyspace): void {
    const heardOf = this.space.currentRev;
    this.space = space;
    this.#log = this.#newLog();
    this.suspend();
    this.#ready.clear();
    for (const stream of this.#streams) {
      stream.parked.clear();
      for (const watcher of stream.watchers.values()) {
        if (watcher.state === SYNCED) {
          this.#synced.delete(watcher);
          watcher.state = UNSYNCED;
          watcher.next = Math.max(watcher.next, heardOf + 1);
          if (this.#options.mutants.has('44')) watcher.next = Math.max(1, watcher.startRev);
        } else if (watcher.state !== UNSYNCED || this.#options.mutants.has('49')) {
          continue;
        }
        this.enqueue(watcher);
      }
    }
  }

  #sync(watcher: Watcher): void {
    watcher.next = Math.max(watcher.next, this.space.currentRev + 1);
    watcher.state = SYNCED;
    this.#synced.add(watcher);
  }

  /** @param main the first revision that it has not been told */
  #demote(watcher: Watcher, main: number): void {
    this.#synced.delete(watcher);
    watcher.state = UNSYNCED;
    watcher.next = this.#options.mutants.has('45') ? main + 1 : main;
    watcher.stream.parked.add(watcher);
  }

  #newLog(): EventLog {
    const { eventLogRevisions, eventLogBytes } = this.#options;
    return new EventLog(eventLogRevisions, eventLogBytes, this.space.currentRev);
  }
}
