import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRevision, OpRecord, Response } from '../../../src/sim/checkers/index.js';
import { isLinearizable, searchLinearization, storeCalls, storeModel, sweep } from '../../../src/sim/checkers/index.js';
import { check } from '../../support/fc.js';
import type { History } from './history-generator.js';
import { histories } from './history-generator.js';

/** The search, with the log pinned by a read of it after everything else. */
function searchAccepts({ records, log }: History): boolean {
  const last = Math.max(0, ...records.map((r) => (r.return === Number.POSITIVE_INFINITY ? r.invoke : r.return)));
  const reader: OpRecord = {
    id: 1_000_000,
    client: -2,
    member: 'm1',
    op: { kind: 'log' },
    invoke: last + 1,
    return: last + 2,
    outcome: 'ok',
    response: { kind: 'log', revision: log.length + 1, log },
  };
  const calls = storeCalls([...records, reader], (record) => isLinearizable(record.op));
  const result = searchLinearization(calls, storeModel, 500_000);
  expect(result.outcome).not.toBe('undecided');
  return result.outcome === 'linearizable';
}

function sweepAccepts({ records, log }: History): boolean {
  return sweep({ records, log }).violations.length === 0;
}

/** Serializable reads are the sweep's alone. */
function onlyLinearizable({ records, log }: History): History {
  return { records: records.filter((record) => isLinearizable(record.op)), log };
}

function clone(history: History): History {
  return structuredClone(history);
}

type Corruption = (history: History, pick: (n: number) => number) => History | undefined;

const written = (record: OpRecord) => record.outcome === 'ok' && record.response?.kind === 'put';

function answered(history: History, test: (record: OpRecord) => boolean): OpRecord[] {
  return history.records.filter((record) => record.outcome === 'ok' && test(record));
}

const CORRUPTIONS: Record<string, Corruption> = {
  /** A linearizable read answers from before a write that had been acknowledged when it was asked. */
  'stale read'(history, pick) {
    const reads = answered(history, (r) => r.op.kind === 'range' && !r.op.serializable);
    const stale = reads.filter((read) => answered(history, (w) => written(w) && w.return < read.invoke).length > 0);
    const read = stale[pick(stale.length)];
    if (!read) return undefined;
    read.response = { kind: 'range', revision: 1, kvs: [] };
    return history;
  },
  /** An acknowledged write is gone, and what came later moved up. */
  'lost write'(history, pick) {
    const writes = answered(history, written);
    const lost = writes[pick(writes.length)];
    if (!lost) return undefined;
    history.log = history.log.filter((entry) => entry.revision !== lost.response!.revision);
    for (const [i, entry] of history.log.entries()) entry.revision = i + 2;
    return history;
  },
  /** An acknowledged write is gone from the end of the log, which is otherwise as it was. */
  'lost last write'(history) {
    const last = history.log.at(-1);
    if (!last || answered(history, (r) => written(r) && r.response!.revision === last.revision).length === 0)
      return undefined;
    history.log.pop();
    return history;
  },
  'swapped revisions'(history, pick) {
    const writes = answered(history, written);
    const at = pick(writes.length - 1);
    const [a, b] = [writes[at], writes[at + 1]];
    if (!a || !b) return undefined;
    [a.response!.revision, b.response!.revision] = [b.response!.revision, a.response!.revision];
    return history;
  },
  /** A write takes place a second time at the end of the log. */
  'doubled apply'(history, pick) {
    const writes = answered(history, (r) => written(r) && history.log.length > 0);
    const twice = writes[pick(writes.length)];
    if (twice?.op.kind !== 'put') return undefined;
    const { key, value, lease } = twice.op;
    const revision = history.log.length + 2;
    let version = 0;
    let create = revision;
    for (const { events } of history.log) {
      for (const { type, kv } of events) {
        if (kv.key !== key) continue;
        version = type === 'put' ? kv.version : 0;
        create = type === 'put' ? kv.create : revision;
      }
    }
    const kv = { key, value, lease, create, mod: revision, version: version + 1 };
    history.log.push({ revision, events: [{ type: 'put', kv }] });
    return history;
  },
  /** A write is moved in time to before one that it follows in the log, so that it was over when that one began. */
  'real-time violation'(history, pick) {
    const writes = answered(history, written);
    const at = pick(writes.length - 1);
    const [early, late] = [writes[at], writes[at + 1]];
    if (!early || !late) return undefined;
    const before = Math.min(...history.records.map((r) => r.invoke)) - 10;
    late.invoke = before;
    late.return = before + 1;
    return history;
  },
  /** A write that was refused is in the log all the same. */
  'refused but done'(history, pick) {
    const writes = answered(history, written);
    const refused = writes[pick(writes.length)];
    if (!refused) return undefined;
    refused.outcome = 'fail';
    refused.response = null;
    return history;
  },
  /** A write was made before anyone asked for it: its operation only begins after its value was read. */
  'write before its time'(history, pick) {
    const lost = history.records.filter((r) => r.outcome === 'unknown' && r.op.kind === 'put');
    const ghost = lost[pick(lost.length)];
    if (ghost?.op.kind !== 'put') return undefined;
    const { value } = ghost.op;
    const sighted = answered(history, (r) => isLinearizable(r.op)).filter((r) =>
      JSON.stringify(r.response).includes(`"${value}"`),
    );
    if (sighted.length === 0) return undefined;
    ghost.invoke = Math.max(...history.records.map((r) => (r.outcome === 'unknown' ? r.invoke : r.return))) + 5;
    return history;
  },
};

