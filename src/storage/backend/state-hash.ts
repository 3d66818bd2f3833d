import { crc32c } from '../../util/crc32c.js';
import { Bucket } from './bucket.js';

/** Of a store that was written before there were hashes: nothing can be said of it. */
export const UNKNOWN_HASH = -1;

const PUT = heads(0);
const DELETE = heads(0x80);

function heads(flag: number): readonly Buffer[] {
  return Array.from({ length: 32 }, (_, bucket) => Buffer.from([bucket | flag]));
}

/**
 * A running CRC-32C over every row that applies have written or deleted, from the first entry on. Members that have
 * applied the same entries to the same effect have the same value, however their applies were grouped, and one that once
 * did otherwise never has it again, until it takes another's state. What a member does alone (a slice of a compaction)
 * is left out, and so are the values of leases, which have each member's own smallest TTL in them.
 */
export class StateHash {
  /** Behind the last closed apply. */
  closed: number;
  /** With what has been written since. */
  open: number;

  constructor(value: number) {
    this.closed = value;
    this.open = value;
  }

  /** @param value null: the row is deleted */
  add(bucket: number, key: Buffer, value: Buffer | null): void {
    if (this.open === UNKNOWN_HASH) return;
    const head = (value === null ? DELETE : PUT)[bucket] as Buffer;
    const hash = crc32c(key, crc32c(head, this.open));
    this.open = value === null || bucket === Bucket.lease ? hash : crc32c(value, hash);
  }

  /** @param local what was written is this member's alone */
  close(local: boolean): void {
    if (local) this.open = this.closed;
    else this.closed = this.open;
  }
}
