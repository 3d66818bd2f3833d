import { unreachable } from '../../util/assert.js';
import type { KvEvent, LogRevision, OpRecord, Response, Violation } from './history.js';
import { describe, isLinearizable } from './history.js';
import type { ModelState } from './model.js';
import { applyEvents, emptyModel, evaluate, sameEvents, sameResponse } from './model.js';

/**
 * Linearizability without search. Every change has its own dense revision, so the order is given: it is only left
 * to check that each operation fits the state at its revision, and that the order respects real time.
 *
 *   1. The log (every event from the first revision on, as a watch or the members give it) is dense and legal.
 *   2. An answered write is at the revision of its answer, changed what the log has there, and answered what the
 *      model answers. Two never share one.
 *   3. A read, and whatever changed nothing, answers what the model answers in the state after its revision.
 *   4. Real time: with L the greatest revision of all that was answered before an operation was invoked, a write
 *      is above L, a linearizable read not below. A serializable read may be old, but it too proves its revision.
 *   5. A revision that no answered write claims belongs to one operation of unknown outcome that makes exactly these
 *      events and was invoked early enough; none of those is used twice, failed ones never.
 *
 * O((records + revisions) log n), but for step 5, which is unclaimed revisions times unknown operations.
 */
export interface SweepResult {
  violations: Violation[];
  /** Revision of each operation of unknown outcome that took place (and of revokes that deleted), by record id. */
  resolved: Map<number, number>;
}

export interface SweepInput {
  records: readonly OpRecord[];
  log: readonly LogRevision[];
  /** The state before the log's first revision. Default: the empty store at revision 1. */
  initial?: ModelState;
}

interface Placed {
  record: OpRecord;
  revision: number;
  /** The operation made this revision, or saw the state after it. */
  write: boolean;
}

export function sweep({ records, log, initial = emptyModel() }: SweepInput): SweepResult {
  const violations: Violation[] = [];
  const last = initial.revision + log.length;
  const writes: Placed[][] = Array.from({ length: log.length }, () => []);
  const reads: Placed[][] = Array.from({ length: log.length + 1 }, () => []);
  const placed: Placed[] = [];
  const unknown: OpRecord[] = [];
  const revokes: OpRecord[] = [];

  for (const record of records) {
    if (record.outcome === 'unknown' && mayChange(record)) unknown.push(record);
    if (record.outcome !== 'ok' || !record.response || record.op.kind === 'log') continue;
    const revision = record.response.revision;
    if (record.op.kind === 'range' && record.op.revision > 0) continue; // history reads: see checkHistoryReads
    if (revision < initial.revision || revision > last) {
      report('known revision', `the answer's revision is not in ${initial.revision}..${last}`, [record], [revision]);
      continue;
    }
    if (record.op.kind === 'revoke') {
      revokes.push(record);
      continue;
    }
    place(record, revision, changed(record.response));
  }

  function place(record: OpRecord, revision: number, write: boolean): void {
    if (write && revision === initial.revision) {
      report('known revision', 'a write answered with the revision from before the log', [record], [revision]);
      return;
    }
    const entry = { record, revision, write };
    placed.push(entry);
    if (write) writes[revision - initial.revision - 1]!.push(entry);
    else reads[revision - initial.revision]!.push(entry);
  }

  function report(rule: string, message: string, ops: OpRecord[], revisions: number[]): void {
    violations.push({
      rule,
      message: [message, ...ops.map(describe)].join('\n  '),
      ops: ops.map((r) => r.id),
      revisions,
    });
  }

  // A revoke's answer does not say whether it deleted anything. In either case its keys are gone after its revision;
  // where nobody else claims that revision it may be the one that made it.
  const revokesAt = new Map<number, OpRecord[]>();
  for (const record of revokes) append(revokesAt, record.response!.revision, record);

  const kvs = new Map(initial.kvs);
  const state: ModelState = { revision: initial.revision, kvs };
  const orphans: { revision: number; events: KvEvent[]; candidates: OpRecord[] }[] = [];
  for (const record of revokes) place(record, record.response!.revision, false);
  checkReads(0);
  for (const [i, { revision, events }] of log.entries()) {
    if (revision !== state.revision + 1 || events.length === 0) {
      report(
        'dense log',
        `revision ${state.revision} is followed by ${revision} with ${events.length} events`,
        [],
        [revision],
      );
      return { violations, resolved: new Map() };
    }
    const flaw = illegal(state, events, revision);
    if (flaw) report('legal log', `${flaw} in ${JSON.stringify(events)}`, [], [revision]);
    const owners = writes[i]!;
    if (owners.length > 1) {
      report(
        'one write a revision',
        'answered writes share a revision',
        owners.map((o) => o.record),
        [revision],
      );
    }
    for (const { record } of owners) {
      const expected = evaluate(state, record.op);
      if (!sameEvents(expected.events, events)) {
        report('acknowledged write', `the log has ${JSON.stringify(events)}`, [record], [revision]);
      } else if (!sameResponse(expected.response, record.response!)) {
        report('answer of a write', `expected ${JSON.stringify(expected.response)}`, [record], [revision]);
      }
    }
    if (owners.length === 0) {
      const candidates = [...unknown, ...(revokesAt.get(revision) ?? [])].filter((record) =>
        sameEvents(evaluate(state, record.op).events, events),
      );
      orphans.push({ revision, events, candidates });
    }
    applyEvents(kvs, events);
    state.revision = revision;
    checkReads(i + 1);
  }

  function checkReads(i: number): void {
    for (const { record } of reads[i]!) {
      const expected = evaluate(state, record.op);
      if (expected.events.length > 0 || !sameResponse(expected.response, record.response!)) {
        report('answer of a read', `expected ${JSON.stringify(expected.response)}`, [record], [state.revision]);
      }
    }
  }

  const floor = revisionFloor(placed);
  for (const { record, revision, write } of placed) {
    if (!isLinearizable(record.op)) continue;
    const { least, by } = floor(record.invoke);
    if (write ? revision > least : revision >= least) continue;
    report('real time', `revision ${least} had been answered before this was invoked`, by ? [record, by] : [record], [
      revision,
    ]);
  }

  const resolved = new Map<number, number>();
  const open = orphans.map((o) => ({
    ...o,
    candidates: o.candidates.filter((c) => floor(c.invoke).least < o.revision),
  }));
  for (const orphan of assign(open, resolved)) {
    report('unclaimed revision', `no operation accounts for ${JSON.stringify(orphan.events)}`, [], [orphan.revision]);
  }
  checkHistoryReads(records, log, initial, report);
  return { violations, resolved };
}

