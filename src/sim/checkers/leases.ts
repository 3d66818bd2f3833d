import type { OpRecord } from './history.js';

/**
 * Leases expire by themselves. For the checkers an expiry is one more operation of unknown outcome: a revoke that
 * nobody sent, which the store may do once, at any time after the last renewal that a client knows of ran out.
 * So an expiry that comes too early is an unclaimed revision to the sweep.
 *
 * The earliest time counts from the *invocation* of the last successful grant or keepalive: the lease was extended
 * at some time after it.
 *
 * @returns the history with one such operation for each lease; ids continue after the greatest one
 */
export function withExpiries(records: readonly OpRecord[]): OpRecord[] {
  const ttl = new Map<string, number>();
  const earliest = new Map<string, number>();
  let id = records.reduce((greatest, record) => Math.max(greatest, record.id), 0);
  for (const { op, invoke, outcome } of records) {
    if (op.kind !== 'grant' || outcome === 'fail') continue;
    ttl.set(op.lease, op.ttl);
    earliest.set(op.lease, invoke + op.ttl);
  }
  for (const { op, invoke, outcome, response } of records) {
    if (op.kind !== 'keepalive' || outcome !== 'ok' || response?.kind !== 'lease' || response.ttl <= 0) continue;
    const due = invoke + (ttl.get(op.lease) ?? 0);
    if (due > (earliest.get(op.lease) ?? Number.POSITIVE_INFINITY)) earliest.set(op.lease, due);
  }
  const expiries = [...earliest].map(
    ([lease, invoke]): OpRecord => ({
      id: ++id,
      client: -1,
      member: '',
      op: { kind: 'revoke', lease },
      invoke,
      return: Number.POSITIVE_INFINITY,
      outcome: 'unknown',
      response: null,
      error: 'expiry',
    }),
  );
  return [...records, ...expiries];
}
