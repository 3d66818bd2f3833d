import type { BackendCursor, BackendError } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import type { KvRow } from '../util/env.js';
import { decodeKeyValue } from '../wire/key-value.js';
import { Change } from './change.js';
import { ABSENT } from './key-entry.js';
import type { Keyspace } from './keyspace.js';
import { encodeRevision, isTombstone, mainOf } from './revision.js';
import type { WatchHub } from './watch-hub.js';
import { REPLAY_BYTES, REPLAY_REVISIONS_MAX } from './watch-limits.js';
import type { Watcher } from './watcher.js';
import { UNSYNCED } from './watcher.js';
import { WatcherIndex } from './watcher-index.js';

/** A change that somebody wants. */
interface Item {
  readonly change: Change;
  readonly watchers: Watcher[];
}

/**
 * One pass over the rows for watchers that are far behind: from the earliest of their cursors up to the store's
 * revision at the start. Rows come in slices; at the end of each everybody has been sent what it held, except for the
 * last revision in it, which may go on in the next slice (all events of a revision travel together).
 */
export class WatchRound {
  readonly #hub: WatchHub;
  readonly #space: Keyspace;
  readonly #sliceRows: number;
  readonly #to: number;
  readonly #cursor: BackendCursor;
  readonly #members = new Set<Watcher>();
  readonly #index = new WatcherIndex();
  readonly #touched = new Set<Watcher>();
  /** Of the revision that the last slice ended in. */
  #carry: Item[] = [];
  /** Rows below this revision have been dealt with. */
  #scanned: number;
  #aborted = false;

  constructor(hub: WatchHub, space: Keyspace, watchers: readonly Watcher[], sliceRows: number) {
    this.#hub = hub;
    this.#space = space;
    this.#sliceRows = sliceRows;
    this.#to = space.currentRev;
    let from = this.#to;
    for (const watcher of watchers) {
      this.#members.add(watcher);
      this.#index.add(watcher);
      from = Math.min(from, watcher.next);
    }
    this.#scanned = from;
    this.#cursor = space.backend.scan(
      Bucket.key,
      encodeRevision(from, 0, false),
      encodeRevision(this.#to + 1, 0, false),
    );
    this.#next();
  }

  /** @returns its watchers that still have to catch up */
  abort(): Watcher[] {
    this.#aborted = true;
    this.#cursor.close();
    for (const watcher of this.#touched) {
      if (watcher.batch.length > 0) watcher.next = watcher.batchFirst;
      watcher.clearBatch();
    }
    return [...this.#members].filter((watcher) => watcher.state === UNSYNCED);
  }

  #next(): void {
    this.#cursor.next(this.#sliceRows, (err, rows) => {
      if (this.#aborted) return;
      if (err !== null) {
        this.#failed(err);
        return;
      }
      this.#dropGone();
      if (this.#members.size === 0 || rows.length === 0) this.#finish(rows.length === 0);
      else this.#slice(rows);
    });
  }

