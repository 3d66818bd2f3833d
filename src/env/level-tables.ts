import type { FileHandle } from 'node:fs/promises';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../util/crc32c.js';
import { liveTables, masked, Varints } from './level-manifest.js';
import { unsnappy } from './snappy.js';

/*
 * A table of LevelDB 1.20 (table_format.md):
 *
 *   | data blocks | filter block | metaindex block | index block | footer, 48 bytes |
 *   block    | contents | compression, 1: 0 none, 1 Snappy | crc32c masked over both, 4 |
 *   footer   handle of the metaindex, handle of the index, zeros up to 40 bytes, magic
 *   handle   offset varint, bytes of the contents varint
 *   index    entries: shared, unshared, value length as varints, key, value (a handle); then offsets of restarts, u32
 *            each, and their number
 */
const FOOTER_BYTES = 48;
const MAGIC = 0xdb4775248b80fb57n;
const TRAILER_BYTES = 5;
const WINDOW_BYTES = 1 << 20;

interface Handle {
  readonly at: number;
  readonly bytes: number;
}

class Damaged extends Error {
  readonly code = 'ERR_CORRUPT';
}

/**
 * Verifies the checksum of every block of every live table in a store's folder. LevelDB does not look at them as the
 * binding opens it, and worse: built with assertions as it is, it ends the whole process over a key that is too
 * short, so that a member with one flipped bit would never come up to be repaired.
 * @throws with code ERR_CORRUPT, naming file and offset; where there is no MANIFEST, LevelDB says so
 */
export async function verifyTables(dir: string): Promise<void> {
  const manifest = await readManifest(dir);
  if (manifest === null) return;
  const tables = liveTables(manifest.bytes);
  if (tables === null) throw new Damaged(`${manifest.path} does not read as a MANIFEST`);
  const names = new Set(await readdir(dir));
  for (const { number, bytes } of tables) {
    const base = String(number).padStart(6, '0');
    const name = [`${base}.ldb`, `${base}.sst`].find((candidate) => names.has(candidate));
    if (name === undefined) throw new Damaged(`${join(dir, `${base}.ldb`)} is gone`);
    await verifyTable(join(dir, name), bytes);
  }
}

async function readManifest(dir: string): Promise<{ path: string; bytes: Buffer } | null> {
  try {
    const name = (await readFile(join(dir, 'CURRENT'), 'latin1')).trimEnd();
    if (!/^MANIFEST-\d+$/.test(name)) return null;
    const path = join(dir, name);
    return { path, bytes: await readFile(path) };
  } catch (err) {
    if ((err as { code?: string }).code === 'ENOENT') return null;
    throw err;
  }
}

async function verifyTable(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size !== bytes || size < FOOTER_BYTES) throw new Damaged(`${path} has ${size} bytes, and had ${bytes}`);
    const end = size - FOOTER_BYTES;
    const footer = await readAt(file, end, FOOTER_BYTES);
    if (footer.readBigUInt64LE(40) !== MAGIC) throw new Damaged(`${path} at byte ${end}: no footer of a table`);
    const r = new Varints(footer);
    const metaindex = handleAt(r);
    const index = handleAt(r);
    const fixed = [index, metaindex];
    const named: Handle[] = [];
    for (const handle of fixed) {
      const contents = await readBlock(file, path, handle, end);
      for (const value of entries(contents, path, handle)) named.push(value);
    }
    named.sort((a, b) => a.at - b.at);
    // Block follows block: what is not in one that is named does not exist.
    let at = 0;
    for (const handle of [...named, metaindex, index]) {
      if (handle.at !== at)
        throw new Damaged(`${path} at byte ${at}: the block that should be here is at ${handle.at}`);
      at = handle.at + handle.bytes + TRAILER_BYTES;
    }
    if (at !== end) throw new Damaged(`${path} at byte ${at}: blocks end before the footer`);
    await verifyBlocks(file, path, named);
  } finally {
    await file.close();
  }
}

function handleAt(r: Varints): Handle {
  return { at: r.next(), bytes: r.next() };
}

async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buf = Buffer.allocUnsafe(bytes);
  let have = 0;
  while (have < bytes) {
    const { bytesRead } = await file.read(buf, have, bytes - have, at + have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return buf.subarray(0, have);
}

/** The contents of one block, checked and uncompressed. */
async function readBlock(file: FileHandle, path: string, handle: Handle, end: number): Promise<Buffer> {
  const { at, bytes } = handle;
  if (at + bytes + TRAILER_BYTES > end) throw new Damaged(`${path} at byte ${at}: a block behind the file's end`);
  const block = await readAt(file, at, bytes + TRAILER_BYTES);
  mustCheck(block, path, at);
  const contents = block.subarray(0, bytes);
  const plain = block[bytes] === 1 ? unsnappy(contents) : contents;
  if (plain === null) throw new Damaged(`${path} at byte ${at}: a block that does not uncompress`);
  return plain;
}

/** @param block with its trailer */
function mustCheck(block: Buffer, path: string, at: number): void {
  const crc = block.length - 4;
  if (crc < 1 || masked(crc32c(block.subarray(0, crc))) !== block.readUInt32LE(crc)) {
    throw new Damaged(`${path} at byte ${at}: a block of ${block.length} bytes fails its checksum`);
  }
}

/** The handles that an index or metaindex block names. */
function entries(contents: Buffer, path: string, { at }: Handle): Handle[] {
  const bad = (): Damaged => new Damaged(`${path} at byte ${at}: an index that cannot be read`);
  if (contents.length < 4) throw bad();
  const end = contents.length - 4 * (1 + contents.readUInt32LE(contents.length - 4));
  if (end < 0) throw bad();
  const found: Handle[] = [];
  const r = new Varints(contents.subarray(0, end));
  while (!r.done) {
    r.next();
    const unshared = r.next();
    const length = r.next();
    r.pos += unshared;
    const value = new Varints(contents.subarray(r.pos, r.pos + length));
    found.push(handleAt(value));
    r.pos += length;
    if (r.overrun || value.overrun || r.pos > end) throw bad();
  }
  return found;
}

/** Reads the file in large pieces; the blocks are in order and without gaps. */
async function verifyBlocks(file: FileHandle, path: string, blocks: readonly Handle[]): Promise<void> {
  let window: Buffer = Buffer.alloc(0);
  let start = 0;
  for (const { at, bytes } of blocks) {
    const length = bytes + TRAILER_BYTES;
    if (at + length > start + window.length) {
      start = at;
      window = await readAt(file, start, Math.max(WINDOW_BYTES, length));
    }
    mustCheck(window.subarray(at - start, at - start + length), path, at);
  }
}
