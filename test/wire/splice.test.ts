import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as wire from '../../src/wire/index.js';
import { check } from '../support/fc.js';
import { arbitraryMessage } from './arbitraries.js';

// The encoders that copy marshalled rows give what the codecs give for whole messages.

const header = fc.option(arbitraryMessage(wire.ResponseHeader), {
  freq: 5,
}) as fc.Arbitrary<wire.ResponseHeader | null>;
const kv = arbitraryMessage(wire.KeyValue) as fc.Arbitrary<wire.KeyValue>;
const kvs = fc.array(kv, { maxLength: 4 });
const int = fc.integer();

test('RangeResponse', () => {
  check(
    fc.property(header, kvs, fc.boolean(), int, (h, rows, more, count) => {
      expect(wire.encodeRangeResponse(h, rows.map(wire.encodeKeyValue), more, count)).toEqual(
        wire.RangeResponse.encode({ header: h, kvs: rows, more, count }),
      );
    }),
  );
});

test('PutResponse', () => {
  check(
    fc.property(header, fc.option(kv), (h, prev) => {
      expect(wire.encodePutResponse(h, prev && wire.encodeKeyValue(prev))).toEqual(
        wire.PutResponse.encode({ header: h, prevKv: prev }),
      );
    }),
  );
});

test('DeleteRangeResponse', () => {
  check(
    fc.property(header, int, kvs, (h, deleted, prevs) => {
      expect(wire.encodeDeleteRangeResponse(h, deleted, prevs.map(wire.encodeKeyValue))).toEqual(
        wire.DeleteRangeResponse.encode({ header: h, deleted, prevKvs: prevs }),
      );
    }),
  );
});

test('Event, and WatchResponse around Events', () => {
  const event = fc.record({ type: fc.nat(1), kv, prevKv: fc.option(kv) });
  const encode = (e: wire.Event) =>
    wire.encodeEvent(e.type, wire.encodeKeyValue(e.kv as wire.KeyValue), e.prevKv && wire.encodeKeyValue(e.prevKv));
  const state = fc.record({
    created: fc.boolean(),
    canceled: fc.boolean(),
    compactRevision: int,
    cancelReason: fc.string(),
    fragment: fc.boolean(),
  });
  check(
    fc.property(header, int, state, fc.array(event, { maxLength: 4 }), (h, watchId, s, events) => {
      for (const e of events) expect(encode(e)).toEqual(wire.Event.encode(e));
      const bytes = wire.encodeWatchResponse(h, watchId, s, events.map(encode));
      expect(bytes).toEqual(wire.WatchResponse.encode({ header: h, watchId, ...s, events }));
    }),
  );
  expect(wire.encodeWatchResponse(null, 7, wire.WATCH_EVENTS, [])).toEqual(wire.WatchResponse.encode({ watchId: 7 }));
});

describe('TxnResponse', () => {
  type Pair = [wire.ResponsePart, wire.ResponseOp];
  const revision = fc.nat().map((n) => n + 1);
  const h = (r: number) => wire.makeResponseHeader(0n, 0n, r, 0);
  const { op } = fc.letrec<{ op: Pair }>((tie) => ({
    op: fc.oneof(
      { depthSize: 'small' },
      fc.tuple(revision, kvs, fc.boolean(), int).map(([r, rows, more, count]): Pair => {
        const response = { header: h(r), kvs: rows, more, count };
        return [wire.rangePart(r, rows.map(wire.encodeKeyValue), more, count), { kind: wire.OpKind.RANGE, response }];
      }),
      fc.tuple(revision, fc.option(kv)).map(([r, prev]): Pair => {
        const response = { header: h(r), prevKv: prev };
        return [wire.putPart(r, prev && wire.encodeKeyValue(prev)), { kind: wire.OpKind.PUT, response }];
      }),
      fc.tuple(revision, int, kvs).map(([r, deleted, prevKvs]): Pair => {
        const response = { header: h(r), deleted, prevKvs };
        return [
          wire.deleteRangePart(r, deleted, prevKvs.map(wire.encodeKeyValue)),
          { kind: wire.OpKind.DELETE_RANGE, response },
        ];
      }),
      fc.tuple(fc.boolean(), fc.array(tie('op'), { maxLength: 3 })).map(([succeeded, ops]): Pair => {
        const response = { header: h(0), succeeded, responses: ops.map((o) => o[1]) };
        const parts = ops.map((o) => o[0]);
        return [wire.txnPart(succeeded, parts), { kind: wire.OpKind.TXN, response }];
      }),
    ),
  }));

  test('from parts', () => {
    check(
      fc.property(header, fc.boolean(), fc.array(op, { maxLength: 4 }), (head, succeeded, ops) => {
        const parts = ops.map((o) => o[0]);
        const bytes = wire.encodeTxnResponse(head, succeeded, parts);
        const whole = { header: head, succeeded, responses: ops.map((o) => o[1]) };
        expect(bytes).toEqual(wire.TxnResponse.encode(whole));
      }),
    );
  });

  test("is etcd's: the revision alone in an operation's header, nothing in a nested transaction's", () => {
    // The answer of etcd 3.5.30 to: put with prev_kv, a transaction that fails, a range of limit 1, an empty transaction.
    const etcd =
      '0a1908ffabce88b2a28cbe9e0110fba790a6a6a685aa671804200210011a1412120a021804120c0a01611002180220012a01311a2622240a' +
      '001a180a160a021804120c0a01611002180420022a0176180120021a061a040a0218041a180a160a021804120c0a01611002180420022a01' +
      '76180120021a0622040a001001';
    const kv = (modRevision: number, version: number, value: string) =>
      wire.KeyValue.encode({ key: 'a', createRevision: 2, modRevision, version, value: Buffer.from(value) });
    const range = wire.rangePart(4, [kv(4, 2, 'v')], true, 2);
    const bytes = wire.encodeTxnResponse(
      wire.makeResponseHeader(11420056713333806591n, 7445599390133392379n, 4, 2),
      true,
      [
        wire.putPart(4, kv(2, 1, '1')),
        wire.txnPart(false, [range, wire.deleteRangePart(4, 0, [])]),
        range,
        wire.txnPart(true, []),
      ],
    );
    expect(bytes.toString('hex')).toBe(etcd);
  });
});

test('a row without its value is the row encoded without a value', () => {
  check(
    fc.property(kv, (row) => {
      const bytes = wire.encodeKeyValue(row);
      expect(wire.stripValue(bytes)).toEqual(wire.encodeKeyValue({ ...row, value: wire.EMPTY }));
      expect(wire.encodeKeyValueKeyOnly(row.key)).toEqual(wire.KeyValue.encode({ key: row.key }));
      expect(wire.encodeDeletedKeyValue(row.key, row.modRevision)).toEqual(
        wire.KeyValue.encode({ key: row.key, modRevision: row.modRevision }),
      );
    }),
  );
});
