import { assert } from '../../util/assert.js';
import {
  BUCKET_BYTES,
  COUNT_MAX,
  ELEMENT_BYTES,
  HEADER_BYTES,
  INLINE_BYTES_MAX,
  KEY_BYTES_MAX,
  PAGE_BYTES,
  PageFlag,
  writeHeader,
} from './format.js';

/** Where a tree's pages go. */
export interface PageSink {
  /** @returns the id of a page of that many bytes, which follows the last one */
  take(bytes: number): number;
  /** Null: nothing is to be written, only the ids are wanted. */
  readonly write: ((page: Buffer) => void) | null;
}

/** A page in the making: of leaves, `values` has the values; of branches, `children` the page ids. */
class Level {
  readonly keys: Buffer[] = [];
  readonly values: Buffer[] = [];
  readonly children: number[] = [];
  bytes = HEADER_BYTES;
  /** Some page of this level has been written. */
  written = false;

  clear(): void {
    this.keys.length = 0;
    this.values.length = 0;
    this.children.length = 0;
    this.bytes = HEADER_BYTES;
    this.written = true;
  }
}

/** A branch of one child only would let a tree of very long keys grow without an end. */
const CHILDREN_MIN = 2;

/**
 * One B+ tree from rows in key order. Pages are filled and written as they come, a branch behind its last child, so
 * that one page a level is all that is held. Where pages go depends on the rows' lengths only: a first pass without
 * writing tells the ids of the second.
 */
export class TreeWriter {
  readonly #sink: PageSink;
  readonly #flags: number;
  readonly #leaf = new Level();
  /** From the one above the leaves up. */
  readonly #branches: Level[] = [];

  /** @param flags of every element: BUCKET_ELEMENT for a tree of buckets */
  constructor(sink: PageSink, flags = 0) {
    this.#sink = sink;
    this.#flags = flags;
  }

  /** Holds on to both until their page is written. Keys ascend. */
  add(key: Buffer, value: Buffer): void {
    assert(key.length > 0 && key.length <= KEY_BYTES_MAX, () => `bbolt: a key of ${key.length} bytes`);
    const leaf = this.#leaf;
    const bytes = ELEMENT_BYTES + key.length + value.length;
    if (leaf.keys.length > 0 && (leaf.bytes + bytes > PAGE_BYTES || leaf.keys.length === COUNT_MAX)) this.#writeLeaf();
    leaf.keys.push(key);
    leaf.values.push(value);
    leaf.bytes += bytes;
  }

  /** The tree as the value of an element of the tree of buckets: small ones inline, as bbolt has them. */
  finishBucket(): Buffer {
    const leaf = this.#leaf;
    if (leaf.written || leaf.bytes > INLINE_BYTES_MAX) {
      const out = Buffer.alloc(BUCKET_BYTES);
      const root = this.finish();
      out.writeUInt32LE(root >>> 0, 0);
      out.writeUInt32LE(Math.floor(root / 0x1_0000_0000), 4);
      return out;
    }
    const out = Buffer.alloc(BUCKET_BYTES + leaf.bytes);
    leafPage(out.subarray(BUCKET_BYTES), 0, leaf, this.#flags);
    return out;
  }

  /** Writes what is left. @returns the root's page id */
  finish(): number {
    const leaf = this.#leaf;
    if (!leaf.written) return this.#putLeaf();
    if (leaf.keys.length > 0) this.#writeLeaf();
    for (let i = 0; ; i++) {
      const level = this.#branches[i]!;
      const isTop = !level.written;
      if (isTop && level.children.length === 1) return level.children[0]!;
      if (isTop) return this.#putBranch(level);
      if (level.keys.length > 0) this.#writeBranch(i);
    }
  }

  #writeLeaf(): void {
    const first = this.#leaf.keys[0]!;
    this.#addChild(0, first, this.#putLeaf());
  }

  #putLeaf(): number {
    const level = this.#leaf;
    const id = this.#sink.take(level.bytes);
    if (this.#sink.write !== null) {
      const page = Buffer.alloc(pageBytes(level.bytes));
      leafPage(page, id, level, this.#flags);
      this.#sink.write(page);
    }
    level.clear();
    return id;
  }

  #addChild(at: number, key: Buffer, child: number): void {
    if (at === this.#branches.length) this.#branches.push(new Level());
    const level = this.#branches[at]!;
    const bytes = ELEMENT_BYTES + key.length;
    const isFull = level.bytes + bytes > PAGE_BYTES || level.keys.length === COUNT_MAX;
    if (isFull && level.keys.length >= CHILDREN_MIN) this.#writeBranch(at);
    level.keys.push(key);
    level.children.push(child);
    level.bytes += bytes;
  }

  #writeBranch(at: number): void {
    const level = this.#branches[at]!;
    const first = level.keys[0]!;
    this.#addChild(at + 1, first, this.#putBranch(level));
  }

  #putBranch(level: Level): number {
    const id = this.#sink.take(level.bytes);
    if (this.#sink.write !== null) {
      const page = Buffer.alloc(pageBytes(level.bytes));
      branchPage(page, id, level);
      this.#sink.write(page);
    }
    level.clear();
    return id;
  }
}

/** What a page of that many used bytes takes of the file. */
export function pageBytes(used: number): number {
  return Math.ceil(used / PAGE_BYTES) * PAGE_BYTES;
}

function overflowOf(page: Buffer): number {
  return Math.max(0, Math.ceil(page.length / PAGE_BYTES) - 1);
}

function leafPage(out: Buffer, id: number, { keys, values }: Level, flags: number): void {
  writeHeader(out, id, PageFlag.leaf, keys.length, overflowOf(out));
  let element = HEADER_BYTES;
  let at = HEADER_BYTES + ELEMENT_BYTES * keys.length;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const value = values[i]!;
    out.writeUInt32LE(flags, element);
    out.writeUInt32LE(at - element, element + 4);
    out.writeUInt32LE(key.length, element + 8);
    out.writeUInt32LE(value.length, element + 12);
    at += key.copy(out, at);
    at += value.copy(out, at);
    element += ELEMENT_BYTES;
  }
}

function branchPage(out: Buffer, id: number, { keys, children }: Level): void {
  writeHeader(out, id, PageFlag.branch, keys.length, overflowOf(out));
  let element = HEADER_BYTES;
  let at = HEADER_BYTES + ELEMENT_BYTES * keys.length;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    out.writeUInt32LE(at - element, element);
    out.writeUInt32LE(key.length, element + 4);
    out.writeUInt32LE(children[i]! >>> 0, element + 8);
    out.writeUInt32LE(Math.floor(children[i]! / 0x1_0000_0000), element + 12);
    at += key.copy(out, at);
    element += ELEMENT_BYTES;
  }
}
