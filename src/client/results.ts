import type * as wire from '../wire/index.js';
import { OpKind } from '../wire/index.js';
import { fromKey } from './bytes.js';

/** What every answer says of the store. */
export interface Header {
  readonly clusterId: bigint;
  /** The member that answered. */
  readonly memberId: bigint;
  /** Of the store when the request was handled; 0 in answers about the cluster itself. */
  readonly revision: number;
  readonly raftTerm: number;
}

/** A key with its value and history. */
export interface KeyValue {
  readonly key: Buffer;
  /** A view into the received message: copy it if you keep a small value of a big answer for long. */
  readonly value: Buffer;
  /** Revision of the last creation. */
  readonly createRevision: number;
  /** Revision of the last change. */
  readonly modRevision: number;
  /** Changes since creation; 1 is new. */
  readonly version: number;
  /** 0n for none. */
  readonly lease: bigint;
}

export interface PutResult {
  readonly header: Header;
  /** Before the put, if it was asked for and there was one; else null. */
  readonly prevKv: KeyValue | null;
}

export interface RangeResult {
  readonly header: Header;
  readonly kvs: KeyValue[];
  /** There are more than `limit`. */
  readonly more: boolean;
  /** Keys in the range, whatever the limit. */
  readonly count: number;
}

export interface DeleteResult {
  readonly header: Header;
  readonly deleted: number;
  /** If asked for. */
  readonly prevKvs: KeyValue[];
}

export interface TxnResult {
  readonly header: Header;
  /** Whether all comparisons held, so that the success operations ran. */
  readonly succeeded: boolean;
  /** One for each operation that ran, in order. */
  readonly responses: OpResult[];
}

export type OpResult =
  | ({ readonly type: 'range' } & RangeResult)
  | ({ readonly type: 'put' } & PutResult)
  | ({ readonly type: 'delete' } & DeleteResult)
  | ({ readonly type: 'txn' } & TxnResult);

export interface WatchEvent {
  readonly type: 'put' | 'delete';
  /** Of a deletion: key and modRevision only. */
  readonly kv: KeyValue;
  readonly prevKv: KeyValue | null;
}

const NO_HEADER: Header = Object.freeze({ clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 });

export function toHeader(header: wire.ResponseHeader | null): Header {
  return header ?? NO_HEADER;
}

export function toKeyValue(kv: wire.KeyValue): KeyValue {
  return {
    key: fromKey(kv.key),
    value: kv.value,
    createRevision: kv.createRevision,
    modRevision: kv.modRevision,
    version: kv.version,
    lease: kv.lease,
  };
}

export function toPutResult(r: wire.PutResponse): PutResult {
  return { header: toHeader(r.header), prevKv: r.prevKv === null ? null : toKeyValue(r.prevKv) };
}

export function toRangeResult(r: wire.RangeResponse): RangeResult {
  return { header: toHeader(r.header), kvs: r.kvs.map(toKeyValue), more: r.more, count: r.count };
}

export function toDeleteResult(r: wire.DeleteRangeResponse): DeleteResult {
  return { header: toHeader(r.header), deleted: r.deleted, prevKvs: r.prevKvs.map(toKeyValue) };
}

export function toTxnResult(r: wire.TxnResponse): TxnResult {
  return { header: toHeader(r.header), succeeded: r.succeeded, responses: r.responses.map(toOpResult) };
}

function toOpResult(r: wire.ResponseOp): OpResult {
  switch (r.kind) {
    case OpKind.RANGE:
      return { type: 'range', ...toRangeResult(r.response) };
    case OpKind.PUT:
      return { type: 'put', ...toPutResult(r.response) };
    case OpKind.DELETE_RANGE:
      return { type: 'delete', ...toDeleteResult(r.response) };
    case OpKind.TXN:
      return { type: 'txn', ...toTxnResult(r.response) };
    case OpKind.NONE:
      throw new TypeError('an operation without a response');
  }
}

export function toEvent(e: wire.Event): WatchEvent {
  const kv = e.kv === null ? NO_KV : toKeyValue(e.kv);
  return { type: e.type === 1 ? 'delete' : 'put', kv, prevKv: e.prevKv === null ? null : toKeyValue(e.prevKv) };
}

const NO_KV: KeyValue = Object.freeze({
  key: Buffer.alloc(0),
  value: Buffer.alloc(0),
  createRevision: 0,
  modRevision: 0,
  version: 0,
  lease: 0n,
});
