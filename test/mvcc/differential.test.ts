import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckRefusal } from '../../src/mvcc/index.js';
import { checkDeleteRange, checkPut, checkRange, checkTxn } from '../../src/mvcc/index.js';
import type { RequestOp, ResponseHeader, WatchCreateRequest } from '../../src/wire/index.js';
import {
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  encodeDeleteRangeResponse,
  encodePutResponse,
  encodeRangeResponse,
  encodeTxnResponse,
  HashKVRequest,
  HashKVResponse,
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseRevokeRequest,
  LeaseRevokeResponse,
  makeResponseHeader,
  OpKind,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
} from '../../src/wire/index.js';
import { sayIfMissing } from '../support/binaries.js';
import { RealEtcd } from './support/etcd.js';
import { TestStore } from './support/harness.js';
import {
  anyDelete,
  anyPut,
  anyRange,
  anyTxn,
  compare,
  KEYS,
  opDel,
  opPut,
  opRange,
  opTxn,
  resolveBack,
  resolveTxn,
  txn,
  watch,
} from './support/requests.js';
import { inRange } from './support/twin.js';
import { plainEvent, RecordingSink } from './support/watch-log.js';

/** One random history, done to a real etcd and to our store; every answer must be the same message. */
const OPERATIONS = Number(process.env.KEEL_DIFF_OPS ?? 500);
const SEED = Number(process.env.KEEL_FC_SEED ?? Math.floor(Math.random() * 2 ** 31));

type Operation =
  | { do: 'put'; req: PutRequest }
  | { do: 'delete'; req: DeleteRangeRequest }
  | { do: 'txn'; req: TxnRequest }
  | { do: 'range'; req: RangeRequest }
  | { do: 'compact'; back: number }
  | { do: 'grant' | 'revoke'; id: bigint }
  | { do: 'hash'; back: number };

const anyId = fc.constantFrom(1n, 2n, 3n, -5n);
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('put' as const), req: anyPut }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), req: anyDelete }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('txn' as const), req: anyTxn }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('range' as const), req: anyRange }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), back: fc.integer({ min: -1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('grant' as const, 'revoke' as const), id: anyId }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hash' as const), back: fc.integer({ min: -1, max: 25 }) }) },
);

const TEXT: Record<string, string> = {
  'empty-key': 'etcdserver: key is not provided',
  'value-provided': 'etcdserver: value is provided',
  'lease-provided': 'etcdserver: lease is provided',
  'too-many-ops': 'etcdserver: too many operations in txn request',
  'duplicate-key': 'etcdserver: duplicate key given in txn request',
  'key-not-found': 'etcdserver: key not found',
  'lease-not-found': 'etcdserver: requested lease not found',
  'lease-exists': 'etcdserver: lease already exists',
  compacted: 'etcdserver: mvcc: required revision has been compacted',
  future: 'etcdserver: mvcc: required revision is a future revision',
};

const skip = sayIfMissing('the store against a real etcd', 'etcd');

describe.skipIf(skip)('a random history says the same as a real etcd', () => {
  let etcd: RealEtcd;
  beforeAll(async () => {
    etcd = await RealEtcd.start();
  });
  afterAll(() => etcd?.stop());

  it(`in every answer, hash and watch (KEEL_FC_SEED=${SEED})`, { timeout: 120_000 }, async () => {
    const subject = new TestStore();
    const operations = fc.sample(anyOperation, { seed: SEED, numRuns: OPERATIONS });
    for (const operation of operations) {
      const before = subject.store.currentRev;
      const [got, wanted] = await both(etcd, subject, operation);
      if (process.env.KEEL_DIFF_TRACE)
        console.log(
          JSON.stringify({ before, operation, got, wanted }, (_k, v) => (typeof v === 'bigint' ? String(v) : v)),
        );
      expect({ operation, answer: got }).toEqual({ operation, answer: wanted });
    }
    await compareWatches(etcd, subject);
    // Last, since a compaction of what these leave behind ends a real etcd.
    for (const req of CORNERS) {
      const [got, wanted] = await both(etcd, subject, { do: 'txn', req }, true);
      expect({ req, answer: got }).toEqual({ req, answer: wanted });
    }
  });
});

