import fc from 'fast-check';
import type { InnerOp, LogRevision, Op, OpRecord, SimpleOp } from '../../../src/sim/checkers/index.js';
import { advance, emptyModel, evaluate } from '../../../src/sim/checkers/index.js';

export interface History {
  records: OpRecord[];
  log: LogRevision[];
}

const KEYS = ['a', 'b', 'c'];

const key = fc.constantFrom(...KEYS);
const range = fc.oneof(
  key.map((k) => ({ key: k, rangeEnd: '' })),
  fc.constant({ key: 'a', rangeEnd: 'c' }),
  fc.constant({ key: '\0', rangeEnd: '\0' }),
);

/** Values are filled in later, each one only once. */
const simpleOp: fc.Arbitrary<SimpleOp> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key,
      value: fc.constant(''),
      lease: lease(),
      prev: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: range.map((r) => ({ kind: 'range' as const, ...r, revision: 0, serializable: false })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(range, fc.boolean()).map(([r, prev]) => ({ kind: 'delete' as const, ...r, prev })),
  },
);

function lease(): fc.Arbitrary<string> {
  return fc.constantFrom('0', '0', '0', '7');
}

const compare = fc.oneof(
  fc.record({
    key,
    target: fc.constantFrom('version' as const, 'mod' as const, 'create' as const),
    result: fc.constantFrom('=' as const, '!=' as const, '<' as const, '>' as const),
    operand: fc.nat(8),
  }),
  fc.record({
    key,
    target: fc.constant('value' as const),
    result: fc.constantFrom('=' as const, '!=' as const),
    operand: fc.nat(12).map((n) => `v${n}`),
  }),
);

/** A valid transaction puts a key at most once and not into a range that it deletes. */
function valid(ops: SimpleOp[]): SimpleOp[] {
  const puts = new Set<string>();
  const kept: SimpleOp[] = [];
  let deletes = false;
  for (const op of ops) {
    if (op.kind === 'put' && (deletes || puts.has(op.key))) continue;
    if (op.kind === 'delete' && puts.size > 0) continue;
    if (op.kind === 'put') puts.add(op.key);
    if (op.kind === 'delete') deletes = true;
    kept.push(op);
  }
  return kept;
}

/** In a fifth of the cases the last operations stand in a transaction in between, with comparisons of its own. */
const branch: fc.Arbitrary<InnerOp[]> = fc
  .tuple(fc.array(simpleOp, { maxLength: 3 }).map(valid), fc.nat(4), fc.nat(2), fc.array(compare, { maxLength: 1 }))
  .map(([ops, nested, at, compares]) =>
    nested > 0 || at >= ops.length
      ? ops
      : [
          ...ops.slice(0, at),
          { kind: 'txn', compare: compares, success: ops.slice(at), failure: ops.slice(at).reverse() },
        ],
  );

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: simpleOp },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('txn' as const),
      compare: fc.array(compare, { maxLength: 2 }),
      success: branch,
      failure: branch,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'revoke' as const, lease: '7' }) },
  {
    weight: 1,
    arbitrary: range.map((r) => ({ kind: 'range' as const, ...r, revision: 0, serializable: true })),
  },
);

/** One operation of one client: how long before and after its instant it hangs about, and what becomes of it. */
const step = fc.record({
  client: fc.nat(3),
  op,
  before: fc.nat(25),
  after: fc.nat(25),
  fate: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'ok', 'lost before', 'lost after', 'fail'),
  /** How far a serializable read lags. */
  lag: fc.nat(3),
});

/**
 * Histories as a correct store would give them: each operation takes effect at one instant, its step in the list,
 * ten time units apart, within an interval that overlaps its neighbours'.
 */
export const histories: fc.Arbitrary<History> = fc.array(step, { minLength: 1, maxLength: 14 }).map((steps) => {
  const records: OpRecord[] = [];
  const log: LogRevision[] = [];
  const states = [emptyModel()];
  const busyUntil = new Map<number, number>();
  for (const [i, { client, op, before, after, fate, lag }] of steps.entries()) {
    const instant = 10 * (i + 1);
    const invoke = Math.max(instant - before, (busyUntil.get(client) ?? 0) + 1);
    if (invoke > instant) continue; // the client is still busy
    // A lease is revoked once: whoever comes second is refused.
    if (op.kind === 'revoke' && records.some((record) => record.op.kind === 'revoke')) continue;
    const end = fate === 'ok' ? instant + after : instant;
    busyUntil.set(client, end);
    const unique = withValues(op, i);
    const lagging = unique.kind === 'range' && unique.serializable ? Math.min(lag, states.length - 1) : 0;
    const state = states.at(-1 - lagging)!;
    const { response, events } = evaluate(state, unique);
    const happens = fate === 'ok' || fate === 'lost after';
    if (happens && events.length > 0) {
      const next = advance(state, events);
      states.push(next);
      log.push({ revision: next.revision, events });
    }
    const outcome = fate === 'ok' ? 'ok' : fate === 'fail' ? 'fail' : 'unknown';
    records.push({
      id: i + 1,
      client,
      member: 'm1',
      op: unique,
      invoke,
      return: outcome === 'unknown' ? Number.POSITIVE_INFINITY : end,
      outcome,
      response: outcome === 'ok' ? response : null,
    });
  }
  return { records, log };
});

function withValues(op: Op, i: number): Op {
  let written = 0;
  const fill = <T extends Op>(inner: T): T => {
    if (inner.kind === 'put') return { ...inner, value: `v${i}${'x'.repeat(written++)}` };
    if (inner.kind !== 'txn') return inner;
    return { ...inner, success: inner.success.map(fill), failure: inner.failure.map(fill) };
  };
  return fill(op);
}
