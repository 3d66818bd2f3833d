/** Checkers of recorded histories: pure functions from what clients saw to what is wrong with it. */
import { checkDurable } from './durability.js';
import type { LogRevision, OpRecord, Violation } from './history.js';
import { keyCalls, keyModelFrom } from './key-model.js';
import { withExpiries } from './leases.js';
import type { ModelState } from './model.js';
import { emptyModel } from './model.js';
import { checkMonotonic } from './monotonic.js';
import { sweep } from './sweep.js';
import { searchLinearization } from './wgl.js';

export { checkDurable, checkSameLogs } from './durability.js';
export * from './history.js';
export { type KeyCall, keyCalls, keyModel, keyModelFrom } from './key-model.js';
export { withExpiries } from './leases.js';
export { checkLocks, type Denial, type Holding, type LockAnswers, type SeenLeader } from './locks.js';
export { advance, applyEvents, emptyModel, evaluate, type ModelState, sameResponse } from './model.js';
export { checkMonotonic } from './monotonic.js';
export { storeCalls, storeModel } from './store-model.js';
export { type SweepInput, type SweepResult, sweep } from './sweep.js';
export { checkWatch, checkWatches, type WatchBatch, type WatchRecord } from './watch.js';
export { type Call, type SequentialModel, searchLinearization, type WglResult } from './wgl.js';

export interface CheckInput {
  records: readonly OpRecord[];
  /** Every revision after `initial`. */
  log: readonly LogRevision[];
  /** The state that the history began with. Default: the empty store at revision 1. */
  initial?: ModelState;
  /** When each member was started anew. */
  restarts?: ReadonlyMap<string, readonly number[]>;
  /** Keys to search; default: every key of the log. */
  sampleKeys?: readonly string[];
}

export interface CheckReport {
  violations: Violation[];
  operations: number;
  revisions: number;
  /** Operations of unknown outcome that turned out to have happened. */
  resolved: number;
  /** Keys that the search went through, and those it gave up on. */
  searched: string[];
  undecided: string[];
}

/** Everything at once: durability, monotony, the sweep, and the search on keys. */
export function checkHistory({ records, log, initial = emptyModel(), restarts, sampleKeys }: CheckInput): CheckReport {
  const history = withExpiries(records);
  const swept = sweep({ records: history, log, initial });
  const violations = [...checkDurable(records, log), ...checkMonotonic(records, restarts), ...swept.violations];
  const keys = sampleKeys ?? [...new Set(log.flatMap((entry) => entry.events.map((event) => event.kv.key)))];
  const searched: string[] = [];
  const undecided: string[] = [];
  for (const key of keys) {
    const calls = keyCalls(history, key, log, swept.resolved, initial.revision);
    const result = searchLinearization(calls, keyModelFrom(initial.kvs.get(key)), 300_000);
    if (result.outcome === 'undecided') undecided.push(key);
    else searched.push(key);
    if (result.outcome !== 'violation') continue;
    const stuck = result.stuck.map((call) => `${JSON.stringify(call.steps)} by #${call.record.id}`).join('\n  ');
    violations.push({
      rule: 'search on a key',
      message: `${key}: no order after ${result.longest.length} operations; next could be\n  ${stuck}`,
      ops: result.stuck.map((call) => call.record.id),
      revisions: [],
    });
  }
  const resolved = swept.resolved.size;
  return { violations, operations: records.length, revisions: log.length, resolved, searched, undecided };
}
