import type { WatchCreateRequest, WatchId } from '../wire/watch.js';
import type { WatchSink, WatchStreamOptions } from './types.js';
import type { WatchHub } from './watch-hub.js';
import { canceledPart, createdPart, progressPart, refusedPart } from './watch-part.js';
import { Watcher, watchKeyOf } from './watcher.js';

const PROGRESS_INTERVAL_MS = 10 * 60_000;
const PROGRESS_INTERVAL_MIN_MS = 100;

/** The watchers of one client stream (etcd semantics §4; rules W1-W9 of DESIGN.md). */
export class WatchStream {
  readonly sink: WatchSink;
  /** By id; with those that a compaction has ended and nobody has cancelled. */
  readonly watchers = new Map<WatchId, Watcher>();
  /** Unsynced watchers that wait for `resume`. */
  readonly parked = new Set<Watcher>();
  readonly progressIntervalMs: number;
  /** ms on the monotonic clock of the next progress notification. */
  nextProgress: number;
  /** The sink is full: it gets no events. */
  full = false;
  closed = false;
  readonly #hub: WatchHub;
  #nextId = 0;

  constructor(hub: WatchHub, sink: WatchSink, options: WatchStreamOptions, now: number) {
    this.#hub = hub;
    this.sink = sink;
    this.progressIntervalMs = Math.max(options.progressIntervalMs ?? PROGRESS_INTERVAL_MS, PROGRESS_INTERVAL_MIN_MS);
    this.nextProgress = now + this.progressIntervalMs;
  }

  get watcherCount(): number {
    return this.watchers.size;
  }

  /**
   * Answers with a created response, maybe a cancelled one. Permission has been checked (W1, W2).
   * @returns the watcher's id; null where there is none
   */
  create(req: WatchCreateRequest): WatchId | null {
    if (this.closed) return null;
    const { currentRev } = this.#hub.space;
    const reason = this.#refuse(req);
    if (reason !== null) {
      this.refuse(reason);
      return null;
    }
    const id = req.watchId === 0 ? this.#takeId() : req.watchId;
    // Of 0 and of the future nothing below is delivered; the rest replays (W3).
    const next = req.startRevision === 0 ? currentRev + 1 : req.startRevision;
    const watcher = new Watcher(this, id, req, next);
    this.watchers.set(id, watcher);
    this.send(createdPart(id, currentRev));
    if (!this.closed) this.#hub.start(watcher);
    return id;
  }

  /** The answer to a create that is refused from outside (permission): created, cancelled, watch_id -1. */
  refuse(reason: string): void {
    if (!this.closed) this.send(refusedPart(this.#hub.space.currentRev, reason));
  }

  /** An unknown id has no answer. @param reason where it is not the client that wants it to end */
  cancel(watchId: WatchId, reason = ''): void {
    const watcher = this.watchers.get(watchId);
    if (watcher === undefined) return;
    this.#hub.remove(watcher);
    this.watchers.delete(watchId);
    this.send(canceledPart(watchId, this.#hub.space.currentRev, reason));
  }

  /** Answers only if everything up to the current revision has been sent on this stream (W7). */
  progress(): void {
    if (this.watchers.size === 0) return;
    for (const watcher of this.watchers.values()) if (!this.#hub.isCurrent(watcher)) return;
    this.send(progressPart(-1, this.#hub.space.currentRev));
  }

  /** The sink has room again. */
  resume(): void {
    if (this.closed || !this.full) return;
    this.full = false;
    const parked = [...this.parked];
    this.parked.clear();
    for (const watcher of parked) this.#hub.enqueue(watcher);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const watcher of this.watchers.values()) this.#hub.remove(watcher);
    this.watchers.clear();
    this.#hub.forget(this);
  }

  /** progress_notify: to every watcher that is up to date and has had nothing since the last time (W8). */
  tick(now: number): void {
    if (now < this.nextProgress) return;
    this.nextProgress = now + this.progressIntervalMs;
    for (const watcher of this.watchers.values()) {
      if (!watcher.progressNotify) continue;
      const due = watcher.idle && !this.full && this.#hub.isCurrent(watcher);
      watcher.idle = true;
      if (due && !this.closed) this.send(progressPart(watcher.id, this.#hub.space.currentRev));
    }
  }

  /** Control responses go also to a full sink: their number is that of the client's requests. */
  send(part: Parameters<WatchSink['send']>[0]): void {
    if (!this.sink.send(part)) this.full = true;
  }

  #refuse(req: WatchCreateRequest): string | null {
    if (req.startRevision < 0) return 'etcdserver: mvcc: required revision has been compacted';
    if (req.rangeEnd !== '' && req.rangeEnd !== '\0' && watchKeyOf(req) >= req.rangeEnd) {
      return 'mvcc: watcher range is empty';
    }
    if (req.watchId !== 0 && this.watchers.has(req.watchId)) {
      return 'mvcc: duplicate watch ID provided on the WatchStream';
    }
    return null;
  }

  #takeId(): number {
    while (this.watchers.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }
}
