import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InnerResponse, LogRevision, OpRecord, TxnOp, WatchRecord } from '../../../src/sim/checkers/index.js';
import {
  checkDurable,
  checkHistory,
  checkMonotonic,
  checkSameLogs,
  checkWatch,
  keyCalls,
  keyModel,
  searchLinearization,
  sweep,
  withExpiries,
} from '../../../src/sim/checkers/index.js';
import { check } from '../../support/fc.js';
import type { History } from './history-generator.js';
import { histories } from './history-generator.js';

const kv = (key: string, value: string, mod: number, version = 1, create = mod, lease = '0') => ({
  key,
  value,
  create,
  mod,
  version,
  lease,
});

let nextId = 1;
function record(fields: Partial<OpRecord> & Pick<OpRecord, 'op'>): OpRecord {
  return { id: nextId++, client: 1, member: 'm1', invoke: 0, return: 0, outcome: 'ok', response: null, ...fields };
}

const put = (key: string, value: string, revision: number, invoke: number, fields: Partial<OpRecord> = {}) =>
  record({
    op: { kind: 'put', key, value, lease: '0', prev: false },
    invoke,
    return: invoke + 5,
    response: { kind: 'put', revision, prev: null },
    ...fields,
  });

describe('a transaction in a transaction', () => {
  const create = { key: 'a', target: 'version', result: '=', operand: 0 } as const;
  const inner = {
    kind: 'txn',
    compare: [create],
    success: [{ kind: 'put', key: 'b', value: 'new', lease: '0', prev: false }],
    failure: [{ kind: 'range', key: 'b', rangeEnd: '', revision: 0, serializable: false }],
  } as const;
  const outer = {
    kind: 'txn',
    compare: [],
    success: [{ kind: 'put', key: 'a', value: '1', lease: '0', prev: false }, inner],
    failure: [],
  } as unknown as TxnOp;
  const first = { kind: 'put', revision: 2, prev: null } as const;
  const events: LogRevision['events'] = [{ type: 'put', kv: kv('a', '1', 2) }];
  const answered = (responses: InnerResponse[]) =>
    record({ op: outer, return: 5, response: { kind: 'txn', revision: 2, succeeded: true, responses } });

  it('compares what was there before all of it', () => {
    const written = { kind: 'put', revision: 2, prev: null } as const;
    const right = answered([first, { kind: 'txn', revision: 0, succeeded: true, responses: [written] }]);
    const log = [{ revision: 2, events: [...events, { type: 'put' as const, kv: kv('b', 'new', 2) }] }];
    expect(checkHistory({ records: [right], log }).violations).toEqual([]);
  });

  it('that compares what was written before it is found', () => {
    const seen = { kind: 'range', revision: 2, kvs: [] } as const;
    const wrong = answered([first, { kind: 'txn', revision: 0, succeeded: false, responses: [{ ...seen, kvs: [] }] }]);
    const log = [{ revision: 2, events }];
    expect(sweep({ records: [wrong], log }).violations.map((v) => v.rule)).toEqual(['acknowledged write']);
    const calls = keyCalls([wrong], 'a', log, new Map());
    expect(searchLinearization(calls, keyModel).outcome).not.toBe('linearizable');
  });
});

describe('everything at once', () => {
  it('accepts what a correct store gives', () => {
    check(
      fc.property(histories, ({ records, log }) => {
        const report = checkHistory({ records, log });
        // Serializable reads of the generator may lag, on one member too.
        expect(report.violations.filter((v) => v.rule !== 'revision of a member')).toEqual([]);
        expect(report.undecided).toEqual([]);
      }),
      { runs: 300 },
    );
  });

  it('the search on keys finds stale reads without looking at revisions', () => {
    let tried = 0;
    check(
      fc.property(histories, fc.nat(1000), (history, at) => {
        const read = staleRead(structuredClone(history), at);
        if (!read) return;
        tried++;
        const { records, log, key } = read;
        const { resolved } = sweep(history);
        expect(searchLinearization(keyCalls(records, key, log, resolved), keyModel).outcome).toBe('violation');
      }),
      { runs: 600 },
    );
    if (!process.env.KEEL_FC_PATH) expect(tried).toBeGreaterThan(3);
  });
});

