import type { CheckpointSource } from '../mvcc/index.js';
import { crc32c } from '../util/crc32c.js';
import type { Disk, Env } from '../util/env.js';

/*
 * member/keel/index-<store>, the index of the store beside it as it was at a revision:
 *
 *   0      header: JSON, a blank, its CRC-32C in hexadecimal, a line feed; written last
 *   4096   blocks: | bytes u32 | CRC-32C u32 | bytes of a CheckpointWalk |     big-endian
 *
 * It is built as index.part and gets its name when it is durable. What does not read back is not used.
 */
export const BLOCKS_AT = 4096;
const FRAME_BYTES = 8;
const FORMAT = 1;
const READ_BYTES = 1 << 20;
const BLOCK_BYTES_MAX = 1 << 30;

export interface CheckpointHeader {
  /** The store's folder. */
  readonly store: string;
  /** The store is at this entry at least. */
  readonly applied: number;
  readonly term: number;
  readonly revision: number;
  readonly compacted: number;
  /** Of all blocks. */
  readonly bytes: number;
}

export function checkpointPath(dir: string, store: string): string {
  return `${dir}/index-${store}`;
}

export function partPath(dir: string): string {
  return `${dir}/index.part`;
}

export function frameOf(block: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_BYTES + block.length);
  frame.writeUInt32BE(block.length, 0);
  frame.writeUInt32BE(crc32c(block), 4);
  block.copy(frame, FRAME_BYTES);
  return frame;
}

export function headerBytes(header: CheckpointHeader): Buffer {
  const { store, applied, term, revision, compacted, bytes } = header;
  const json = JSON.stringify({ format: FORMAT, store, applied, term, revision, compacted, bytes });
  return Buffer.from(`${json} ${crc32c(Buffer.from(json, 'latin1')).toString(16).padStart(8, '0')}\n`, 'latin1');
}

function readHeader(disk: Disk, path: string): CheckpointHeader | null {
  const text = disk.read(path, 0, BLOCKS_AT).toString('latin1');
  const match = /^(\{.*\}) ([0-9a-f]{8})\n/.exec(text);
  if (match === null) return null;
  const json = match[1] as string;
  if (crc32c(Buffer.from(json, 'latin1')).toString(16).padStart(8, '0') !== match[2]) return null;
  const header = JSON.parse(json) as CheckpointHeader & { format: number };
  return header.format === FORMAT ? header : null;
}

/**
 * The checkpoint of a store that was just opened, if there is one that fits; others are removed, and what a crash left of
 * one being written. Nothing here is an error: a restart without it is slower.
 */
export function findCheckpoint(
  env: Env,
  dir: string,
  store: string,
  applied: { index: number; term: number },
): CheckpointSource | null {
  const { disk } = env;
  const log = env.log.with({ caller: 'server/checkpoint-file.ts' });
  try {
    const path = checkpointPath(dir, store);
    const own = path.slice(dir.length + 1);
    for (const name of disk.list(dir)) if (/^index[.-]/.test(name) && name !== own) disk.unlink(`${dir}/${name}`);
    if (disk.size(path) < 0) return null;
    const header = readHeader(disk, path);
    const refuse = (reason: string): void => {
      log.warn('the index checkpoint is not used; every row is read', { reason });
      disk.unlink(path);
    };
    if (header === null) refuse('its header is damaged');
    else if (header.store !== store) refuse('it is of another store');
    else if (header.applied > applied.index || header.term > applied.term) refuse('it is ahead of the store');
    else if (disk.size(path) < BLOCKS_AT + header.bytes) refuse('it is cut short');
    else return new CheckpointFile(env, path, header, refuse);
  } catch (err) {
    log.warn('the index checkpoint cannot be read', { error: (err as Error).message });
  }
  return null;
}

/** Reads blocks in slices of a turn. */
class CheckpointFile implements CheckpointSource {
  readonly revision: number;
  readonly compacted: number;
  readonly refuse: (reason: string) => void;
  readonly #env: Env;
  readonly #path: string;
  readonly #end: number;
  #at = BLOCKS_AT;
  #chunk: Buffer = Buffer.alloc(0);
  /** Of #chunk in the file. */
  #chunkAt = BLOCKS_AT;

  constructor(env: Env, path: string, header: CheckpointHeader, refuse: (reason: string) => void) {
    this.#env = env;
    this.#path = path;
    this.revision = header.revision;
    this.compacted = header.compacted;
    this.#end = BLOCKS_AT + header.bytes;
    this.refuse = refuse;
  }

  next(cb: (block: Buffer | null | undefined) => void): void {
    this.#env.timers.defer(() => {
      let block: Buffer | null | undefined;
      try {
        block = this.#block();
      } catch {
        block = null;
      }
      cb(block);
    });
  }

  #block(): Buffer | null | undefined {
    if (this.#at >= this.#end) return this.#at === this.#end ? undefined : null;
    const head = this.#read(this.#at, FRAME_BYTES);
    if (head === null) return null;
    const length = head.readUInt32BE(0);
    const crc = head.readUInt32BE(4);
    if (length > BLOCK_BYTES_MAX || this.#at + FRAME_BYTES + length > this.#end) return null;
    const block = this.#read(this.#at + FRAME_BYTES, length);
    if (block === null || crc32c(block) !== crc) return null;
    this.#at += FRAME_BYTES + length;
    return block;
  }

  #read(at: number, length: number): Buffer | null {
    const end = this.#chunkAt + this.#chunk.length;
    if (at < this.#chunkAt || at + length > end) {
      this.#chunk = this.#env.disk.read(this.#path, at, Math.max(length, Math.min(READ_BYTES, this.#end - at)));
      this.#chunkAt = at;
      if (this.#chunk.length < length) return null;
    }
    return this.#chunk.subarray(at - this.#chunkAt, at - this.#chunkAt + length);
  }
}
