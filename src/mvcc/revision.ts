import { assert } from '../util/assert.js';

/**
 * A revision is (main, sub): main grows by one with every transaction that changes something, sub counts its changes.
 * As a row's key (etcd wire §7.4):
 *
 *   0        8   9        17
 *   | main   | _ | sub    | t |     both big-endian; `t` only on a tombstone
 */
export const REVISION_BYTES = 17;
const UNDERSCORE = 0x5f;
const TOMBSTONE = 0x74;

/** @returns a new 17- or, for a tombstone, 18-byte key */
export function encodeRevision(main: number, sub: number, tombstone: boolean): Buffer {
  const buf = Buffer.allocUnsafe(tombstone ? REVISION_BYTES + 1 : REVISION_BYTES);
  writeUint53(buf, 0, main);
  buf[8] = UNDERSCORE;
  writeUint53(buf, 9, sub);
  if (tombstone) buf[REVISION_BYTES] = TOMBSTONE;
  return buf;
}

export function mainOf(key: Buffer): number {
  assert(key.length >= REVISION_BYTES && key[8] === UNDERSCORE, 'mvcc: not a revision key');
  return readUint53(key, 0);
}

export function subOf(key: Buffer): number {
  return readUint53(key, 9);
}

export function isTombstone(key: Buffer): boolean {
  return key.length === REVISION_BYTES + 1 && key[REVISION_BYTES] === TOMBSTONE;
}

function writeUint53(buf: Buffer, offset: number, n: number): void {
  assert(n >= 0 && n <= Number.MAX_SAFE_INTEGER, 'mvcc: not a revision');
  buf.writeUInt32BE(Math.floor(n / 0x1_0000_0000), offset);
  buf.writeUInt32BE(n >>> 0, offset + 4);
}

function readUint53(buf: Buffer, offset: number): number {
  return buf.readUInt32BE(offset) * 0x1_0000_0000 + buf.readUInt32BE(offset + 4);
}
