import { BboltError } from './errors.js';

/*
 * etcd's database file (etcd wire §7.5): pages of 4096 bytes, all numbers little-endian.
 *
 *   page     | id u64 | flags u16 | count u16 | overflow u32 | ...        a page with overflow n is n + 1 pages long
 *   meta     | header | magic u32 | version u32 | page size u32 | 0 u32 | root u64 | sequence u64 | freelist u64 |
 *            | high water u64 | txid u64 | FNV-1a of the 64 bytes from magic to txid, u64 |
 *   branch   | header | (pos u32 | key length u32 | child u64) * count | keys
 *   leaf     | header | (flags u32 | pos u32 | key length u32 | value length u32) * count | keys and values
 *   bucket   | root u64 | sequence u64 |, and an inline leaf page behind it if root is 0
 *
 * `pos` counts from the element's own start to its key.
 */
export const PAGE_BYTES = 4096;
export const HEADER_BYTES = 16;
export const ELEMENT_BYTES = 16;
export const BUCKET_BYTES = 16;
export const META_BYTES = 64;
/** bbolt inlines a bucket of at most a quarter of a page. */
export const INLINE_BYTES_MAX: number = PAGE_BYTES / 4;
export const COUNT_MAX = 0xffff;
export const KEY_BYTES_MAX = 32768;

export const PageFlag = { branch: 0x01, leaf: 0x02, meta: 0x04, freelist: 0x10 } as const;
/** Of a leaf element: the value is a bucket. */
export const BUCKET_ELEMENT = 0x01;

const MAGIC = 0xed0cdaed;
const VERSION = 2;
/** "Not stored": a reader finds the free pages by walking. etcd writes no other. */
export const NO_FREELIST = 0xffffffffffffffffn;

export interface Meta {
  readonly pageBytes: number;
  readonly root: number;
  readonly freelist: bigint;
  /** The first page that was never used: the file's length in pages. */
  readonly highWater: number;
  readonly txid: bigint;
}

/** A whole meta page. */
export function metaPage(id: number, meta: Meta): Buffer {
  const out = Buffer.alloc(meta.pageBytes);
  writeHeader(out, id, PageFlag.meta, 0, 0);
  const m = out.subarray(HEADER_BYTES, HEADER_BYTES + META_BYTES);
  m.writeUInt32LE(MAGIC, 0);
  m.writeUInt32LE(VERSION, 4);
  m.writeUInt32LE(meta.pageBytes, 8);
  m.writeBigUInt64LE(BigInt(meta.root), 16);
  m.writeBigUInt64LE(meta.freelist, 32);
  m.writeBigUInt64LE(BigInt(meta.highWater), 40);
  m.writeBigUInt64LE(meta.txid, 48);
  m.writeBigUInt64LE(fnv1a(m.subarray(0, 56)), 56);
  return out;
}

/**
 * @param page from the page's start; META_BYTES behind its header are looked at
 * @throws BboltError in bbolt's words
 */
export function parseMeta(page: Buffer): Meta {
  if (page.length < HEADER_BYTES + META_BYTES) throw new BboltError('ERR_FORMAT', 'invalid database');
  const m = page.subarray(HEADER_BYTES, HEADER_BYTES + META_BYTES);
  if (m.readUInt32LE(0) !== MAGIC) throw new BboltError('ERR_FORMAT', 'invalid database');
  if (m.readUInt32LE(4) !== VERSION) throw new BboltError('ERR_FORMAT', 'version mismatch');
  if (m.readBigUInt64LE(56) !== fnv1a(m.subarray(0, 56))) throw new BboltError('ERR_FORMAT', 'checksum error');
  return {
    pageBytes: m.readUInt32LE(8),
    root: Number(m.readBigUInt64LE(16)),
    freelist: m.readBigUInt64LE(32),
    highWater: Number(m.readBigUInt64LE(40)),
    txid: m.readBigUInt64LE(48),
  };
}

export function writeHeader(page: Buffer, id: number, flags: number, count: number, overflow: number): void {
  page.writeUInt32LE(id >>> 0, 0);
  page.writeUInt32LE(Math.floor(id / 0x1_0000_0000), 4);
  page.writeUInt16LE(flags, 8);
  page.writeUInt16LE(count, 10);
  page.writeUInt32LE(overflow, 12);
}

/** Saturates beyond 2^53, which no page id reaches. */
export function readU64(buf: Buffer, at: number): number {
  return buf.readUInt32LE(at + 4) * 0x1_0000_0000 + buf.readUInt32LE(at);
}

/** FNV-1a, 64 bits: over a meta's 56 bytes only, so BigInt is fast enough. */
function fnv1a(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}
