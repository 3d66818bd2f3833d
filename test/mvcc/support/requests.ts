import fc from 'fast-check';
import type {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../../../src/wire/index.js';
import {
  makeCompare,
  makeDeleteRangeRequest,
  makePutRequest,
  makeRangeRequest,
  makeRequestOp,
  makeTxnRequest,
  OpKind,
  WatchCreateRequest,
} from '../../../src/wire/index.js';

export const range = (init: Partial<RangeRequest>): RangeRequest => ({ ...makeRangeRequest(), ...init });
export const put = (key: string, value = '', init: Partial<PutRequest> = {}): PutRequest => ({
  ...makePutRequest(),
  key,
  value: Buffer.from(value, 'latin1'),
  ...init,
});
export const del = (key: string, rangeEnd = '', prevKv = false): DeleteRangeRequest => ({
  ...makeDeleteRangeRequest(),
  key,
  rangeEnd,
  prevKv,
});
export const compare = (init: Partial<Compare>): Compare => ({ ...makeCompare(), ...init });
export const txn = (init: Partial<TxnRequest>): TxnRequest => ({ ...makeTxnRequest(), ...init });
export const opRange = (init: Partial<RangeRequest>): RequestOp => makeRequestOp(OpKind.RANGE, range(init));
export const opPut = (...args: Parameters<typeof put>): RequestOp => makeRequestOp(OpKind.PUT, put(...args));
export const opDel = (...args: Parameters<typeof del>): RequestOp => makeRequestOp(OpKind.DELETE_RANGE, del(...args));
export const opTxn = (init: Partial<TxnRequest>): RequestOp => makeRequestOp(OpKind.TXN, txn(init));
export const watch = (init: Partial<WatchCreateRequest>): WatchCreateRequest => WatchCreateRequest.make(init);

/** Few keys, so that histories meet; some are prefixes of others, one has bytes above 0x7f. */
export const KEYS = ['a', 'aa', 'ab', 'b', 'b\0', 'c', 'd\xff', 'e', '\xff'];

export const anyKey = fc.constantFrom(...KEYS);
export const anyValue = fc.constantFrom('', '1', '2', 'x'.repeat(40));
export const anyRangeEnd = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 3, arbitrary: anyKey },
  { weight: 2, arbitrary: fc.constant('\0') },
);
/** 0, or back from the current one by so much, or ahead. Made a revision when it is used. */
export const anyBack = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: -2, max: 12 }));
export const anyLease = fc.oneof({ weight: 4, arbitrary: fc.constant(0n) }, fc.constantFrom(1n, 2n, 3n, -5n));

export const anyPut: fc.Arbitrary<PutRequest> = fc
  .record({
    key: anyKey,
    value: anyValue.map((text) => Buffer.from(text, 'latin1')),
    lease: anyLease,
    prevKv: fc.boolean(),
    ignoreValue: rarely(),
    ignoreLease: rarely(),
  })
  .map((req) => ({
    ...req,
    value: req.ignoreValue ? Buffer.alloc(0) : req.value,
    lease: req.ignoreLease ? 0n : req.lease,
  }));

export const anyDelete: fc.Arbitrary<DeleteRangeRequest> = fc.record({
  key: anyKey,
  rangeEnd: anyRangeEnd,
  prevKv: fc.boolean(),
});

const anyFilter = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.integer({ min: -1, max: 20 }));

/** `revision` is what anyBack says. */
export const anyRange: fc.Arbitrary<RangeRequest> = fc.record({
  key: anyKey,
  rangeEnd: anyRangeEnd,
  limit: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: -1, max: 4 })),
  revision: anyBack,
  sortOrder: fc.constantFrom(0, 0, 1, 2),
  sortTarget: fc.constantFrom(0, 0, 1, 2, 3, 4),
  serializable: fc.boolean(),
  keysOnly: rarely(),
  countOnly: rarely(),
  minModRevision: anyFilter,
  maxModRevision: anyFilter,
  minCreateRevision: anyFilter,
  maxCreateRevision: anyFilter,
});

const anyCompare: fc.Arbitrary<Compare> = fc
  .record({
    result: fc.integer({ min: 0, max: 3 }),
    target: fc.integer({ min: 0, max: 4 }),
    key: anyKey,
    rangeEnd: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, anyRangeEnd),
    number: fc.integer({ min: 0, max: 6 }),
    value: anyValue,
  })
  .map(({ number, value, ...rest }) =>
    compare({
      ...rest,
      targetUnion: rest.target + 4,
      ...([
        { version: number },
        { createRevision: number },
        { modRevision: number },
        { value: Buffer.from(value, 'latin1') },
        { lease: BigInt(number) },
      ][rest.target] as Partial<Compare>),
    }),
  );

export const anyTxn: fc.Arbitrary<TxnRequest> = fc.letrec<{ txn: TxnRequest; op: RequestOp }>((tie) => ({
  txn: fc.record({
    compare: fc.array(anyCompare, { maxLength: 2 }),
    success: fc.array(tie('op'), { maxLength: 3 }),
    failure: fc.array(tie('op'), { maxLength: 2 }),
  }),
  op: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 4, arbitrary: anyPut.map((req) => makeRequestOp(OpKind.PUT, req)) },
    { weight: 2, arbitrary: anyDelete.map((req) => makeRequestOp(OpKind.DELETE_RANGE, req)) },
    { weight: 2, arbitrary: anyRange.map((req) => makeRequestOp(OpKind.RANGE, req)) },
    { weight: 1, arbitrary: tie('txn').map((req) => makeRequestOp(OpKind.TXN, req)) },
  ),
})).txn;

/** `startRevision` is what anyBack says. */
export const anyWatch: fc.Arbitrary<WatchCreateRequest> = fc
  .record({
    key: anyKey,
    rangeEnd: anyRangeEnd,
    startRevision: anyBack,
    prevKv: fc.boolean(),
    filters: fc.constantFrom<number[]>([], [], [], [0], [1]),
    fragment: fc.boolean(),
    progressNotify: rarely(),
    watchId: fc.constantFrom(0, 0, 0, 3),
  })
  .map((init) => watch(init));

/** Puts revisions in place of anyBack's distances. 0 stays 0; below 1 becomes what was asked for, maybe negative. */
export function resolveBack(back: number, current: number): number {
  return back === 0 ? 0 : current + 1 - back;
}

export function resolveTxn(req: TxnRequest, current: number): TxnRequest {
  const ops = (list: RequestOp[]): RequestOp[] =>
    list.map((op) => {
      if (op.kind === OpKind.RANGE) {
        return makeRequestOp(op.kind, { ...op.request, revision: resolveBack(op.request.revision, current) });
      }
      return op.kind === OpKind.TXN ? makeRequestOp(op.kind, resolveTxn(op.request, current)) : op;
    });
  return { compare: req.compare, success: ops(req.success), failure: ops(req.failure) };
}

function rarely(): fc.Arbitrary<boolean> {
  return fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, fc.boolean());
}
