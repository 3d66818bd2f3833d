import type { Leaf } from './key-index.js';

/**
 * One key with its whole history down to the last compaction. A worked history of key `a`:
 *
 *   revision   3.0 put   5.0 put   6.2 delete   9.0 put
 *   version    1         2         tombstone    1
 *              `---- generation 1 ----------'   `-- generation 2
 *
 *   main 9, sub 0, version 1, created 9
 *   older [ 3, 0, size,  5, 0, size,  6, 2*2+1, 0 ]        three numbers a revision, oldest first
 *
 * A generation is what lies between two tombstones; nothing else marks it. Compacted at 6 it is
 * `older [6, 5, 0]` (the tombstone at the compact revision stays, so that a watch from 6 sees it), at 7 `older null`.
 */
export class KeyEntry {
  readonly key: string;
  leaf: Leaf;
  /** The newest revision. (main, sub) only grows. */
  main: number;
  sub: number;
  /** Of the newest revision; 0: it is a tombstone. */
  version: number;
  /** create_revision of the newest generation; without meaning on a tombstone. */
  created: number;
  /** Bytes of the newest revision's stored value. */
  size: number;
  /** Older revisions in ascending order: main, sub * 2 + (1 if a tombstone), bytes of the stored value. */
  older: number[] | null = null;
  /** The newest row, if the cache holds it. */
  value: Buffer | null = null;
  /** The cache's own: QUEUED, HOT. */
  flags = 0;

  constructor(key: string, leaf: Leaf, main: number, sub: number, version: number, created: number, size: number) {
    this.key = key;
    this.leaf = leaf;
    this.main = main;
    this.sub = sub;
    this.version = version;
    this.created = created;
    this.size = size;
  }

  /** The newest revision becomes the last of the older ones. */
  supersede(main: number, sub: number, version: number, created: number, size: number): void {
    const mark = this.sub * 2 + (this.version === 0 ? 1 : 0);
    if (this.older === null) this.older = [this.main, mark, this.size];
    else this.older.push(this.main, mark, this.size);
    this.main = main;
    this.sub = sub;
    this.version = version;
    this.created = created;
    this.size = size;
  }

  /**
   * Where the state at a revision stands: NEWEST, an offset into `older`, or ABSENT if the key does not exist then
   * (not yet, deleted, or compacted away).
   */
  at(revision: number): number {
    if (this.main <= revision) return this.version === 0 ? ABSENT : NEWEST;
    const offset = this.lastUpTo(revision);
    if (offset === ABSENT) return ABSENT;
    return ((this.older as number[])[offset + 1] as number) & 1 ? ABSENT : offset;
  }

  /** Offset of the last of the older revisions with main <= `revision`, tombstone or not; ABSENT if there is none. */
  lastUpTo(revision: number): number {
    const older = this.older;
    if (older === null || (older[0] as number) > revision) return ABSENT;
    let low = 0;
    let high = older.length / STRIDE;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((older[middle * STRIDE] as number) <= revision) low = middle;
      else high = middle;
    }
    return low * STRIDE;
  }

  /** @param position as `at` gave it, not ABSENT */
  mainAt(position: number): number {
    return position === NEWEST ? this.main : ((this.older as number[])[position] as number);
  }

  subAt(position: number): number {
    return position === NEWEST ? this.sub : Math.floor(((this.older as number[])[position + 1] as number) / 2);
  }

  sizeAt(position: number): number {
    return position === NEWEST ? this.size : ((this.older as number[])[position + 2] as number);
  }
}

export const NEWEST = -1;
export const ABSENT = -2;
/** Numbers a revision in `older`. */
export const STRIDE = 3;
