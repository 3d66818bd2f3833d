import type { Entry, HardState, WalSnapshot } from '../../wire/index.js';
import {
  decodeEntry,
  EntryType,
  Reader,
  WalRecordType,
  WalSnapshot as WalSnapshotCodec,
  WireError,
} from '../../wire/index.js';
import type { WalPoint } from './types.js';

/**
 * What the records of a log add up to, read from a segment that begins at or before `from`.
 *
 * The CRC covers a record's data but not its type, so that one flipped bit can make an entry without data look like a
 * hard state. Hence the strictness: whatever no raft log can hold is refused, with the reason.
 */
export class Replay {
  readonly #from: WalPoint;
  /** `entries[i].index == from.index + 1 + i` */
  readonly entries: Entry[] = [];
  /** The newest entries up to from.index, without gaps, the last at from.index; at most `keep` of them at the end. */
  readonly older: Entry[] = [];
  readonly #keep: number;
  readonly snapshots: WalSnapshot[] = [];
  hardState: HardState | null = null;
  /** Index of the newest entry, or of the snapshot that replaced the log; -1: nothing is known yet. */
  lastIndex: number;
  /** Term of that entry; 0: not known. */
  #lastTerm = 0;
  /** Term of the entry at from.index, or 0 where none was seen. */
  #fromTerm = 0;
  /** Index of a snapshot record behind `from` that replaced the log: entries in between are missing. */
  gap = 0;

  /**
   * @param firstIndex of the segment's name
   * @param keep how many entries up to `from` are wanted as well
   */
  constructor(from: WalPoint, firstIndex: number, keep = 0) {
    this.#from = from;
    this.#keep = keep;
    this.lastIndex = Math.max(firstIndex, 1) - 1;
  }

  /** @returns why the record cannot be, or null */
  add(type: number, data: Buffer): string | null {
    try {
      switch (type) {
        case WalRecordType.ENTRY:
          return this.#entry(decodeEntry(data));
        case WalRecordType.STATE:
          return this.#state(data);
        case WalRecordType.SNAPSHOT:
          return this.#snapshot(data);
        default:
          return `a record of type ${type} does not belong here`;
      }
    } catch (err) {
      if (err instanceof WireError) return `a record of type ${type} does not decode: ${err.message}`;
      throw err;
    }
  }

  #entry(e: Entry): string | null {
    const { index, term } = e;
    if (!isOrdinal(index) || !isOrdinal(term)) return `an entry has index ${index} and term ${term}`;
    if (e.type !== EntryType.NORMAL && (e.type < 0 || e.type > 2 || e.dataBytes === 0)) {
      return `entry ${index} is of type ${e.type} with ${e.dataBytes} bytes of data`;
    }
    if (index > this.lastIndex + 1) return `entry ${index} follows ${this.lastIndex}`;
    const before = this.#termBefore(index);
    if (term < before) return `entry ${index} is of term ${term}, the one before it of ${before}`;
    const at = index - this.#from.index - 1;
    if (at >= 0) {
      // Behind a gap there is no place to put it; open() refuses such a log whatever follows.
      if (this.gap === 0) {
        if (this.entries.length > at) this.entries.length = at;
        this.entries.push(e);
      }
    } else {
      this.entries.length = 0;
      this.#fromTerm = at === -1 ? term : 0;
      this.#remember(e);
    }
    this.lastIndex = index;
    this.#lastTerm = term;
    return null;
  }

  #remember(e: Entry): void {
    if (this.#keep === 0) return;
    const { older } = this;
    while (older.length > 0 && (older[older.length - 1] as Entry).index >= e.index) older.pop();
    if (older.length > 0 && (older[older.length - 1] as Entry).index !== e.index - 1) older.length = 0;
    older.push(e);
    // Not at every entry, which would move all of them each time.
    if (older.length >= 2 * this.#keep) older.splice(0, older.length - this.#keep);
  }

  /** Term of the entry at index - 1, or 0 where it is not known. */
  #termBefore(index: number): number {
    if (index === this.lastIndex + 1) return this.#lastTerm;
    const at = index - this.#from.index - 2;
    if (at === -1) return this.#fromTerm;
    return at >= 0 ? (this.entries[at]?.term ?? 0) : 0;
  }

  #state(data: Buffer): string | null {
    const r = new Reader(data);
    const hs: HardState = { term: 0, vote: 0n, commit: 0 };
    if (take(r, 0x08)) hs.term = r.uint();
    if (take(r, 0x10)) hs.vote = r.uid();
    if (take(r, 0x18)) hs.commit = r.uint();
    if (r.pos !== r.end) return 'a hard state has fields that are not its own';
    if (!isOrdinal(hs.term)) return `a hard state has term ${hs.term}`;
    const before = this.hardState;
    if (before !== null && hs.term < before.term)
      return `a hard state of term ${hs.term} follows one of ${before.term}`;
    this.hardState = hs;
    return null;
  }

  #snapshot(data: Buffer): string | null {
    const snapshot = WalSnapshotCodec.decode(data);
    const { index, term } = snapshot;
    if (index === 0 && term === 0) {
      this.snapshots.push(snapshot);
      return null;
    }
    if (!isOrdinal(index) || !isOrdinal(term)) return `a snapshot has index ${index} and term ${term}`;
    this.snapshots.push(snapshot);
    const from = this.#from.index;
    if (index > this.lastIndex) this.#restart(index, term);
    else if (index > from && this.gap === 0) {
      // Within the log, and of its history: it says that the log was compacted. Else the log was replaced.
      if (this.entries[index - from - 1]!.term !== term) this.#restart(index, term);
    } else if (index === from && this.#fromTerm !== term && this.#fromTerm !== 0) this.#restart(index, term);
    return null;
  }

  /** The log goes on behind a snapshot; what it held is no longer part of it. */
  #restart(index: number, term: number): void {
    this.entries.length = 0;
    this.older.length = 0;
    if (index > this.#from.index) this.gap = index;
    if (index === this.#from.index) this.#fromTerm = term;
    this.lastIndex = index;
    this.#lastTerm = term;
  }

  /**
   * At the end: does the log go on from `from`? A backend that was swapped for a leader's snapshot just before a crash may
   * be ahead of the log, or of another history than the log's uncommitted end; that end is dropped then.
   * @returns true if a snapshot record at `from` has to be written, so that the log reads without a gap from now on
   */
  settle(): boolean {
    const { index, term } = this.#from;
    const other = this.#fromTerm !== 0 && term !== 0 && this.#fromTerm !== term;
    if (index <= this.lastIndex && !other) {
      const { older } = this;
      if (older[older.length - 1]?.index !== index) older.length = 0;
      older.splice(0, Math.max(0, older.length - this.#keep));
      return false;
    }
    this.entries.length = 0;
    this.older.length = 0;
    this.lastIndex = index;
    return true;
  }
}

function isOrdinal(n: number): boolean {
  return n >= 1 && n < Number.MAX_SAFE_INTEGER;
}

/** Takes the tag if it comes next. */
function take(r: Reader, tag: number): boolean {
  if (r.pos >= r.end || r.buf[r.pos] !== tag) return false;
  r.pos++;
  return true;
}
