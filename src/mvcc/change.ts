import { Bucket } from '../storage/backend/index.js';
import { EventType, encodeDeletedKeyValue, encodeEvent } from '../wire/key-value.js';
import type { Keyspace } from './keyspace.js';
import { encodeRevision } from './revision.js';

/**
 * One change of one key: what a watcher hears of. Its Event bytes are made when the first watcher wants them, once
 * without and once with the previous state, and then shared by all.
 */
export class Change {
  readonly key: string;
  readonly main: number;
  /** The row that was put; null for a deletion. */
  readonly row: Buffer | null;
  /** The revision that it supersedes; main 0: the key did not exist. */
  readonly prevMain: number;
  readonly prevSub: number;
  /** The row at that revision, where it was at hand. */
  prevRow: Buffer | null;
  /** What it keeps in memory, about, with its events encoded. Fixed, so that what was added can be taken off again. */
  readonly bytes: number;
  #plain: Buffer | null = null;
  #full: Buffer | null = null;

  constructor(
    key: string,
    main: number,
    row: Buffer | null,
    prevMain: number,
    prevSub: number,
    prevRow: Buffer | null,
  ) {
    this.key = key;
    this.main = main;
    this.row = row;
    this.prevMain = prevMain;
    this.prevSub = prevSub;
    this.prevRow = prevRow;
    this.bytes = 256 + key.length + 2 * (row === null ? 0 : row.length) + (prevRow === null ? 0 : prevRow.length);
  }

  get isDelete(): boolean {
    return this.row === null;
  }

  /** The Event's bytes. Blocks only if the previous row is wanted and in no memory. */
  event(space: Keyspace, withPrev: boolean): Buffer {
    if (!withPrev || !this.hasPrev(space)) return (this.#plain ??= this.#encode(null));
    if (this.#full === null) {
      this.prevRow ??= space.backend.get(Bucket.key, this.prevKey()) ?? null;
      this.#full = this.#encode(this.prevRow);
    }
    return this.#full;
  }

  /** Whether there is a previous state to tell: the key existed, and the revision before this one is not compacted. */
  hasPrev(space: Keyspace): boolean {
    return this.prevMain !== 0 && this.main - 1 >= space.compactRev;
  }

  prevKey(): Buffer {
    return encodeRevision(this.prevMain, this.prevSub, false);
  }

  #encode(prev: Buffer | null): Buffer {
    if (this.row !== null) return encodeEvent(EventType.PUT, this.row, prev);
    return encodeEvent(EventType.DELETE, encodeDeletedKeyValue(this.key, this.main), prev);
  }
}