/** Transactions that change a key twice: which of them etcd refuses, and what the others leave. */
const CORNERS: TxnRequest[] = [
  txn({ success: [opDel('a', '\0'), opPut('b', '1', { prevKv: true })] }),
  txn({ success: [opPut('b', '2'), opDel('a', '\0', true)] }),
  txn({ success: [opDel('b', '\0'), opPut('b', '3')] }),
  txn({ success: [opDel('c', 'a'), opPut('c', '4'), opPut('b', '4')] }),
  txn({ success: [opDel('c', 'c'), opPut('c', '5')] }),
  txn({ success: [opPut('c', '6'), opDel('c')] }),
  txn({ success: [opPut('c', '7'), opDel('b', 'c\0')] }),
  txn({ success: [opPut('c', '8'), opDel('b', 'c')] }),
  txn({ success: [opTxn({ success: [opPut('c', '9')] }), opTxn({ success: [opDel('c')] })] }),
  txn({ success: [opTxn({ success: [opDel('c')] }), opTxn({ success: [opPut('c', '10')] })] }),
  txn({ success: [opTxn({ success: [opPut('c', '11')], failure: [opPut('c', '11')] })] }),
  txn({ success: [opTxn({ success: [opPut('c', '12')] }), opTxn({ failure: [opPut('c', '12')] })] }),
  txn({ success: [opTxn({ success: [opPut('c', '13')] }), opPut('c', '13')] }),
  txn({ success: [opTxn({ failure: [opDel('c')] }), opPut('c', '14')] }),
  txn({ success: [opDel('c'), opDel('c', '', true), opRange({ key: 'c' })] }),
  txn({ success: [opRange({ key: 'a' }), opPut('a', '15'), opRange({ key: 'a' })] }),
  txn({ success: [{ kind: OpKind.NONE, request: null }] }),
  txn({ success: [opPut('', 'x')] }),
  txn({ compare: [compare({ key: '' })] }),
  txn({ failure: [opPut('z', 'x', { ignoreValue: true })] }),
  txn({ success: Array.from({ length: 129 }, () => opRange({ key: 'a' })) }),
  txn({
    success: [...Array.from({ length: 127 }, () => opRange({ key: 'a' })), opTxn({ success: [opRange({ key: 'a' })] })],
  }),
];

