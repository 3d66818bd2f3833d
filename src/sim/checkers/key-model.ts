import type {
  CompareOp,
  InnerResponse,
  Kv,
  LogRevision,
  OpRecord,
  SimpleOp,
  SimpleResponse,
  TxnOp,
  TxnResponse,
} from './history.js';
import { inRange, isLinearizable } from './history.js';
import { holds } from './model.js';
import type { Call, SequentialModel } from './wgl.js';

/**
 * One key as a register with a version, for the search checker on samples of a long history. What is linearizable
 * as a whole is so for each key, so any operation is reduced to what it did to this key and saw of it.
 *
 * Revisions do not guide the search: `mod` is there for transactions that compare it.
 */
export interface KeyState {
  value: string;
  /** 0: the key is not there. */
  version: number;
  create: number;
  mod: number;
}

/** What one operation did to the key, at one instant. */
export interface KeyCall {
  record: OpRecord;
  steps: KeyStep[];
}

export type KeyStep =
  | { do: 'put'; value: string; mod: number }
  /** `existed` is null where the answer does not tell. */
  | { do: 'delete'; existed: boolean | null }
  | { do: 'see'; kv: Kv | null }
  /** A comparison that came out so. */
  | { do: 'compare'; compare: CompareOp; holds: boolean };

const ABSENT: KeyState = { value: '', version: 0, create: 0, mod: 0 };

export const keyModel: SequentialModel<KeyState, KeyCall> = {
  init: ABSENT,
  step(state, { steps }) {
    let now = state;
    for (const step of steps) {
      const next = stepOne(now, step);
      if (next === null) return null;
      now = next;
    }
    return now;
  },
  key: ({ value, version, create, mod }) => `${version} ${create} ${mod} ${value}`,
};

/** The same from a state in which the key has a value already. */
export function keyModelFrom(kv: Kv | undefined): SequentialModel<KeyState, KeyCall> {
  if (kv === undefined) return keyModel;
  const { value, version, create, mod } = kv;
  return { ...keyModel, init: { value, version, create, mod } };
}

function stepOne(state: KeyState, step: KeyStep): KeyState | null {
  const exists = state.version > 0;
  switch (step.do) {
    case 'put': {
      const { value, mod } = step;
      return { value, version: state.version + 1, create: exists ? state.create : mod, mod };
    }
    case 'delete':
      return step.existed === null || step.existed === exists ? ABSENT : null;
    case 'see': {
      if (step.kv === null) return exists ? null : state;
      return exists && step.kv.value === state.value && step.kv.version === state.version ? state : null;
    }
    case 'compare': {
      const kv: Kv = { ...state, key: step.compare.key, lease: '0' };
      const kvs = new Map(exists ? [[kv.key, kv]] : []);
      return holds({ revision: 0, kvs }, step.compare) === step.holds ? state : null;
    }
  }
}

/**
 * Reduces a history to one key.
 * @param resolved revision of each unknown operation that took place, as the sweep found it; the others did nothing
 * @param log from the revision after `base` on
 */
export function keyCalls(
  records: readonly OpRecord[],
  key: string,
  log: readonly LogRevision[],
  resolved: ReadonlyMap<number, number>,
  base = 1,
): Call<KeyCall>[] {
  const calls: Call<KeyCall>[] = [];
  const shown = firstShown(records);
  const eventsAt = (revision: number): KeyStep[] =>
    (log[revision - base - 1]?.events ?? [])
      .filter((event) => event.kv.key === key)
      .map((event) =>
        event.type === 'put'
          ? { do: 'put', value: event.kv.value, mod: revision }
          : { do: 'delete', existed: true as boolean | null },
      );
  for (const record of records) {
    if (!isLinearizable(record.op)) continue;
    const done = resolved.get(record.id);
    if (record.outcome === 'ok') {
      const steps = record.op.kind === 'revoke' ? eventsAt(done ?? 0) : stepsOf(record, key);
      if (steps.length > 0) calls.push({ value: { record, steps }, invoke: record.invoke, return: record.return });
      continue;
    }
    const steps = eventsAt(done ?? 0);
    // It was over when anyone had been answered with its revision or a later one.
    if (steps.length > 0) calls.push({ value: { record, steps }, invoke: record.invoke, return: shown(done!) });
  }
  return calls;
}

