import type { KvEvent, LogRevision, OpRecord, Violation } from './history.js';
import { describe } from './history.js';

/**
 * Every acknowledged write is in the log, at the revision it was acknowledged with. The sweep says the same and
 * more; this one is short enough to be believed at a glance, and names the loss as what it is.
 */
export function checkDurable(records: readonly OpRecord[], log: readonly LogRevision[]): Violation[] {
  const at = new Map(log.map((entry) => [entry.revision, entry.events]));
  const violations: Violation[] = [];
  for (const record of records) {
    if (record.outcome !== 'ok' || !record.response) continue;
    const revision = record.response.revision;
    const events = at.get(revision) ?? [];
    if (missing(record, events)) {
      const message = `the log has ${JSON.stringify(events)} at ${revision}\n  ${describe(record)}`;
      violations.push({ rule: 'acknowledged write is durable', message, ops: [record.id], revisions: [revision] });
    }
  }
  return violations;
}

function missing({ op, response }: OpRecord, events: readonly KvEvent[]): boolean {
  const has = (key: string, value: string) =>
    events.some((e) => e.type === 'put' && e.kv.key === key && e.kv.value === value);
  switch (op.kind) {
    case 'put':
      return !has(op.key, op.value);
    case 'delete':
      return (
        response!.kind === 'delete' &&
        response!.deleted !== 0 &&
        events.filter((e) => e.type === 'delete').length !== response!.deleted
      );
    case 'txn': {
      const branch = response!.kind === 'txn' && response!.succeeded ? op.success : op.failure;
      return branch.some((inner) => inner.kind === 'put' && !has(inner.key, inner.value));
    }
    default:
      return false;
  }
}

/** The members agree on the log, event by event. */
export function checkSameLogs(logs: ReadonlyMap<string, readonly LogRevision[]>): Violation[] {
  const violations: Violation[] = [];
  const [first, ...others] = [...logs];
  if (!first) return violations;
  for (const [name, log] of others) {
    const length = Math.max(log.length, first[1].length);
    for (let i = 0; i < length; i++) {
      const a = JSON.stringify(first[1][i]);
      const b = JSON.stringify(log[i]);
      if (a === b) continue;
      const message = `${first[0]} has ${a}, ${name} has ${b}`;
      violations.push({
        rule: 'members agree',
        message,
        ops: [],
        revisions: [first[1][i]?.revision ?? log[i]!.revision],
      });
      break;
    }
  }
  return violations;
}