/** Adds a read of a key after everything, which gives a value that had been overwritten, at the last revision. */
function staleRead({ records, log }: History, at: number): (History & { key: string }) | undefined {
  const old = log.flatMap((e) => e.events).filter((e) => e.type === 'put');
  const event = old[at % Math.max(1, old.length)];
  if (!event) return undefined;
  const { key } = event.kv;
  const current = log.flatMap((e) => e.events).findLast((e) => e.kv.key === key)!;
  const putAt = (revision: number) =>
    records.find((r) => r.response?.kind === 'put' && r.response.revision === revision);
  const [writer, overwriter] = [putAt(event.kv.mod), putAt(current.kv.mod)];
  // That the one came after the other must be known without a look at revisions.
  if (!writer || !overwriter || writer.return >= overwriter.invoke) return undefined;
  const end = Math.max(...records.map((r) => (r.outcome === 'ok' ? r.return : r.invoke)));
  const read = record({
    id: 10_000,
    op: { kind: 'range', key, rangeEnd: '', revision: 0, serializable: false },
    invoke: end + 1,
    return: end + 2,
    response: { kind: 'range', revision: log.length + 1, kvs: [event.kv] },
  });
  return { records: [...records, read], log, key };
}

describe('durability', () => {
  const log: LogRevision[] = [{ revision: 2, events: [{ type: 'put', kv: kv('a', '1', 2) }] }];

  it('misses an acknowledged write that is not in the log', () => {
    expect(checkDurable([put('a', '1', 2, 0)], log)).toEqual([]);
    expect(checkDurable([put('a', '1', 2, 0), put('b', '2', 3, 10)], log)).toHaveLength(1);
    expect(checkDurable([put('a', 'other', 2, 0)], log)).toHaveLength(1);
  });

  it('does not miss one whose outcome is unknown', () => {
    expect(checkDurable([put('b', '2', 3, 10, { outcome: 'unknown', response: null })], log)).toEqual([]);
  });

  it('compares the logs of members', () => {
    const other: LogRevision[] = [{ revision: 2, events: [{ type: 'put', kv: kv('a', '2', 2) }] }];
    expect(
      checkSameLogs(
        new Map([
          ['m1', log],
          ['m2', log],
          ['m3', structuredClone(log)],
        ]),
      ),
    ).toEqual([]);
    expect(
      checkSameLogs(
        new Map([
          ['m1', log],
          ['m2', other],
        ]),
      ),
    ).toHaveLength(1);
    expect(
      checkSameLogs(
        new Map([
          ['m1', log],
          ['m2', []],
        ]),
      ),
    ).toHaveLength(1);
  });
});

describe('monotony', () => {
  const read = (revision: number, invoke: number, serializable: boolean, member = 'm1') =>
    record({
      op: { kind: 'range', key: 'a', rangeEnd: '', revision: 0, serializable },
      member,
      invoke,
      return: invoke + 1,
      response: { kind: 'range', revision, kvs: [] },
    });

  it('a client never sees a linearizable revision fall, whoever answers', () => {
    expect(checkMonotonic([read(5, 0, false), read(5, 10, false, 'm2'), read(6, 20, false)])).toEqual([]);
    expect(checkMonotonic([read(5, 0, false), read(4, 10, false, 'm2')])).toHaveLength(1);
  });

  it('a serializable revision may fall on another member only, or after a restart', () => {
    expect(checkMonotonic([read(5, 0, true), read(4, 10, true, 'm2')])).toEqual([]);
    expect(checkMonotonic([read(5, 0, true), read(4, 10, true)])).toHaveLength(1);
    expect(checkMonotonic([read(5, 0, true), read(4, 10, true)], new Map([['m1', [5]]]))).toEqual([]);
  });
});

describe('leases', () => {
  const grant = record({
    op: { kind: 'grant', lease: '7', ttl: 100 },
    invoke: 0,
    return: 1,
    response: { kind: 'lease', revision: 1, ttl: 100 },
  });
  const leased = record({
    op: { kind: 'put', key: 'a', value: '1', lease: '7', prev: false },
    invoke: 2,
    return: 3,
    response: { kind: 'put', revision: 2, prev: null },
  });
  const log: LogRevision[] = [
    { revision: 2, events: [{ type: 'put', kv: kv('a', '1', 2, 1, 2, '7') }] },
    { revision: 3, events: [{ type: 'delete', kv: kv('a', '', 3, 0, 0) }] },
  ];
  const gone = (invoke: number) =>
    record({
      op: { kind: 'range', key: 'a', rangeEnd: '', revision: 0, serializable: false },
      invoke,
      return: invoke + 1,
      response: { kind: 'range', revision: 3, kvs: [] },
    });
  const verdict = (records: OpRecord[]) => sweep({ records: withExpiries(records), log }).violations.map((v) => v.rule);

  it('expire after their TTL', () => {
    expect(verdict([grant, leased, gone(150)])).toEqual([]);
  });

  it('not before', () => {
    expect(verdict([grant, leased, gone(50), gone(150)])).toEqual(['unclaimed revision']);
  });

  it('not before the TTL of the last renewal', () => {
    const renewal = record({
      op: { kind: 'keepalive', lease: '7' },
      invoke: 80,
      return: 81,
      response: { kind: 'lease', revision: 2, ttl: 100 },
    });
    expect(verdict([grant, leased, renewal, gone(150)])).toEqual(['unclaimed revision']);
    expect(verdict([grant, leased, renewal, gone(190)])).toEqual([]);
  });

  it('keys without a lease do not vanish', () => {
    const plain: LogRevision[] = [{ revision: 2, events: [{ type: 'put', kv: kv('a', '1', 2) }] }, log[1]!];
    const { violations } = sweep({ records: withExpiries([grant, put('a', '1', 2, 2), gone(150)]), log: plain });
    expect(violations.map((v) => v.rule)).toEqual(['unclaimed revision']);
  });
});

