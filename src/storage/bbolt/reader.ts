import { BboltError } from './errors.js';
import type { Meta } from './format.js';
import {
  BUCKET_BYTES,
  BUCKET_ELEMENT,
  COUNT_MAX,
  ELEMENT_BYTES,
  HEADER_BYTES,
  KEY_BYTES_MAX,
  META_BYTES,
  NO_FREELIST,
  PageFlag,
  parseMeta,
  readU64,
} from './format.js';

/** A file that is read at any place. `read` gives fewer bytes at its end. */
export interface RandomRead {
  readonly size: number;
  read(offset: number, length: number): Buffer;
}

export interface FileBucket {
  readonly name: string;
  /** Rows in key order, each once a call. Buffers are views of a page, good for as long as they are held. */
  rows(): Generator<readonly [key: Buffer, value: Buffer]>;
}

const PAGE_BYTES_MIN = 1024;
const PAGE_BYTES_MAX = 65536;
/** A page of 64 KiB holds two children at least: no tree of a file that fits a disk is deeper. */
const DEPTH_MAX = 64;

/**
 * A bbolt file in etcd's schema: buckets of rows, no bucket within a bucket. Nothing in the file is trusted: every id,
 * position and length is checked against the file before it is followed, every page belongs to one place of one tree,
 * and keys ascend within the bounds that the branch above gives. So any file is read in bounded time and memory, or
 * refused. Values have no checksum in this format: whether they are as they were written only a snapshot's sha256 says.
 */
export class BboltReader {
  readonly #file: RandomRead;
  readonly #meta: Meta;
  /** Pages of the file that may be used: the high-water mark. */
  readonly #pages: number;

  /** @throws BboltError ERR_FORMAT, ERR_CORRUPT */
  constructor(file: RandomRead) {
    this.#file = file;
    this.#meta = openMeta(file);
    this.#pages = this.#meta.highWater;
    if (this.#pages * this.#meta.pageBytes > file.size) {
      const length = `${file.size} bytes, and its ${this.#pages} pages need ${this.#pages * this.#meta.pageBytes}`;
      throw corrupt(`the file is cut: it has ${length}`);
    }
  }

  /** As bbolt counts a database's size: what is used of the file. */
  get size(): number {
    return this.#pages * this.#meta.pageBytes;
  }

