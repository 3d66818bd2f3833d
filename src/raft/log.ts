import { assert } from '../util/assert.js';
import { RingBuffer } from '../util/ring-buffer.js';
import type { Entry } from './entry.js';
import { EntryType } from './entry.js';
import type { SnapshotMeta } from './types.js';

/** What an entry is taken to weigh beside its data, in memory and on the wire. */
const ENTRY_OVERHEAD = 32;

export function entryBytes(e: Entry): number {
  return e.dataBytes + ENTRY_OVERHEAD;
}

/** A write that has been handed out in a Ready and is not acknowledged yet. */
interface Write {
  readonly token: number;
  /** The last of its entries that the log still has; 0 if none. Entries that were cut off since do not count. */
  last: number;
  readonly snapshot: SnapshotMeta | null;
  /** The term in which this Ready asked for votes; 0 if it did not. */
  readonly candidateTerm: number;
}

/**
 * The log: all entries in memory, and how far each of its users has come.
 *
 *       compacted   |      entries
 *   ----------------+-------------------------------------------->
 *             offset   applied   applying   committed   lastIndex
 *                                   (both also <= stable <= offered <= lastIndex)
 *
 * `offered` is what has been handed to the disk, `stable` what the disk has; `applying` is what has been handed to
 * the state machine, `applied` what it has taken. Only stable entries are handed out to be applied.
 */
export class RaftLog {
  #entries: Entry[];
  /** The last entry that is gone, and its term. */
  #offset: number;
  #offsetTerm: number;
  #committed: number;
  #stable: number;
  #offered: number;
  #applying: number;
  #applied: number;
  /** Of the entries in memory. */
  #bytes = 0;
  /** Of the entries after `committed`: derived, never booked, so that it cannot leak. */
  #uncommittedBytes = 0;
  /** Of the entries after `applied`, up to `applying`. */
  #applyingBytes = 0;
  /** Received and not yet durable. */
  #snapshot: SnapshotMeta | null = null;
  #snapshotOffered = false;
  readonly #writes = new RingBuffer<Write>(8);
  /** Museum row 12: an index that the log does not have is given term 0. */
  readonly #mutantTermZero: boolean;

  constructor(
    offset: number,
    offsetTerm: number,
    entries: readonly Entry[],
    committed: number,
    applied: number,
    mutantTermZero = false,
  ) {
    this.#entries = entries.slice();
    this.#offset = offset;
    this.#offsetTerm = offsetTerm;
    this.#committed = committed;
    this.#applying = applied;
    this.#applied = applied;
    this.#stable = this.lastIndex;
    this.#offered = this.lastIndex;
    this.#mutantTermZero = mutantTermZero;
    for (const e of entries) {
      this.#bytes += entryBytes(e);
      if (e.index > committed) this.#uncommittedBytes += entryBytes(e);
    }
  }

  get firstIndex(): number {
    return this.#offset + 1;
  }
  get lastIndex(): number {
    return this.#offset + this.#entries.length;
  }
  get lastTerm(): number {
    const n = this.#entries.length;
    return n === 0 ? this.#offsetTerm : (this.#entries[n - 1] as Entry).term;
  }
  get committed(): number {
    return this.#committed;
  }
  get stable(): number {
    return this.#stable;
  }
  /** The last index that the disk has been given. */
  get offered(): number {
    return this.#offered;
  }
  get applied(): number {
    return this.#applied;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get uncommittedBytes(): number {
    return this.#uncommittedBytes;
  }
  /** True from the receipt of a snapshot until it is durable. */
  get hasPendingSnapshot(): boolean {
    return this.#snapshot !== null;
  }

