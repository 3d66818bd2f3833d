import type { KvBatch, KvRow } from '../../util/env.js';
import { Bucket, PRIVATE_BUCKET } from './bucket.js';
import { BackendError } from './errors.js';
import { rowBytes, rowKey, sealed, unsealed } from './row.js';

/*
 * What each flush writes beside its rows, in the same batch:
 *
 *   meta/consistent_index, meta/term    8 bytes big-endian, as etcd has them; not before the first apply
 *   keel/c                              the counters below, JSON
 *   keel/f + number, 8 bytes BE         this flush's own row: the index it reached, 8 bytes BE
 *
 * Number rows are kept from `window` to `flush`, without a gap. LevelDB 1.20 can lose the end of one log and keep the
 * next (it closes the old one without an fsync), and skips a damaged piece of a log when it recovers. Either way the
 * last counters are there and some flush before them is not: its number row is missing, or a number row is still
 * there that a lost flush had deleted. `window` only moves over flushes that have left the log for a table, whose
 * write is fsynced and named in an fsynced MANIFEST: those can no longer be lost one by one.
 */
export interface Counters {
  /** Disk format of the rows. */
  readonly format: number;
  /** Number of the last flush; the first is 1. */
  readonly flush: number;
  /** The first flush whose number row is kept. */
  readonly window: number;
  readonly index: number;
  readonly term: number;
  readonly sizeInUse: number;
  readonly size: number;
  readonly rowCount: number;
  /** state-hash.ts; of stores that were made before there was one it is not known */
  readonly stateHash?: number;
}

export const FORMAT = 1;

const COUNTERS_KEY = Buffer.from([PRIVATE_BUCKET, 0x63]);
export const CONSISTENT_INDEX = Buffer.from('consistent_index');
export const TERM = Buffer.from('term');
export const CONF_STATE = Buffer.from('confState');
export const CONSISTENT_INDEX_KEY: Buffer = rowKey(Bucket.meta, CONSISTENT_INDEX);
export const TERM_KEY: Buffer = rowKey(Bucket.meta, TERM);
export const CONF_STATE_KEY: Buffer = rowKey(Bucket.meta, CONF_STATE);
export const COUNTERS_ROW: Buffer = COUNTERS_KEY;
/** Number rows are those with gte <= row key < lt. */
export const NUMBERS_GTE: Buffer = Buffer.from([PRIVATE_BUCKET, 0x66]);
export const NUMBERS_LT: Buffer = Buffer.from([PRIVATE_BUCKET, 0x67]);
/** A range that no row is in: compacting it takes the log's rows to a table, and does nothing else. */
export const NOWHERE_GTE: Buffer = Buffer.from([0xff]);
export const NOWHERE_LT: Buffer = Buffer.from([0xff, 0xff]);

/** consistent_index and term are rows like others for etcd's sizes. */
export const INDEX_ROWS = 2;
export const INDEX_ROWS_BYTES: number = rowBytes(CONSISTENT_INDEX.length, 8) + rowBytes(TERM.length, 8);

export function be64(n: number): Buffer {
  const out = Buffer.allocUnsafe(8);
  out.writeUInt32BE(Math.floor(n / 0x1_0000_0000), 0);
  out.writeUInt32BE(n % 0x1_0000_0000, 4);
  return out;
}

export function fromBe64(b: Buffer): number {
  return b.readUInt32BE(0) * 0x1_0000_0000 + b.readUInt32BE(4);
}

export function numberKey(flush: number): Buffer {
  return Buffer.concat([NUMBERS_GTE, be64(flush)]);
}

/** Adds a flush's own rows to its batch. @param from the window before this flush; rows below counters.window go */
export function putCounters(batch: KvBatch, c: Counters, from: number): void {
  if (c.index > 0) {
    putSealed(batch, CONSISTENT_INDEX_KEY, be64(c.index));
    putSealed(batch, TERM_KEY, be64(c.term));
  }
  putSealed(batch, COUNTERS_KEY, Buffer.from(JSON.stringify(c)));
  putSealed(batch, numberKey(c.flush), be64(c.index));
  for (let n = from; n < c.window; n++) batch.del(numberKey(n));
}

export function putSealed(batch: KvBatch, key: Buffer, value: Buffer): void {
  batch.put(key, sealed(key, value));
}

/** @throws BackendError ERR_CORRUPT, or ERR_FORMAT for rows of a newer version */
export function parseCounters(stored: Buffer): Counters {
  const c = JSON.parse(unsealed(COUNTERS_KEY, stored).toString()) as Counters;
  if (c.format > FORMAT) {
    throw new BackendError('ERR_FORMAT', `backend: rows of format ${c.format}; this version reads up to ${FORMAT}`);
  }
  return c;
}

/** Checks that no flush is missing. @param numbers every number row, in order. @throws BackendError ERR_HOLE */
export function checkNumbers(c: Counters, numbers: KvRow[]): void {
  let expected = c.window;
  for (const [key, stored] of numbers) {
    unsealed(key, stored);
    const n = fromBe64(key.subarray(NUMBERS_GTE.length));
    if (n !== expected) throw hole(c, `flush ${n} where ${expected} should be`);
    expected++;
  }
  if (expected !== c.flush + 1) throw hole(c, `flushes from ${expected} on are missing`);
}

function hole(c: Counters, what: string): BackendError {
  return new BackendError(
    'ERR_HOLE',
    `backend: the store lost writes in the middle (${what}; the last is ${c.flush} at index ${c.index}); refetch it`,
  );
}
