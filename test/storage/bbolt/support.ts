import type { Bucket } from '../../../src/storage/backend/index.js';
import { BUCKET_NAMES, MemoryBackend } from '../../../src/storage/backend/index.js';
import type { RowEdit } from '../../../src/storage/bbolt/index.js';
import { BboltExport, BboltReader } from '../../../src/storage/bbolt/index.js';
import type { Timers } from '../../../src/util/env.js';
import { sha256 } from '../../../src/util/sha.js';

export const timers: Timers = {
  set: (ms, fn) => setTimeout(fn, ms),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
  defer: (fn) => void setImmediate(fn),
};

export type Row = readonly [bucket: string, key: Buffer, value: Buffer];

/** Rows of all buckets, by bucket name and key. */
export function sorted(rows: readonly Row[]): Row[] {
  const byName = (a: Row, b: Row): number => (a[0] < b[0] ? -1 : 1);
  return [...rows].sort((a, b) => (a[0] === b[0] ? a[1].compare(b[1]) : byName(a, b)));
}

export async function backendOf(rows: readonly Row[]): Promise<MemoryBackend> {
  const backend = new MemoryBackend(setImmediate);
  for (const [bucket, key, value] of rows) backend.put(BUCKET_NAMES.indexOf(bucket) as Bucket, key, value);
  backend.endLocal();
  await new Promise<void>((resolve, reject) => backend.flush((err) => (err === null ? resolve() : reject(err))));
  return backend;
}

/** A backend's rows as a file. */
export async function write(rows: readonly Row[], edits: readonly RowEdit[] = []): Promise<Buffer> {
  const backend = await backendOf(rows);
  const file = await new Promise<BboltExport>((resolve, reject) =>
    backend.pin((err, pin) => (pin === null ? reject(err) : resolve(new BboltExport(pin, timers, edits)))),
  );
  await new Promise<void>((resolve, reject) => file.measure((err) => (err === null ? resolve() : reject(err))));
  const out: Buffer[] = [];
  for (;;) {
    const pages = await new Promise<Buffer[] | null>((resolve, reject) =>
      file.next((err, got) => (err === null ? resolve(got) : reject(err))),
    );
    if (pages === null) break;
    out.push(...pages);
  }
  const bytes = Buffer.concat(out);
  if (bytes.length !== file.size) throw new Error(`${bytes.length} bytes written, ${file.size} promised`);
  return bytes;
}

export function readerOf(bytes: Buffer): BboltReader {
  return new BboltReader({ size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) });
}

/** Everything in a file, checked. */
export function readAll(bytes: Buffer): Row[] {
  const reader = readerOf(bytes);
  reader.check();
  return reader.buckets().flatMap((b) => [...b.rows()].map(([key, value]) => [b.name, key, value] as const));
}

/** Rows in a form that compares fast. */
export function digest(rows: readonly Row[]): string {
  const parts = rows.flatMap(([name, key, value]) => [`${name} ${key.length} ${value.length} `, key, value]);
  return sha256(...parts).toString('hex');
}