/** @param twice also a transaction that changes a key twice */
async function both(
  etcd: RealEtcd,
  subject: TestStore,
  operation: Operation,
  twice = false,
): Promise<[unknown, unknown]> {
  const { store } = subject;
  const current = store.currentRev;
  switch (operation.do) {
    case 'put': {
      const { req } = operation;
      const wanted = await etcd.call('KV/Put', PutRequest, PutResponse, req);
      const got = checkPut(req) ?? subject.apply(() => store.applyPut(req));
      if (typeof got === 'string') return [TEXT[got], wanted];
      return [PutResponse.decode(encodePutResponse(header(got.revision), got.prevKv)), bare(wanted)];
    }
    case 'delete': {
      const { req } = operation;
      const wanted = await etcd.call('KV/DeleteRange', DeleteRangeRequest, DeleteRangeResponse, req);
      const refusal = checkDeleteRange(req);
      if (refusal !== null) return [TEXT[refusal], wanted];
      const got = subject.apply(() => store.applyDeleteRange(req));
      const bytes = encodeDeleteRangeResponse(header(got.revision), got.deleted, got.prevKvs);
      return [DeleteRangeResponse.decode(bytes), bare(wanted)];
    }
    case 'range': {
      const req = { ...operation.req, revision: resolveBack(operation.req.revision, current) };
      const wanted = await etcd.call('KV/Range', RangeRequest, RangeResponse, req);
      const got = checkRange(req) ?? store.range(req);
      if (typeof got === 'string') return [TEXT[got], wanted];
      const bytes = encodeRangeResponse(header(got.revision), got.kvs, got.more, got.count);
      return inAnyOrderOfTies(req, [RangeResponse.decode(bytes), bare(wanted) as RangeResponse]);
    }
    case 'txn': {
      const req = resolveTxn(operation.req, current);
      const refusal: CheckRefusal | null = checkTxn(req, 128);
      if (refusal === null && ((touchesTwice(req) && !twice) || hasTies(req))) return [null, null];
      const wanted = await etcd.call('KV/Txn', TxnRequest, TxnResponse, req);
      const got = refusal ?? subject.apply(() => store.applyTxn(req));
      if (typeof got === 'string') return [TEXT[got], wanted];
      const bytes = encodeTxnResponse(header(got.revision), got.succeeded, got.parts);
      return [TxnResponse.decode(bytes), bare(wanted)];
    }
    case 'compact': {
      const req = { revision: current - operation.back, physical: true };
      const wanted = await etcd.call('KV/Compact', CompactionRequest, CompactionResponse, req);
      compactions.add(req.revision);
      const got = subject.apply(() => store.applyCompact(req.revision));
      subject.loop.run();
      return [typeof got === 'string' ? TEXT[got] : { header: header(got.revision) }, bare(wanted)];
    }
    case 'grant': {
      const req = { id: operation.id, ttl: 3600 };
      const wanted = await etcd.call('Lease/LeaseGrant', LeaseGrantRequest, LeaseGrantResponse, req);
      const got = subject.apply((_store, lessor) => lessor.grant(req.id, req.ttl));
      return [typeof got === 'string' ? TEXT[got] : { ...got, header: header(current), error: '' }, bare(wanted)];
    }
    case 'revoke': {
      const req = { id: operation.id };
      const wanted = await etcd.call('Lease/LeaseRevoke', LeaseRevokeRequest, LeaseRevokeResponse, req);
      const got = subject.apply((_store, lessor) => lessor.revoke(req.id, (keys) => store.deleteKeys(keys)));
      return [got === 'revoked' ? { header: header(store.currentRev) } : TEXT[got], bare(wanted)];
    }
    case 'hash': {
      const revision = operation.back === -1 ? 0 : Math.max(0, current - operation.back);
      // etcd keeps the hashes that its last ten compactions computed and answers with those, as they were then.
      if (compactions.has(revision === 0 ? current : revision)) return [null, null];
      const wanted = await etcd.call('Maintenance/HashKV', HashKVRequest, HashKVResponse, { revision });
      let got: unknown;
      store.hashKv(revision, (_err, result) => {
        if (typeof result === 'string') got = TEXT[result];
        else if (result !== null) got = { hash: result.hash, compactRevision: result.compactRevision };
      });
      subject.loop.run();
      return [
        got,
        typeof wanted === 'string' ? wanted : { hash: wanted.hash, compactRevision: wanted.compactRevision },
      ];
    }
  }
}

const compactions = new Set<number>();