  /** @returns -1 if the log does not have (or no longer has) that index */
  term(index: number): number {
    if (index === this.#offset) return this.#offsetTerm;
    const e = this.#entries[index - this.#offset - 1];
    return e === undefined ? -1 : e.term;
  }

  at(index: number): Entry {
    const e = this.#entries[index - this.#offset - 1];
    assert(e !== undefined, () => `raft: no entry ${index} in ${this.firstIndex}..${this.lastIndex}`);
    return e;
  }

  matches(index: number, term: number): boolean {
    const t = this.term(index);
    if (this.#mutantTermZero && t === -1) return term === 0;
    return t === term;
  }

  /** Is a log that ends so at least as good as ours? (Raft paper 5.4.1) */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    const own = this.lastTerm;
    return lastTerm > own || (lastTerm === own && lastIndex >= this.lastIndex);
  }

  /**
   * The last index at or below `index` whose term is at or below `term`: nothing after it can be equal in a log
   * that has `term` at `index`. Both sides use it, so that a rejection skips whole terms (paper 5.3).
   */
  findConflictByTerm(index: number, term: number): number {
    let i = index;
    while (i > this.#offset && this.term(i) > term) i--;
    return i;
  }

  /** A leader's own entries. */
  append(entries: readonly Entry[]): void {
    for (let i = 0; i < entries.length; i++) this.#push(entries[i] as Entry);
  }

  #push(e: Entry): void {
    assert(e.index === this.lastIndex + 1, () => `raft: entry ${e.index} is appended behind ${this.lastIndex}`);
    assert(e.term >= this.lastTerm, () => `raft: entry ${e.index} has term ${e.term}, behind one of ${this.lastTerm}`);
    this.#entries.push(e);
    const bytes = entryBytes(e);
    this.#bytes += bytes;
    this.#uncommittedBytes += bytes;
  }

  /**
   * A follower's append (paper 5.3): refused unless it continues our log; what we have already stays, and only
   * what contradicts it is cut off, since a late append must not undo a newer one.
   * @returns the last index that is now known to be equal to the leader's; -1 if refused
   */
  maybeAppend(prevIndex: number, prevTerm: number, entries: readonly Entry[]): number {
    if (!this.matches(prevIndex, prevTerm)) return -1;
    const last = prevIndex + entries.length;
    for (let i = 0; i < entries.length; i++) {
      const e = entries[i] as Entry;
      assert(e.index === prevIndex + 1 + i, () => `raft: append of ${e.index} at ${prevIndex + 1 + i}`);
      if (e.index <= this.lastIndex) {
        if (e.index <= this.#offset || this.term(e.index) === e.term) continue;
        this.#truncate(e.index);
      }
      this.#push(e);
    }
    return last;
  }

  #truncate(from: number): void {
    assert(from > this.#committed, () => `raft: committed entry ${from} would be replaced (commit ${this.#committed})`);
    const cut = from - this.#offset - 1;
    for (let i = cut; i < this.#entries.length; i++) {
      const bytes = entryBytes(this.#entries[i] as Entry);
      this.#bytes -= bytes;
      this.#uncommittedBytes -= bytes;
    }
    this.#entries.length = cut;
    this.#clipWrites(from - 1);
    this.#stable = Math.min(this.#stable, from - 1);
    this.#offered = Math.min(this.#offered, from - 1);
  }

  /** What was cut off is not made stable by a write of it that is still under way, even if the same entries come again. */
  #clipWrites(last: number): void {
    for (const w of this.#writes) if (w.last > last) w.last = last;
  }

  /** @returns true if it moved; it never moves back */
  commitTo(index: number): boolean {
    if (index <= this.#committed) return false;
    assert(
      index <= this.lastIndex,
      () => `raft: commit ${index} is behind the last entry ${this.lastIndex}: was the log lost?`,
    );
    for (let i = this.#committed + 1; i <= index; i++) this.#uncommittedBytes -= entryBytes(this.at(i));
    this.#committed = index;
    return true;
  }

  /** Entries from `from` on, `maxBytes` of them, but one at least if there is one. */
  slice(from: number, maxBytes: number): Entry[] {
    return this.#page(from, this.lastIndex, maxBytes);
  }

  #page(from: number, to: number, maxBytes: number): Entry[] {
    const start = from - this.#offset - 1;
    const end = to - this.#offset;
    assert(start >= 0, () => `raft: entries from ${from} were compacted (first ${this.firstIndex})`);
    let i = start;
    let bytes = 0;
    while (i < end) {
      bytes += entryBytes(this.#entries[i] as Entry);
      if (bytes > maxBytes && i > start) break;
      i++;
    }
    return this.#entries.slice(start, i);
  }

  // --- the disk ---

  get hasUnoffered(): boolean {
    return this.#offered < this.lastIndex || (this.#snapshot !== null && !this.#snapshotOffered);
  }

  /** Hands out what the disk has not been given yet; a snapshot by itself, and the entries behind it the next time. */
  offer(token: number, candidateTerm: number): { entries: readonly Entry[]; snapshot: SnapshotMeta | null } {
    const snapshot = this.#snapshotOffered ? null : this.#snapshot;
    let entries = NO_ENTRIES;
    if (snapshot !== null) this.#snapshotOffered = true;
    else if (this.#offered < this.lastIndex) {
      entries = this.#entries.slice(this.#offered - this.#offset);
      this.#offered = this.lastIndex;
    }
    this.#writes.push({ token, last: entries.length > 0 ? this.lastIndex : 0, snapshot, candidateTerm });
    return { entries, snapshot };
  }

  /**
   * The oldest write is durable.
   * @returns the write, or null if `token` is older than that
   */
  maybePersisted(token: number): Readonly<Write> | null {
    const w = this.#writes.peek();
    if (w === undefined || w.token > token) return null;
    this.#writes.shift();
    if (w.snapshot !== null) {
      assert(
        w.snapshot === this.#snapshot,
        () => `raft: snapshot ${w.snapshot?.index} was installed, another is awaited`,
      );
      this.#stable = Math.max(this.#stable, w.snapshot.index);
      this.#applying = Math.max(this.#applying, w.snapshot.index);
      this.#applied = Math.max(this.#applied, w.snapshot.index);
      this.#snapshot = null;
      this.#snapshotOffered = false;
    }
    if (w.last > this.#stable) this.#stable = w.last;
    return w;
  }

  // --- the state machine ---

  get hasUnapplied(): boolean {
    return this.#applying < this.#applicable && !this.#applyIsFull;
  }

  /** What may be applied: committed, and on our own disk. */
  get #applicable(): number {
    return this.#snapshot !== null ? 0 : Math.min(this.#committed, this.#stable);
  }

  get #applyIsFull(): boolean {
    return this.#applyingBytes > 0 && this.#applyingBytes >= this.#applyingBytesMax;
  }
  #applyingBytesMax = Number.MAX_SAFE_INTEGER;

  set applyingBytesMax(bytes: number) {
    this.#applyingBytesMax = bytes;
  }

  /** @param mutantSkips museum row 10: what did not fit is taken as handed out too */
  takeCommitted(mutantSkips: boolean): readonly Entry[] {
    if (!this.hasUnapplied) return NO_ENTRIES;
    const to = this.#applicable;
    const page = this.#page(this.#applying + 1, to, this.#applyingBytesMax - this.#applyingBytes);
    for (const e of page) this.#applyingBytes += entryBytes(e);
    this.#applying = mutantSkips ? to : this.#applying + page.length;
    return page;
  }

  appliedTo(index: number): void {
    if (index <= this.#applied) return; // a snapshot overtook it
    assert(index <= this.#applying, () => `raft: ${index} was applied, ${this.#applying} was handed out`);
    for (let i = Math.max(this.#applied + 1, this.firstIndex); i <= index; i++)
      this.#applyingBytes -= entryBytes(this.at(i));
    this.#applied = index;
    if (this.#applied === this.#applying) this.#applyingBytes = 0;
  }

  /** Is a configuration change committed that the state machine has not taken yet? */
  hasUnappliedConfChange(): boolean {
    for (let i = this.#applied + 1; i <= this.#committed; i++) {
      if (i > this.#offset && this.at(i).type !== EntryType.NORMAL) return true;
    }
    return false;
  }

  /**
   * A leader appends a configuration change only when the one before is committed and applied. So one that stands in
   * the log behind another proves that other committed, even if our hard state lost count.
   * @returns the last index known to be committed by this; 0 if none
   */
  confChangesProveCommitted(): number {
    let before = 0;
    let last = 0;
    for (const e of this.#entries) {
      if (e.type === EntryType.NORMAL) continue;
      before = last;
      last = e.index;
    }
    return before;
  }

  compact(index: number): void {
    assert(index <= this.#applied, () => `raft: compaction at ${index}, applied is ${this.#applied}`);
    if (index <= this.#offset) return;
    const term = this.term(index);
    const n = index - this.#offset;
    for (let i = 0; i < n; i++) this.#bytes -= entryBytes(this.#entries[i] as Entry);
    this.#entries = this.#entries.slice(n);
    this.#offset = index;
    this.#offsetTerm = term;
  }

  /** Everything is replaced by a snapshot, which is above what we know to be committed. */
  restore(s: SnapshotMeta): void {
    assert(s.index > this.#committed, () => `raft: snapshot ${s.index} is not above commit ${this.#committed}`);
    this.#clipWrites(0);
    this.#stable = Math.min(this.#stable, this.#committed);
    this.#entries = [];
    this.#offset = s.index;
    this.#offsetTerm = s.term;
    this.#committed = s.index;
    this.#offered = s.index;
    this.#bytes = 0;
    this.#uncommittedBytes = 0;
    this.#applyingBytes = 0;
    this.#snapshot = s;
    this.#snapshotOffered = false;
  }
}

const NO_ENTRIES: readonly Entry[] = Object.freeze([]) as readonly Entry[];