type Report = (rule: string, message: string, ops: OpRecord[], revisions: number[]) => void;

/** Reads at a named revision: the state of that revision, whenever it is asked. */
function checkHistoryReads(
  records: readonly OpRecord[],
  log: readonly LogRevision[],
  initial: ModelState,
  report: Report,
): void {
  const asked = records.filter((r) => r.outcome === 'ok' && r.op.kind === 'range' && r.op.revision > 0);
  asked.sort((a, b) => revisionOf(a) - revisionOf(b));
  const kvs = new Map(initial.kvs);
  let at = 0;
  for (const record of asked) {
    const revision = revisionOf(record);
    const response = record.response!;
    if (revision < initial.revision || revision > initial.revision + log.length) continue;
    while (initial.revision + at < revision) applyEvents(kvs, log[at++]!.events);
    const expected = evaluate({ revision: response.revision, kvs }, record.op).response;
    if (!sameResponse(expected, response)) {
      report('answer of a history read', `expected ${JSON.stringify(expected)}`, [record], [revision]);
    }
    if (response.revision < revision)
      report('known revision', 'the header is below the revision read', [record], [revision]);
  }
}

function revisionOf(record: OpRecord): number {
  return record.op.kind === 'range' ? record.op.revision : 0;
}

/** @returns what the answer itself says: did this operation make a revision? */
function changed(response: Response): boolean {
  switch (response.kind) {
    case 'put':
      return true;
    case 'delete':
      return response.deleted > 0;
    case 'txn':
      return response.responses.some(changed);
    case 'range':
    case 'lease':
    case 'log':
      return false;
    default:
      return unreachable(response);
  }
}

function mayChange({ op }: Pick<OpRecord, 'op'>): boolean {
  switch (op.kind) {
    case 'put':
    case 'delete':
    case 'revoke':
      return true;
    case 'txn':
      return [...op.success, ...op.failure].some((inner) => mayChange({ op: inner }));
    default:
      return false;
  }
}

/** Version, create and mod revision of every event follow from the state before. @returns what is wrong */
function illegal(state: ModelState, events: readonly KvEvent[], revision: number): string | undefined {
  const touched = new Map<string, { version: number; create: number } | null>();
  for (const { type, kv } of events) {
    const before = touched.has(kv.key) ? touched.get(kv.key)! : (state.kvs.get(kv.key) ?? null);
    if (kv.mod !== revision) return `mod revision ${kv.mod}`;
    if (type === 'delete') {
      if (!before) return `deleted ${JSON.stringify(kv.key)}, which was not there`;
      touched.set(kv.key, null);
    } else {
      if (kv.version !== (before?.version ?? 0) + 1) return `version ${kv.version} after ${before?.version ?? 0}`;
      if (kv.create !== (before?.create ?? revision)) return `create revision ${kv.create}`;
      touched.set(kv.key, kv);
    }
  }
  return undefined;
}

/** @returns for a time: the greatest revision of anything that had returned strictly before, and who showed it */
function revisionFloor(placed: readonly Placed[]): (time: number) => { least: number; by: OpRecord | undefined } {
  const byReturn = [...placed].sort((a, b) => a.record.return - b.record.return);
  const greatest: Placed[] = [];
  let best: Placed | undefined;
  for (const entry of byReturn) {
    if (!best || entry.revision > best.revision) best = entry;
    greatest.push(best);
  }
  return (time) => {
    let low = 0;
    let high = byReturn.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (byReturn[middle]!.record.return < time) low = middle + 1;
      else high = middle;
    }
    const found = low > 0 ? greatest[low - 1]! : undefined;
    return { least: found?.revision ?? 0, by: found?.record };
  };
}

/** Gives each revision an operation of its own (bipartite matching by augmenting paths). @returns those left without */
function assign<T extends { revision: number; candidates: OpRecord[] }>(
  orphans: T[],
  resolved: Map<number, number>,
): T[] {
  const owner = new Map<number, T>();
  const claim = (orphan: T, tried: Set<number>): boolean => {
    for (const { id } of orphan.candidates) {
      if (tried.has(id)) continue;
      tried.add(id);
      const rival = owner.get(id);
      if (rival && !claim(rival, tried)) continue;
      owner.set(id, orphan);
      resolved.set(id, orphan.revision);
      return true;
    }
    return false;
  };
  return orphans.filter((orphan) => !claim(orphan, new Set()));
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
