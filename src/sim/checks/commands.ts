import type { Compare, PutRequest, RequestOp, TxnRequest } from '../../wire/index.js';
import {
  AlarmAction,
  AlarmRequest,
  CompactionRequest,
  CompareResult,
  CompareTarget,
  decodeDeleteRangeRequest,
  decodeInternalRequest,
  decodePutRequest,
  decodeTxnRequest,
  InternalKind,
  LeaseGrantRequest,
  LeaseRevokeRequest,
  OpKind,
} from '../../wire/index.js';
import type { CompareOp, InnerOp, SimpleOp, TxnOp } from '../checkers/index.js';

/** A committed entry as the model understands it. */
export type Command =
  | { kind: 'op'; op: SimpleOp | TxnOp }
  | { kind: 'compact'; revision: number }
  | { kind: 'grant'; lease: string }
  | { kind: 'revoke'; lease: string }
  | { kind: 'alarm'; raised: boolean; member: string; type: number }
  /** Changes nothing in keys and leases. */
  | { kind: 'other' };

const OTHER: Command = { kind: 'other' };

/** @param data of a normal entry */
export function commandOf(data: Buffer): Command {
  if (data.length === 0) return OTHER;
  const { kind, body } = decodeInternalRequest(data);
  switch (kind) {
    case InternalKind.PUT:
      return { kind: 'op', op: putOf(decodePutRequest(body)) };
    case InternalKind.DELETE_RANGE: {
      const { key, rangeEnd, prevKv } = decodeDeleteRangeRequest(body);
      return { kind: 'op', op: { kind: 'delete', key, rangeEnd, prev: prevKv } };
    }
    case InternalKind.TXN:
      return { kind: 'op', op: txnOf(decodeTxnRequest(body)) };
    case InternalKind.COMPACTION:
      return { kind: 'compact', revision: CompactionRequest.decode(body).revision };
    case InternalKind.LEASE_GRANT:
      return { kind: 'grant', lease: LeaseGrantRequest.decode(body).id.toString() };
    case InternalKind.LEASE_REVOKE:
      return { kind: 'revoke', lease: LeaseRevokeRequest.decode(body).id.toString() };
    case InternalKind.ALARM: {
      const { action, memberId, alarm } = AlarmRequest.decode(body);
      if (action === AlarmAction.GET || alarm === 0) return OTHER;
      const raised = action === AlarmAction.ACTIVATE;
      return { kind: 'alarm', raised, member: memberId.toString(), type: alarm };
    }
    default:
      return OTHER;
  }
}

function putOf({ key, value, lease, prevKv }: PutRequest): SimpleOp {
  return { kind: 'put', key, value: value.toString('latin1'), lease: lease.toString(), prev: prevKv };
}

function txnOf({ compare, success, failure }: TxnRequest): TxnOp {
  return { kind: 'txn', compare: compare.map(compareOf), success: success.map(opOf), failure: failure.map(opOf) };
}

function opOf({ kind, request }: RequestOp): InnerOp {
  switch (kind) {
    case OpKind.PUT:
      return putOf(request);
    case OpKind.DELETE_RANGE:
      return { kind: 'delete', key: request.key, rangeEnd: request.rangeEnd, prev: request.prevKv };
    case OpKind.RANGE: {
      const { key, rangeEnd, revision, serializable } = request;
      return { kind: 'range', key, rangeEnd, revision, serializable };
    }
    case OpKind.TXN:
      return txnOf(request);
    default:
      throw new Error('an operation of no kind was committed');
  }
}

const RESULTS: Record<number, CompareOp['result']> = {
  [CompareResult.EQUAL]: '=',
  [CompareResult.GREATER]: '>',
  [CompareResult.LESS]: '<',
  [CompareResult.NOT_EQUAL]: '!=',
};

function compareOf(c: Compare): CompareOp {
  const result = RESULTS[c.result] as CompareOp['result'];
  switch (c.target) {
    case CompareTarget.VERSION:
      return { key: c.key, target: 'version', result, operand: c.version };
    case CompareTarget.CREATE:
      return { key: c.key, target: 'create', result, operand: c.createRevision };
    case CompareTarget.MOD:
      return { key: c.key, target: 'mod', result, operand: c.modRevision };
    default:
      return { key: c.key, target: 'value', result, operand: c.value.toString('latin1') };
  }
}