function stepsOf(record: OpRecord, key: string): KeyStep[] {
  const { op, response } = record;
  if (!response) return [];
  if (op.kind === 'txn' && response.kind === 'txn') {
    return [...comparisons(op, response, key), ...txnSteps(op, response, key, response.revision)];
  }
  if (op.kind === 'put' || op.kind === 'range' || op.kind === 'delete') {
    return simpleSteps(op, response as SimpleResponse, key, response.revision);
  }
  return [];
}

/** What is known of the comparisons: those of inner transactions too are made before anything is done. */
function comparisons(op: TxnOp, { succeeded, responses }: TxnResponse, key: string): KeyStep[] {
  const steps: KeyStep[] = [];
  const only = op.compare.length === 1 ? op.compare[0]! : undefined;
  if (succeeded) {
    for (const compare of op.compare) if (compare.key === key) steps.push({ do: 'compare', compare, holds: true });
  } else if (only?.key === key) {
    steps.push({ do: 'compare', compare: only, holds: false });
  }
  for (const [i, inner] of (succeeded ? op.success : op.failure).entries()) {
    const response = responses[i];
    if (inner.kind === 'txn' && response?.kind === 'txn') steps.push(...comparisons(inner, response, key));
  }
  return steps;
}

function txnSteps(op: TxnOp, { succeeded, responses }: TxnResponse, key: string, revision: number): KeyStep[] {
  return (succeeded ? op.success : op.failure).flatMap((inner, i) => {
    const response = responses[i];
    if (inner.kind !== 'txn') return simpleSteps(inner, response, key, revision);
    return response?.kind === 'txn' ? txnSteps(inner, response, key, revision) : [];
  });
}

function simpleSteps(op: SimpleOp, response: InnerResponse | undefined, key: string, revision: number): KeyStep[] {
  if (op.kind === 'put' && response?.kind === 'put' && op.key === key) {
    const put: KeyStep = { do: 'put', value: op.value, mod: revision };
    return op.prev ? [{ do: 'see', kv: response.prev }, put] : [put];
  }
  if (op.kind === 'delete' && response?.kind === 'delete' && inRange(key, op.key, op.rangeEnd)) {
    const single = op.rangeEnd === '';
    const existed = op.prev ? response.prevs.some((kv) => kv.key === key) : single ? response.deleted > 0 : null;
    const seen = response.prevs.find((kv) => kv.key === key);
    return [...(seen ? [{ do: 'see' as const, kv: seen }] : []), { do: 'delete', existed }];
  }
  if (op.kind === 'range' && response?.kind === 'range' && op.revision === 0 && inRange(key, op.key, op.rangeEnd)) {
    return [{ do: 'see', kv: response.kvs.find((kv) => kv.key === key) ?? null }];
  }
  return [];
}

/** @returns for a revision: the earliest return of an answer that shows it or a later one */
function firstShown(records: readonly OpRecord[]): (revision: number) => number {
  const answers = records
    .filter((r) => r.outcome === 'ok' && r.response)
    .map((r) => ({ revision: r.response!.revision, at: r.return }))
    .sort((a, b) => b.revision - a.revision);
  const earliest: number[] = [];
  for (const { at } of answers) earliest.push(Math.min(at, earliest.at(-1) ?? Number.POSITIVE_INFINITY));
  return (revision) => {
    let low = 0;
    let high = answers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (answers[middle]!.revision >= revision) low = middle + 1;
      else high = middle;
    }
    return low > 0 ? earliest[low - 1]! : Number.POSITIVE_INFINITY;
  };
}
