import { KeyEntry, STRIDE } from './key-entry.js';
import type { Leaf } from './key-index.js';
import type { Keyspace } from './keyspace.js';

/*
 * The index as bytes, so that a restart need not read every row. Blocks of whole entries, in key order; of an entry
 *
 *   | key length | key | flags | main | sub? | size | version?, created? | lease?, 8 bytes | older? |
 *
 * with numbers as varints, and `older` as in KeyEntry behind the count of its revisions.
 */
const TOMBSTONE = 1;
/** Version 1, created at this revision: most keys of a store that is filled. */
const FIRST = 2;
/**
 * The newest revision at the time, but not when it was written down: version and create revision are not known any more.
 * A newer row follows, and says it.
 */
const SUPERSEDED = 4;
const HAS_SUB = 8;
const HAS_LEASE = 16;
const HAS_OLDER = 32;

const VARINT_BYTES_MAX = 8;
const ENTRY_BYTES_MAX = 1 + 6 * VARINT_BYTES_MAX + 8;

/** What a checkpoint is of. */
export interface CheckpointFacts {
  /** Rows above this main revision are not in it. */
  readonly revision: number;
  /** Rows below this compact revision were gone; -1: none was ever compacted. */
  readonly compacted: number;
}

/**
 * Writes down the index as it is at a revision, in slices, while it goes on: what has come since is left out by its
 * revision, and the owner holds compactions back until `close`.
 */
export class CheckpointWalk implements CheckpointFacts {
  readonly revision: number;
  readonly compacted: number;
  readonly #space: Keyspace;
  readonly #leaseOf: (key: string) => bigint;
  #onClose: (() => void) | null;
  /** Keys up to this one are written; null: none is. */
  #after: string | null = null;
  #buf: Buffer = Buffer.allocUnsafeSlow(1 << 16);
  #at = 0;

  constructor(space: Keyspace, leaseOf: (key: string) => bigint, onClose: () => void) {
    this.#space = space;
    this.#leaseOf = leaseOf;
    this.#onClose = onClose;
    this.revision = space.currentRev;
    this.compacted = space.finishedCompactRev;
  }

  /** The content that it walks over was replaced: what it has written is good for nothing. */
  get abandoned(): boolean {
    return this.#space.retired;
  }

  /** @returns the next block, of about this size, valid until the next call; null at the end */
  next(bytes: number): Buffer | null {
    this.#at = 0;
    while (this.#at < bytes) {
      const { index } = this.#space;
      const leaf: Leaf | undefined = this.#after === null ? index.firstLeaf : index.leafAfter(this.#after);
      if (leaf === undefined || leaf.entries.length === 0) break;
      for (const entry of leaf.entries) {
        if (this.#after !== null && entry.key <= this.#after) continue;
        this.#write(entry);
        this.#after = entry.key;
        if (this.#at >= bytes) break;
      }
    }
    return this.#at === 0 ? null : this.#buf.subarray(0, this.#at);
  }

  /** To be called once it is at its end, or not wanted any more. */
  close(): void {
    this.#onClose?.();
    this.#onClose = null;
  }

  #write(entry: KeyEntry): void {
    const { key } = entry;
    const older = entry.older;
    let { main, sub, size } = entry;
    let tombstone = entry.version === 0;
    let olderLength = older === null ? 0 : older.length;
    let lease = 0n;
    const superseded = main > this.revision;
    if (superseded) {
      const at = entry.lastUpTo(this.revision);
      if (older === null || at < 0) return;
      const mark = older[at + 1] as number;
      main = older[at] as number;
      sub = Math.floor(mark / 2);
      tombstone = mark % 2 === 1;
      size = older[at + 2] as number;
      olderLength = at;
    } else if (!tombstone) {
      lease = this.#leaseOf(key);
    }
    const first = !tombstone && !superseded && entry.version === 1 && entry.created === main;
    this.#reserve(key.length + ENTRY_BYTES_MAX + olderLength * VARINT_BYTES_MAX);
    this.#varint(key.length);
    this.#at += this.#buf.latin1Write(key, this.#at, key.length);
    this.#buf[this.#at++] =
      (tombstone ? TOMBSTONE : 0) |
      (first ? FIRST : 0) |
      (superseded && !tombstone ? SUPERSEDED : 0) |
      (sub !== 0 ? HAS_SUB : 0) |
      (lease !== 0n ? HAS_LEASE : 0) |
      (olderLength > 0 ? HAS_OLDER : 0);
    this.#varint(main);
    if (sub !== 0) this.#varint(sub);
    this.#varint(size);
    if (!tombstone && !first && !superseded) {
      this.#varint(entry.version);
      this.#varint(entry.created);
    }
    if (lease !== 0n) this.#at = this.#buf.writeBigInt64LE(lease, this.#at);
    if (olderLength === 0) return;
    this.#varint(olderLength / STRIDE);
    for (let i = 0; i < olderLength; i++) this.#varint((older as number[])[i] as number);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buf.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#buf.length, this.#at + bytes));
    this.#buf.copy(larger, 0, 0, this.#at);
    this.#buf = larger;
  }

  #varint(value: number): void {
    let n = value;
    for (; n > 0x7fff_ffff; n = Math.floor(n / 128)) this.#buf[this.#at++] = (n % 128) | 0x80;
    for (; n > 127; n >>>= 7) this.#buf[this.#at++] = (n & 127) | 0x80;
    this.#buf[this.#at++] = n;
  }
}

