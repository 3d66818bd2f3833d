import type { KvEvent, LogRevision, OpRecord } from './history.js';
import type { ModelState } from './model.js';
import { advance, emptyModel, evaluate, sameResponse } from './model.js';
import type { Call, SequentialModel } from './wgl.js';

/** The whole store for the search checker: the state, and the log that led to it. */
export interface StoreState {
  model: ModelState;
  log: readonly LogRevision[];
  /** The log as text: it determines the state. */
  key: string;
}

/** Every key at once, answers compared in full, header revision included. For short histories. */
export const storeModel: SequentialModel<StoreState, OpRecord> = {
  init: { model: emptyModel(), log: [], key: '' },
  step(state, record) {
    const { op, outcome, response } = record;
    if (op.kind === 'log') {
      const seen = { kind: 'log' as const, revision: state.model.revision, log: [...state.log] };
      return response && sameResponse(seen, response) ? state : null;
    }
    const expected = evaluate(state.model, op);
    if (outcome === 'ok' && !sameResponse(expected.response, response!)) return null;
    return expected.events.length === 0 ? state : append(state, expected.events);
  },
  key: (state) => state.key,
};

function append(state: StoreState, events: KvEvent[]): StoreState {
  const model = advance(state.model, events);
  const entry = { revision: model.revision, events };
  return { model, log: [...state.log, entry], key: `${state.key}\n${JSON.stringify(events)}` };
}

/** A history as calls: failed operations never happened, serializable reads have no place in real time. */
export function storeCalls(
  records: readonly OpRecord[],
  linearizable: (record: OpRecord) => boolean,
): Call<OpRecord>[] {
  return records
    .filter((record) => record.outcome !== 'fail' && linearizable(record))
    .map((record) => ({
      value: record,
      invoke: record.invoke,
      return: record.outcome === 'ok' ? record.return : Number.POSITIVE_INFINITY,
    }));
}
