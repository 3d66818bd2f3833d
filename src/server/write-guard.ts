import { InternalKind } from '../wire/index.js';
import type { Alarms } from './alarms.js';
import type { ServerError } from './errors.js';
import { refusal } from './errors.js';

const REFUSED_WHEN_CORRUPT: ReadonlySet<number> = new Set([
  InternalKind.PUT,
  InternalKind.DELETE_RANGE,
  InternalKind.TXN,
  InternalKind.COMPACTION,
  InternalKind.LEASE_GRANT,
  InternalKind.LEASE_REVOKE,
]);

/**
 * What the active alarms refuse of a request that is about to be applied (etcd semantics §8). Of the replicated state
 * alone: every member refuses the same.
 * @param cost what it may add to the database (quota.ts); 0: it puts nothing
 */
export function alarmRefusal(alarms: Alarms, kind: number, cost: number): ServerError | null {
  if (alarms.corrupt && REFUSED_WHEN_CORRUPT.has(kind)) return refusal('ERR_CORRUPT');
  if (alarms.noSpace && cost > 0) return refusal('ERR_NO_SPACE');
  return null;
}