  /** The buckets by name. @throws BboltError ERR_CORRUPT, ERR_FORMAT */
  buckets(): FileBucket[] {
    const pages = new PageSet(this.#pages);
    const found: FileBucket[] = [];
    for (const [name, value, isBucket] of this.#tree(this.#meta.root, pages)) {
      if (!isBucket) throw corrupt(`a row ${printable(name)} outside of a bucket`);
      if (value.length < BUCKET_BYTES) throw corrupt(`bucket ${printable(name)} is cut`);
      found.push({ name: name.toString(), rows: () => this.#rows(value, new PageSet(this.#pages)) });
    }
    return found;
  }

  /**
   * Walks all of the file once: every page in its place, no page used twice, the free ones apart from the others.
   * @throws BboltError ERR_CORRUPT, ERR_FORMAT
   */
  check(): void {
    const pages = new PageSet(this.#pages);
    for (const [name, value, isBucket] of this.#tree(this.#meta.root, pages)) {
      if (!isBucket) throw corrupt(`a row ${printable(name)} outside of a bucket`);
      if (value.length < BUCKET_BYTES) throw corrupt(`bucket ${printable(name)} is cut`);
      for (const _row of this.#rows(value, pages));
    }
    this.#checkFreelist(pages);
  }

  *#rows(bucket: Buffer, pages: PageSet): Generator<readonly [Buffer, Buffer]> {
    const root = readU64(bucket, 0);
    const elements =
      root === 0 ? this.#leaf(bucket.subarray(BUCKET_BYTES), 'inline', null, null) : this.#tree(root, pages);
    for (const [key, value, isBucket] of elements) {
      if (isBucket) throw new BboltError('ERR_FORMAT', `a bucket within a bucket: ${printable(key)}; etcd has none`);
      yield [key, value];
    }
  }

  /** @param pages gathers those that were seen */
  #tree(root: number, pages: PageSet): Generator<readonly [Buffer, Buffer, boolean]> {
    return this.#node(root, pages, null, null, 0);
  }

  /** Keys k of a node: from <= k < to, where these are given. */
  *#node(
    id: number,
    pages: PageSet,
    from: Buffer | null,
    to: Buffer | null,
    depth: number,
  ): Generator<readonly [Buffer, Buffer, boolean]> {
    if (depth > DEPTH_MAX) throw corrupt(`page ${id}: the tree is too deep`);
    const page = this.#page(id, pages);
    const flags = page.readUInt16LE(8);
    if (flags === PageFlag.leaf) {
      yield* this.#leaf(page, id, from, to);
      return;
    }
    if (flags !== PageFlag.branch) throw corrupt(`page ${id}: neither branch nor leaf (flags 0x${flags.toString(16)})`);
    const count = countOf(page, id);
    if (count === 0) throw corrupt(`page ${id}: a branch without children`);
    let key = branchKey(page, id, 0);
    // The first key of a branch may be above the one that its parent knows it by, never below.
    inOrder(id, from, key, to, true);
    for (let i = 0; i < count; i++) {
      const child = readU64(page, HEADER_BYTES + ELEMENT_BYTES * i + 8);
      const next: Buffer | null = i + 1 < count ? branchKey(page, id, i + 1) : null;
      if (next !== null) inOrder(id, key, next, to, false);
      yield* this.#node(child, pages, key, next ?? to, depth + 1);
      if (next !== null) key = next;
    }
  }

  *#leaf(
    page: Buffer,
    id: number | 'inline',
    from: Buffer | null,
    to: Buffer | null,
  ): Generator<readonly [Buffer, Buffer, boolean]> {
    const count = countOf(page, id);
    let last: Buffer | null = null;
    for (let i = 0; i < count; i++) {
      const at = HEADER_BYTES + ELEMENT_BYTES * i;
      const flags = page.readUInt32LE(at);
      if (flags > BUCKET_ELEMENT) throw corrupt(`page ${id}: element ${i} has flags 0x${flags.toString(16)}`);
      const key = keyAt(page, id, i, at + page.readUInt32LE(at + 4), page.readUInt32LE(at + 8), count);
      const valueAt = at + page.readUInt32LE(at + 4) + key.length;
      const end = valueAt + page.readUInt32LE(at + 12);
      if (end > page.length) throw corrupt(`page ${id}: the value of element ${i} ends outside of it`);
      inOrder(id, last ?? from, key, to, last === null);
      last = key;
      yield [key, page.subarray(valueAt, end), flags === BUCKET_ELEMENT];
    }
  }

  /** A page with those that overflow from it. */
  #page(id: number, pages: PageSet): Buffer {
    const { pageBytes } = this.#meta;
    if (!(id >= 2 && id < this.#pages)) throw corrupt(`page ${id}: out of bounds: ${this.#pages}`);
    const header = this.#file.read(id * pageBytes, HEADER_BYTES);
    if (header.length < HEADER_BYTES) throw corrupt(`page ${id}: the file is cut`);
    if (readU64(header, 0) !== id) throw corrupt(`page ${id}: it says that it is page ${readU64(header, 0)}`);
    const overflow = header.readUInt32LE(12);
    if (id + overflow >= this.#pages) throw corrupt(`page ${id}: its overflow of ${overflow} pages is out of bounds`);
    for (let i = id; i <= id + overflow; i++) {
      if (!pages.add(i)) throw corrupt(`page ${i}: multiple references`);
    }
    const length = (overflow + 1) * pageBytes;
    const page = this.#file.read(id * pageBytes, length);
    if (page.length < length) throw corrupt(`page ${id}: the file is cut`);
    return page;
  }

  #checkFreelist(pages: PageSet): void {
    if (this.#meta.freelist === NO_FREELIST) return;
    const id = Number(this.#meta.freelist);
    const page = this.#page(id, pages);
    if (page.readUInt16LE(8) !== PageFlag.freelist) throw corrupt(`page ${id}: not a freelist`);
    let count = page.readUInt16LE(10);
    let at = HEADER_BYTES;
    if (count === COUNT_MAX) {
      if (page.length < at + 8) throw corrupt(`page ${id}: the freelist is cut`);
      count = readU64(page, at);
      at += 8;
    }
    if (at + 8 * count > page.length) throw corrupt(`page ${id}: the freelist is cut`);
    for (let i = 0; i < count; i++) {
      const free = readU64(page, at + 8 * i);
      if (!(free >= 2 && free < this.#pages)) throw corrupt(`page ${free}: free, and out of bounds: ${this.#pages}`);
      if (!pages.add(free)) throw corrupt(`page ${free}: free, and in use or free twice`);
    }
  }
}

/** The valid meta of the newest transaction. A file may begin with a damaged one, whose page size is then not known. */
function openMeta(file: RandomRead): Meta {
  let failure: unknown = null;
  const metas: Meta[] = [];
  const take = (offset: number, pageBytes: number | null): void => {
    try {
      const meta = parseMeta(file.read(offset, HEADER_BYTES + META_BYTES));
      if (pageBytes !== null && meta.pageBytes !== pageBytes) return;
      metas.push(meta);
    } catch (err) {
      failure ??= err;
    }
  };
  take(0, null);
  const first = metas[0]?.pageBytes;
  if (first !== undefined) take(first, first);
  else for (let bytes = PAGE_BYTES_MIN; bytes <= PAGE_BYTES_MAX && metas.length === 0; bytes *= 2) take(bytes, bytes);
  const newest = metas.sort((a, b) => (a.txid < b.txid ? 1 : -1))[0];
  if (newest === undefined) throw failure;
  const { pageBytes } = newest;
  const isPower = (pageBytes & (pageBytes - 1)) === 0;
  if (!isPower || pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) {
    throw new BboltError('ERR_FORMAT', 'invalid database');
  }
  if (file.size < 2 * pageBytes) throw new BboltError('ERR_FORMAT', `file size too small ${file.size}`);
  return newest;
}

function countOf(page: Buffer, id: number | 'inline'): number {
  if (page.length < HEADER_BYTES) throw corrupt(`page ${id}: cut`);
  if (id === 'inline' && page.readUInt16LE(8) !== PageFlag.leaf) throw corrupt('page inline: not a leaf');
  const count = page.readUInt16LE(10);
  if (HEADER_BYTES + ELEMENT_BYTES * count > page.length) throw corrupt(`page ${id}: ${count} elements do not fit`);
  return count;
}

function branchKey(page: Buffer, id: number, i: number): Buffer {
  const at = HEADER_BYTES + ELEMENT_BYTES * i;
  const count = page.readUInt16LE(10);
  return keyAt(page, id, i, at + page.readUInt32LE(at), page.readUInt32LE(at + 4), count);
}

function keyAt(page: Buffer, id: number | 'inline', i: number, at: number, length: number, count: number): Buffer {
  if (length === 0 || length > KEY_BYTES_MAX) throw corrupt(`page ${id}: the key of element ${i} has ${length} bytes`);
  if (at < HEADER_BYTES + ELEMENT_BYTES * count || at + length > page.length) {
    throw corrupt(`page ${id}: the key of element ${i} lies outside of it`);
  }
  return page.subarray(at, at + length);
}

function inOrder(id: number | 'inline', from: Buffer | null, key: Buffer, to: Buffer | null, orEqual: boolean): void {
  const order = from === null ? -1 : from.compare(key);
  const isAbove = order < 0 || (orEqual && order === 0);
  if (!isAbove || (to !== null && key.compare(to) >= 0))
    throw corrupt(`page ${id}: key ${printable(key)} out of order`);
}

/** Page ids that were seen: one bit each, and never more of them than the file has. */
class PageSet {
  readonly #bits: Uint8Array;

  constructor(pages: number) {
    this.#bits = new Uint8Array(Math.ceil(pages / 8));
  }

  /** @returns false if it was there already */
  add(id: number): boolean {
    const bit = 1 << (id % 8);
    const at = Math.floor(id / 8);
    if ((this.#bits[at]! & bit) !== 0) return false;
    this.#bits[at]! |= bit;
    return true;
  }
}

function printable(key: Buffer): string {
  return key.length > 40 ? `${key.toString('hex', 0, 40)}...` : key.toString('hex');
}

function corrupt(what: string): BboltError {
  return new BboltError('ERR_CORRUPT', what);
}