  #slice(rows: readonly KvRow[]): void {
    const items = this.#carry;
    const prevKeys: Buffer[] = [];
    const lacking: Change[] = [];
    for (const row of rows) {
      const item = this.#match(row);
      if (item === null) continue;
      items.push(item);
      const { change, watchers } = item;
      if (change.prevMain !== 0 && watchers.some((watcher) => watcher.prevKv)) {
        prevKeys.push(change.prevKey());
        lacking.push(change);
      }
    }
    const last = mainOf((rows[rows.length - 1] as KvRow)[0]);
    if (lacking.length === 0) {
      this.#endSlice(items, last);
      return;
    }
    this.#space.backend.getMany(Bucket.key, prevKeys, (err, values) => {
      if (this.#aborted) return;
      if (err !== null) {
        this.#failed(err);
        return;
      }
      for (let i = 0; i < lacking.length; i++) (lacking[i] as Change).prevRow = values[i] ?? null;
      this.#dropGone();
      this.#endSlice(items, last);
    });
  }

  /** @param last the revision of the last row read, which may not be complete */
  #endSlice(items: Item[], last: number): void {
    let complete = items.length;
    while (complete > 0 && (items[complete - 1] as Item).change.main === last) complete--;
    this.#carry = items.splice(complete);
    this.#hand(items);
    // The last revision goes with those before it.
    if (last < this.#to) this.#flush(0, 0);
    this.#advance(last);
    this.#next();
  }

  #finish(atEnd: boolean): void {
    if (atEnd) {
      this.#hand(this.#carry);
      this.#flush(0, 0);
      this.#advance(this.#to + 1);
    }
    this.#cursor.close();
    this.#hub.roundDone(this, this.#members);
  }

  /** Who is interested in a row, and what it says. */
  #match([rowKey, value]: KvRow): Item | null {
    const main = mainOf(rowKey);
    const { key, createRevision } = decodeKeyValue(value);
    const watchers: Watcher[] = [];
    this.#index.match(key, watchers);
    if (watchers.length === 0) return null;
    const row = isTombstone(rowKey) ? null : value;
    // What is created anew has no previous state, though the same transaction may have deleted one.
    const entry = row !== null && createRevision === main ? undefined : this.#space.index.get(key);
    const at = entry === undefined ? ABSENT : entry.at(main - 1);
    if (entry === undefined || at === ABSENT) return { change: new Change(key, main, row, 0, 0, null), watchers };
    return { change: new Change(key, main, row, entry.mainAt(at), entry.subAt(at), null), watchers };
  }

  /** Puts the events of complete revisions into the watchers' responses. */
  #hand(items: readonly Item[]): void {
    let main = -1;
    for (const { change, watchers } of items) {
      if (change.main !== main) {
        this.#flush(REPLAY_REVISIONS_MAX, REPLAY_BYTES);
        main = change.main;
      }
      for (const watcher of watchers) {
        if (!this.#members.has(watcher) || watcher.state !== UNSYNCED || !watcher.wants(change)) continue;
        watcher.push(main, change.event(this.#space, watcher.prevKv));
        this.#touched.add(watcher);
      }
    }
  }

  /** Sends responses that have reached either size. A watcher whose stream is full leaves with its cursor behind what was sent. */
  #flush(revisions: number, bytes: number): void {
    for (const watcher of this.#touched) {
      if (watcher.batchRevs < revisions && watcher.batchBytes < bytes) continue;
      this.#touched.delete(watcher);
      const { stream, batchFirst, batchLast } = watcher;
      if (stream.full) {
        watcher.clearBatch();
        this.#leave(watcher, batchFirst);
        continue;
      }
      this.#hub.flush(watcher);
      if (stream.full) this.#leave(watcher, batchLast + 1);
    }
  }

  #leave(watcher: Watcher, next: number): void {
    this.#members.delete(watcher);
    this.#index.delete(watcher);
    if (watcher.state !== UNSYNCED) return;
    watcher.next = next;
    this.#hub.enqueue(watcher);
  }

  #advance(scanned: number): void {
    this.#scanned = scanned;
    for (const watcher of this.#members) watcher.next = Math.max(watcher.next, scanned);
  }

  /** Takes out who was cancelled, and who has been overtaken by a compaction: its rows may be missing from now on. */
  #dropGone(): void {
    for (const watcher of this.#members) {
      const behind = Math.max(watcher.next, this.#scanned) < this.#space.compactRev;
      if (watcher.state === UNSYNCED && !behind) continue;
      this.#members.delete(watcher);
      this.#index.delete(watcher);
      this.#touched.delete(watcher);
      watcher.clearBatch();
      if (watcher.state === UNSYNCED) this.#hub.compacted(watcher);
    }
  }

  /** The store cannot be read: the member is to stop, and the watchers stay where they are. */
  #failed(err: BackendError): void {
    this.#aborted = true;
    this.#cursor.close();
    this.#hub.failed(err);
  }
}
