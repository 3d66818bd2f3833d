import type { OpRecord, Violation } from './history.js';
import { describe, isLinearizable } from './history.js';

/**
 * No client sees time run backwards: the header revisions of its linearizable answers never fall, whichever member
 * gave them; those of its serializable reads never fall while it asks the same member.
 *
 * @param restarts times at which a member was started anew: it may have forgotten what it had not yet persisted
 *   of others' commits, so serializable reads are compared between two of them only
 */
export function checkMonotonic(
  records: readonly OpRecord[],
  restarts: ReadonlyMap<string, readonly number[]> = new Map(),
): Violation[] {
  const violations: Violation[] = [];
  const linear = new Map<number, OpRecord>();
  const local = new Map<string, OpRecord>();
  for (const record of [...records].sort((a, b) => a.invoke - b.invoke)) {
    if (record.outcome !== 'ok' || !record.response || record.op.kind === 'log') continue;
    if (isLinearizable(record.op)) compare(linear, record.client, record, 'revision of a client');
    const epoch = (restarts.get(record.member) ?? []).filter((time) => time < record.invoke).length;
    compare(local, `${record.client} ${record.member} ${epoch}`, record, 'revision of a member');
  }
  return violations;

  function compare<K>(last: Map<K, OpRecord>, key: K, record: OpRecord, rule: string): void {
    const before = last.get(key);
    const revision = record.response!.revision;
    if (before && revision < before.response!.revision) {
      const message = `fell from ${before.response!.revision} to ${revision}\n  ${describe(before)}\n  ${describe(record)}`;
      violations.push({ rule, message, ops: [before.id, record.id], revisions: [revision] });
    } else {
      last.set(key, record);
    }
  }
}