/** Fills an empty index from the blocks of a walk, in their order. */
export class CheckpointReader {
  readonly #space: Keyspace;
  readonly #attachments: Map<string, bigint>;
  /** Entries whose newest revision is to be followed by a row: none may be left when all rows have been read. */
  readonly #superseded: KeyEntry[] = [];
  readonly #revision: number;
  #buf: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(space: Keyspace, attachments: Map<string, bigint>, revision: number) {
    this.#space = space;
    this.#attachments = attachments;
    this.#revision = revision;
  }

  add(block: Buffer): void {
    this.#buf = block;
    this.#at = 0;
    while (this.#at < block.length) this.#entry();
  }

  /** Rows above the revision have been read: did they complete all that was incomplete? */
  get complete(): boolean {
    return this.#superseded.every((entry) => entry.main > this.#revision);
  }

  #entry(): void {
    const { index } = this.#space;
    const length = this.#varint();
    const key = this.#buf.latin1Slice(this.#at, this.#at + length);
    this.#at += length;
    const flags = this.#buf[this.#at++] as number;
    const main = this.#varint();
    const sub = (flags & HAS_SUB) !== 0 ? this.#varint() : 0;
    const size = this.#varint();
    let version = (flags & TOMBSTONE) !== 0 ? 0 : 1;
    let created = version === 0 ? 0 : main;
    if ((flags & (TOMBSTONE | FIRST | SUPERSEDED)) === 0) {
      version = this.#varint();
      created = this.#varint();
    }
    if ((flags & HAS_LEASE) !== 0) {
      this.#attachments.set(key, this.#buf.readBigInt64LE(this.#at));
      this.#at += 8;
    }
    const entry = new KeyEntry(key, index.lastLeaf, main, sub, version, created, size);
    if ((flags & HAS_OLDER) !== 0) {
      const older: number[] = [];
      for (let left = this.#varint() * STRIDE; left > 0; left--) older.push(this.#varint());
      entry.older = older;
    }
    if ((flags & SUPERSEDED) !== 0) this.#superseded.push(entry);
    index.append(entry);
  }

  #varint(): number {
    const buf = this.#buf;
    let byte = buf[this.#at++] as number;
    if (byte < 128) return byte;
    let n = byte & 127;
    let scale = 128;
    do {
      byte = buf[this.#at++] as number;
      n += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return n;
  }
}