describe('watch rules', () => {
  const log: LogRevision[] = [
    { revision: 2, events: [{ type: 'put', kv: kv('a', '1', 2) }] },
    {
      revision: 3,
      events: [
        { type: 'put', kv: kv('a', '2', 3, 2, 2) },
        { type: 'put', kv: kv('b', '1', 3) },
      ],
    },
    { revision: 4, events: [{ type: 'put', kv: kv('z', '1', 4) }] },
    { revision: 5, events: [{ type: 'delete', kv: kv('a', '', 5, 0, 0) }] },
  ];
  const event = (revision: number, i = 0, prev: WatchRecord['batches'][number]['events'][number]['prev'] = null) => ({
    ...log[revision - 2]!.events[i]!,
    prev,
  });
  const watch = (batches: WatchRecord['batches'], fields: Partial<WatchRecord> = {}): WatchRecord => ({
    name: 'w',
    key: 'a',
    rangeEnd: 'c',
    start: 2,
    prev: false,
    noPut: false,
    noDelete: false,
    batches,
    complete: 0,
    ...fields,
  });
  const batch = (revision: number, events: WatchRecord['batches'][number]['events'], fragment = false) => ({
    revision,
    events,
    fragment,
  });
  const rules = (record: WatchRecord) => checkWatch(record, log).map((v) => v.rule);
  const whole = [batch(2, [event(2)]), batch(3, [event(3), event(3, 1)]), batch(5, [event(5)])];

  it('accepts a whole watch, its beginning, and its resumption', () => {
    expect(rules(watch(whole, { complete: 5 }))).toEqual([]);
    expect(rules(watch(whole.slice(0, 2)))).toEqual([]);
    expect(rules(watch(whole.slice(1), { start: 3, complete: 5 }))).toEqual([]);
    expect(rules(watch([batch(5, [event(2), event(3), event(3, 1), event(5)])]))).toEqual([]);
    expect(rules(watch([...whole, batch(5, [])], { complete: 5 }))).toEqual([]);
  });

  it('W1 ordered', () => expect(rules(watch([whole[1]!, whole[0]!]))).toContain('W1 ordered'));
  it('W2 unique', () => expect(rules(watch([whole[0]!, whole[0]!]))).toContain('W2 unique'));
  it('W3 atomic', () => {
    const cut = [whole[0]!, batch(3, [event(3)]), batch(3, [event(3, 1)])];
    expect(rules(watch(cut))).toEqual(['W3 atomic']);
    expect(rules(watch([whole[0]!, batch(3, [event(3)], true), batch(3, [event(3, 1)])]))).toEqual([]);
  });
  it('W4 complete', () => {
    expect(rules(watch([whole[0]!, whole[2]!]))).toEqual(['W4 complete']);
    expect(rules(watch(whole.slice(0, 2), { complete: 5 }))).toEqual(['W4 complete']);
  });
  it('W5 start', () => expect(rules(watch(whole, { start: 3 }))).toContain('W5 start'));
  it('W6 progress', () => expect(rules(watch([whole[0]!, batch(3, []), ...whole.slice(1)]))).toEqual(['W6 progress']));
  it('W7 content', () => {
    expect(rules(watch([batch(2, [{ type: 'put', kv: kv('a', 'x', 2), prev: null }])]))).toContain('W7 content');
    expect(rules(watch([...whole.slice(0, 2), batch(4, [event(4)])]))).toEqual(['W7 content']); // not in its range
  });
  it('W8 previous', () => {
    const with2 = batch(3, [event(3, 0, kv('a', '1', 2)), event(3, 1)]);
    expect(rules(watch([whole[0]!, with2], { prev: true }))).toEqual([]);
    expect(rules(watch(whole.slice(0, 2), { prev: true }))).toEqual(['W8 previous']);
  });
  it('W9 header', () => {
    expect(rules(watch([whole[0]!, batch(2, [event(3), event(3, 1)])]))).toContain('W9 header');
    expect(rules(watch([batch(3, [event(2)]), batch(2, [])]))).toContain('W9 header');
  });
  it('filters', () => {
    expect(rules(watch([whole[2]!], { noPut: true, complete: 5 }))).toEqual([]);
    expect(rules(watch(whole.slice(0, 2), { noDelete: true, complete: 5 }))).toEqual([]);
  });
});