describe('sweep and search', () => {
  it('accept what a correct store gives', () => {
    check(
      fc.property(histories, (history) => {
        expect(sweep(history).violations).toEqual([]);
        expect(searchAccepts(history)).toBe(true);
      }),
      { runs: 400 },
    );
  });

  for (const [name, corrupt] of Object.entries(CORRUPTIONS)) {
    it(`both find: ${name}`, () => {
      let tried = 0;
      check(
        fc.property(histories, fc.nat(1000), (history, seed) => {
          const corrupted = corrupt(clone(history), (n) => (n > 0 ? seed % n : 0));
          if (!corrupted) return;
          tried++;
          expect({ sweep: sweepAccepts(corrupted), search: searchAccepts(corrupted) }).toEqual({
            sweep: false,
            search: false,
          });
        }),
        { runs: 400 },
      );
      if (!process.env.KEEL_FC_PATH) expect(tried).toBeGreaterThan(5);
    });
  }

  it('agree on histories damaged at random, right or wrong', () => {
    const verdicts = { accepted: 0, rejected: 0 };
    const damage = fc.record({ at: fc.nat(1000), how: fc.nat(6), by: fc.integer({ min: -25, max: 25 }) });
    check(
      fc.property(histories, fc.array(damage, { minLength: 1, maxLength: 3 }), (history, damages) => {
        const damaged = onlyLinearizable(clone(history));
        for (const { at, how, by } of damages) spoil(damaged, at, how, by);
        const verdict = sweepAccepts(damaged);
        verdicts[verdict ? 'accepted' : 'rejected']++;
        expect(searchAccepts(damaged)).toBe(verdict);
      }),
      { runs: 1500 },
    );
    if (process.env.KEEL_FC_PATH) return;
    expect(verdicts.accepted).toBeGreaterThan(50);
    expect(verdicts.rejected).toBeGreaterThan(50);
  });
});

/** Small damage that may or may not break the history. */
function spoil(
  { records, log }: { records: OpRecord[]; log: LogRevision[] },
  at: number,
  how: number,
  by: number,
): void {
  const record = records[at % Math.max(1, records.length)];
  if (!record) return;
  const response: Response | null = record.response;
  switch (how) {
    case 0: // moved in time
      record.invoke += by;
      record.return = Math.max(record.return + by, record.invoke);
      break;
    case 1: // took longer
      record.return += Math.abs(by);
      break;
    case 2: // the answer got lost
      record.outcome = 'unknown';
      record.return = Number.POSITIVE_INFINITY;
      record.response = null;
      break;
    case 3: // another revision in the header
      if (response) response.revision = Math.max(1, response.revision + Math.sign(by));
      break;
    case 4: // the last revision is gone
      log.pop();
      break;
    case 5: // two revisions change places
      if (log.length >= 2) {
        const [a, b] = [log[at % (log.length - 1)]!, log[(at % (log.length - 1)) + 1]!];
        [a.events, b.events] = [b.events, a.events];
        for (const entry of [a, b]) for (const event of entry.events) event.kv.mod = entry.revision;
      }
      break;
    case 6: // a read that saw less
      if (response?.kind === 'range') response.kvs.pop();
      break;
  }
}