/** All watchers that can still be served, and some that cannot. */
async function compareWatches(etcd: RealEtcd, subject: TestStore): Promise<void> {
  const { currentRev, compactRev } = subject.store;
  const requests: WatchCreateRequest[] = [];
  for (const startRevision of [Math.max(1, compactRev), Math.max(1, compactRev) + 1, currentRev - 3]) {
    for (const [key, rangeEnd] of [
      ['\0', '\0'],
      ['a', 'b'],
      [KEYS[0]!, ''],
    ] as const) {
      requests.push(watch({ key, rangeEnd, startRevision }));
      requests.push(watch({ key, rangeEnd, startRevision, prevKv: true }));
      requests.push(watch({ key, rangeEnd, startRevision, filters: [0] }));
      requests.push(watch({ key, rangeEnd, startRevision, filters: [1], prevKv: true }));
    }
  }
  // (A negative start is refused since 3.6 and late 3.5 versions only.)
  requests.push(watch({ key: 'a', startRevision: Math.max(1, compactRev - 1) }));
  requests.push(watch({ key: 'b', rangeEnd: 'a' }), watch({ key: '', rangeEnd: '\0', startRevision: currentRev }));
  for (const req of requests) {
    const sink = new RecordingSink();
    const stream = subject.store.watch.openStream(sink);
    stream.create(req);
    subject.loop.run();
    stream.close();
    const ours = sink.parts;
    const events = ours.flatMap((part) => part.events.map(plainEvent));
    const count = (list: { events: readonly unknown[] }[]): number =>
      list.reduce((n, { events: e }) => n + e.length, 0);
    const enough = (list: { events: readonly unknown[] }[]): boolean =>
      list.length >= ours.length && count(list) >= events.length;
    const theirs = await etcd.watch(req, enough, 3000);
    expect({
      req,
      events: theirs.flatMap((response) =>
        response.events.map((event) => ({
          type: event.type === 0 ? 'put' : 'delete',
          key: event.kv?.key,
          mod: event.kv?.modRevision,
          value: event.kv?.value.toString('latin1'),
          prev: event.prevKv?.value.toString('latin1') ?? null,
        })),
      ),
    }).toEqual({ req, events });
    const control = (part: { created: boolean; canceled: boolean; compactRevision: number; cancelReason: string }) => ({
      created: part.created,
      canceled: part.canceled,
      compactRevision: part.compactRevision,
      reason: part.cancelReason,
    });
    expect({ req, control: theirs.filter((r) => r.events.length === 0).map(control) }).toEqual({
      req,
      control: ours.filter((part) => part.events.length === 0).map(control),
    });
  }
}

/** Only the revision of a header can be compared. */
function bare(answer: { header: ResponseHeader | null } | string): unknown {
  return typeof answer === 'string' ? answer : { ...answer, header: header(answer.header?.revision ?? 0) };
}

function header(revision: number): ResponseHeader {
  return makeResponseHeader(0n, 0n, revision, 0);
}

/**
 * Among equal ones etcd's order is that of an unstable sort: compared are the sorted fields, not the keys, and of a
 * truncated answer nothing else.
 */
function inAnyOrderOfTies(req: RangeRequest, answers: [RangeResponse, RangeResponse]): [unknown, unknown] {
  if (req.sortTarget === 0) return answers;
  const field = (['key', 'version', 'createRevision', 'modRevision', 'value'] as const)[req.sortTarget]!;
  const [ours, theirs] = answers.map(({ kvs, ...rest }) => ({ ...rest, fields: kvs.map((kv) => String(kv[field])) }));
  return [ours, theirs];
}

function hasTies(req: TxnRequest): boolean {
  return allOps(req).some((op) => op.kind === OpKind.RANGE && op.request.sortTarget !== 0);
}

/** A transaction that changes a key twice, which etcd's check lets pass in corner cases and its compaction does not survive. */
function touchesTwice(req: TxnRequest): boolean {
  const ops = allOps(req);
  const puts = ops.filter((op) => op.kind === OpKind.PUT).map((op) => (op.request as PutRequest).key);
  const dels = ops.filter((op) => op.kind === OpKind.DELETE_RANGE).map((op) => op.request as DeleteRangeRequest);
  return puts.some((key) => dels.some((del) => inRange(key, del.key, del.rangeEnd)));
}

function allOps(req: TxnRequest): RequestOp[] {
  const flat = (ops: RequestOp[]): RequestOp[] =>
    ops.flatMap((op) => (op.kind === OpKind.TXN ? allOps(op.request) : [op]));
  return [...flat(req.success), ...flat(req.failure)];
}
