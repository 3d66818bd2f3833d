import { expect } from 'vitest';
import type { DeleteRangeResult, PutResult, RangeResult, TxnResult } from '../../../src/mvcc/index.js';
import type { ResponsePart } from '../../../src/wire/index.js';
import { OpKind } from '../../../src/wire/index.js';
import type { Kv, TwinPart, TwinRange } from './twin.js';
import { plainKv } from './watch-log.js';

/** Answers of a store in the twin's form. Refusals are strings in both. */
export function plainRange(result: RangeResult | string): TwinRange | string {
  if (typeof result === 'string') return result;
  const { revision, kvs, more, count } = result;
  return { revision, kvs: kvs.map(plainKv), more, count };
}

export function plainPut(result: PutResult | string): { revision: number; prev: Kv | null } | string {
  if (typeof result === 'string') return result;
  return { revision: result.revision, prev: result.prevKv === null ? null : plainKv(result.prevKv) };
}

export function plainDelete(result: DeleteRangeResult): { revision: number; deleted: number; prevs: Kv[] } {
  return { revision: result.revision, deleted: result.deleted, prevs: result.prevKvs.map(plainKv) };
}

export function plainTxn(
  result: TxnResult | string,
): { revision: number; succeeded: boolean; parts: TwinPart[] } | string {
  if (typeof result === 'string') return result;
  return { revision: result.revision, succeeded: result.succeeded, parts: result.parts.map(plainPart) };
}

function plainPart(part: ResponsePart): TwinPart {
  switch (part.kind) {
    case OpKind.RANGE:
      return { op: 'range', result: plainRange(part) as TwinRange };
    case OpKind.PUT:
      return { op: 'put', revision: part.revision, prev: part.prevKv === null ? null : plainKv(part.prevKv) };
    case OpKind.DELETE_RANGE:
      return { op: 'delete', revision: part.revision, deleted: part.deleted, prevs: part.prevKvs.map(plainKv) };
    case OpKind.TXN:
      return { op: 'txn', succeeded: part.succeeded, parts: part.parts.map(plainPart) };
  }
}

export function same(got: unknown, wanted: unknown): void {
  expect(got).toEqual(wanted);
}
