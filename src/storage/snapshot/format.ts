import { update } from '../../util/crc32c.js';
import { SnapshotError } from './errors.js';

/*
 * A snapshot between members is a sequence of chunks, each handed over whole:
 *
 *   | type u8 | number u32 | payload | CRC-32C u32 |            all numbers big-endian
 *
 *   'H'  once, first     magic "KEELSNAP", version u32, then the header as JSON
 *   'R'  any number      rows: | bucket u8 | key length u32 | value length u32 | key | value | ...
 *   'E'  once, last      rows u64, bytes u64 (sum of key and value lengths)
 *
 * The checksum runs on from chunk to chunk (each starts from the one before), so a chunk that is missing, doubled, or
 * out of order fails as one that is damaged does. Rows come by bucket, then in key order.
 */
export const VERSION = 1;
const MAGIC = Buffer.from('KEELSNAP');
const HEAD_BYTES = 5;
const CRC_BYTES = 4;
const ROW_BYTES = 9;

export const ChunkType = { header: 0x48, rows: 0x52, end: 0x45 } as const;
export type ChunkType = (typeof ChunkType)[keyof typeof ChunkType];

/** What the snapshot is of. */
export interface SnapshotHeader {
  readonly index: number;
  readonly term: number;
  /** JSON, as the backend has it; undefined if it was never set. */
  readonly confState: Buffer | undefined;
  readonly sizeInUse: number;
  readonly rowCount: number;
  /** Of what the sender had applied; -1: not known. */
  readonly stateHash: number;
}

export interface SnapshotTotals {
  readonly rows: number;
  readonly bytes: number;
}

/** Frames payloads; keeps the running checksum. */
export class ChunkWriter {
  #crc = 0;
  #number = 0;

  chunk(type: ChunkType, payload: readonly Buffer[]): Buffer {
    let length = HEAD_BYTES + CRC_BYTES;
    for (const part of payload) length += part.length;
    const out = Buffer.allocUnsafe(length);
    out[0] = type;
    out.writeUInt32BE(this.#number++, 1);
    let at = HEAD_BYTES;
    for (const part of payload) at += part.copy(out, at);
    this.#crc = update(this.#crc, out, 0, at);
    out.writeUInt32BE(this.#crc, at);
    return out;
  }
}

/** Unframes chunks. */
export class ChunkReader {
  #crc = 0;
  #number = 0;

  /**
   * @returns the chunk's type and a view of its payload
   * @throws SnapshotError ERR_CORRUPT
   */
  read(chunk: Buffer): { type: number; payload: Buffer } {
    const end = chunk.length - CRC_BYTES;
    if (end < HEAD_BYTES) throw corrupt(`chunk ${this.#number} has ${chunk.length} bytes`);
    this.#crc = update(this.#crc, chunk, 0, end);
    if (this.#crc !== chunk.readUInt32BE(end)) throw corrupt(`chunk ${this.#number} fails its checksum`);
    const number = chunk.readUInt32BE(1);
    if (number !== this.#number) throw corrupt(`chunk ${number} where ${this.#number} should be`);
    this.#number++;
    return { type: chunk[0]!, payload: chunk.subarray(HEAD_BYTES, end) };
  }
}

export function encodeHeader(h: SnapshotHeader): Buffer[] {
  const version = Buffer.alloc(4);
  version.writeUInt32BE(VERSION);
  const json = {
    index: h.index,
    term: h.term,
    ...(h.confState && { confState: h.confState.toString('utf8') }),
    sizeInUse: h.sizeInUse,
    rowCount: h.rowCount,
    stateHash: h.stateHash,
  };
  return [MAGIC, version, Buffer.from(JSON.stringify(json))];
}

/** @throws SnapshotError ERR_FORMAT */
export function decodeHeader(payload: Buffer): SnapshotHeader {
  if (payload.length < MAGIC.length + 4 || !payload.subarray(0, MAGIC.length).equals(MAGIC))
    throw format('this is not a snapshot of keel');
  const version = payload.readUInt32BE(MAGIC.length);
  if (version > VERSION) throw format(`version ${version}; this version of keel reads up to ${VERSION}`);
  let json: { [name in 'index' | 'term' | 'sizeInUse' | 'rowCount']: number } & {
    confState?: string;
    stateHash?: number;
  };
  try {
    json = JSON.parse(payload.toString('utf8', MAGIC.length + 4)) as typeof json;
  } catch {
    throw format('the header cannot be read');
  }
  for (const name of ['index', 'term', 'sizeInUse', 'rowCount'] as const) {
    if (!Number.isSafeInteger(json[name]) || json[name] < 0) throw format(`the header's ${name} is ${json[name]}`);
  }
  const { index, term, sizeInUse, rowCount, confState } = json;
  return {
    index,
    term,
    confState: confState === undefined ? undefined : Buffer.from(confState),
    sizeInUse,
    rowCount,
    stateHash: json.stateHash ?? -1,
  };
}

/** Appends a row to a payload in parts; the bytes are not copied. */
export function pushRow(into: Buffer[], bucket: number, key: Buffer, value: Buffer): number {
  const head = Buffer.allocUnsafe(ROW_BYTES);
  head[0] = bucket;
  head.writeUInt32BE(key.length, 1);
  head.writeUInt32BE(value.length, 5);
  into.push(head, key, value);
  return ROW_BYTES + key.length + value.length;
}

/**
 * Calls `each` with views of every row of a payload.
 * @throws SnapshotError ERR_CORRUPT if lengths do not fit
 */
export function readRows(payload: Buffer, each: (bucket: number, key: Buffer, value: Buffer) => void): void {
  let at = 0;
  while (at < payload.length) {
    if (payload.length - at < ROW_BYTES) throw corrupt('a row is cut');
    const key = at + ROW_BYTES;
    const value = key + payload.readUInt32BE(at + 1);
    const end = value + payload.readUInt32BE(at + 5);
    if (end > payload.length) throw corrupt('a row is cut');
    each(payload[at]!, payload.subarray(key, value), payload.subarray(value, end));
    at = end;
  }
}

export function encodeTotals({ rows, bytes }: SnapshotTotals): Buffer[] {
  const out = Buffer.allocUnsafe(16);
  out.writeBigUInt64BE(BigInt(rows), 0);
  out.writeBigUInt64BE(BigInt(bytes), 8);
  return [out];
}

export function decodeTotals(payload: Buffer): SnapshotTotals {
  if (payload.length !== 16) throw corrupt(`the end marker has ${payload.length} bytes`);
  return { rows: Number(payload.readBigUInt64BE(0)), bytes: Number(payload.readBigUInt64BE(8)) };
}

export function corrupt(what: string): SnapshotError {
  return new SnapshotError('ERR_CORRUPT', `snapshot: ${what}`);
}

function format(what: string): SnapshotError {
  return new SnapshotError('ERR_FORMAT', `snapshot: ${what}`);
}
