import { crc32c } from '../util/crc32c.js';

/*
 * Which tables a LevelDB store is made of, read from its MANIFEST (LevelDB 1.20: log_format.h, version_edit.cc).
 *
 *   log     blocks of 32 KiB of records: | crc32c masked, 4 | length, 2 | type, 1 | data |     all little-endian
 *           type 1 whole, 2 first, 3 middle, 4 last; a rest of less than 7 bytes in a block is zeros
 *   record  a version edit: | tag varint | its fields | ...
 */
const BLOCK_BYTES = 32 << 10;
const HEADER_BYTES = 7;
const MASK_DELTA = 0xa282ead8;

const TAG = { comparator: 1, log: 2, next: 3, sequence: 4, pointer: 5, deleted: 6, added: 7, previousLog: 9 } as const;

export interface TableFile {
  readonly number: number;
  readonly bytes: number;
}

/** LevelDB stores checksums so, since one over data with checksums in it says little. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** @returns the live tables; null where the file does not read as a MANIFEST */
export function liveTables(manifest: Buffer): TableFile[] | null {
  const tables = new Map<number, TableFile>();
  for (const record of logRecords(manifest)) {
    if (record === null || !applyEdit(record, tables)) return null;
  }
  return [...tables.values()].sort((a, b) => a.number - b.number);
}

/** Null in place of what is damaged. */
function* logRecords(log: Buffer): Generator<Buffer | null, void> {
  let parts: Buffer[] = [];
  for (let at = 0; at + HEADER_BYTES <= log.length; ) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    const length = log.readUInt16LE(at + 4);
    const type = log[at + 6] as number;
    const end = at + HEADER_BYTES + length;
    // The last record may not have been written to its end; LevelDB takes it for none.
    if (end > log.length) return;
    if (length + HEADER_BYTES > left || type < 1 || type > 4) return yield null;
    if (masked(crc32c(log.subarray(at + 6, end))) !== log.readUInt32LE(at)) return yield null;
    if (type === 1 || type === 2) parts = [];
    parts.push(log.subarray(at + HEADER_BYTES, end));
    if (type === 1 || type === 4) yield Buffer.concat(parts);
    at = end;
  }
}

function applyEdit(edit: Buffer, tables: Map<number, TableFile>): boolean {
  const r = new Varints(edit);
  while (!r.done) {
    switch (r.next()) {
      case TAG.comparator:
        r.skip();
        break;
      case TAG.log:
      case TAG.next:
      case TAG.sequence:
      case TAG.previousLog:
        r.next();
        break;
      case TAG.pointer:
        r.next();
        r.skip();
        break;
      case TAG.deleted:
        r.next();
        tables.delete(r.next());
        break;
      case TAG.added: {
        r.next();
        const number = r.next();
        tables.set(number, { number, bytes: r.next() });
        r.skip();
        r.skip();
        break;
      }
      default:
        return false;
    }
  }
  return !r.overrun;
}

/** Varints and strings with a length before them. Behind the end it reads zeros, and says so. */
export class Varints {
  readonly #buf: Buffer;
  pos: number;
  overrun = false;

  constructor(buf: Buffer, pos = 0) {
    this.#buf = buf;
    this.pos = pos;
  }

  get done(): boolean {
    return this.pos >= this.#buf.length || this.overrun;
  }

  next(): number {
    let n = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#buf[this.pos++];
      if (byte === undefined || scale > 2 ** 49) {
        this.overrun = true;
        return 0;
      }
      n += (byte & 0x7f) * scale;
      if (byte < 0x80) return n;
    }
  }

  skip(): void {
    const bytes = this.next();
    this.pos += bytes;
    if (this.pos > this.#buf.length) this.overrun = true;
  }
}
