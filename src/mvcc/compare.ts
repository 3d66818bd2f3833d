import type { Compare } from '../wire/compare.js';
import { CompareResult, CompareTarget } from '../wire/compare.js';
import { decodeKeyValue } from '../wire/key-value.js';
import type { KeyEntry } from './key-entry.js';
import type { Keyspace } from './keyspace.js';
import { rangeEndOf } from './keyspace.js';

/** Whether all comparisons hold against the store as it is (etcd semantics §3.6). */
export function evaluate(space: Keyspace, compares: readonly Compare[]): boolean {
  for (const compare of compares) if (!holds(space, compare)) return false;
  return true;
}

/** A range has to hold for every key in it. Where there is none, a key of all zeros is compared, and a value never holds. */
function holds(space: Keyspace, compare: Compare): boolean {
  const hits = space.index.range(compare.key, rangeEndOf(compare.rangeEnd), space.currentRev, 0);
  if (hits.entries.length === 0) {
    return compare.target !== CompareTarget.VALUE && resultHolds(compare.result, orderOf(0, wanted(compare)));
  }
  for (const entry of hits.entries) if (!resultHolds(compare.result, orderTo(space, entry, compare))) return false;
  return true;
}

/** Below, at or above zero as the key's newest state is below, at or above what is compared with. */
function orderTo(space: Keyspace, entry: KeyEntry, compare: Compare): number {
  switch (compare.target) {
    case CompareTarget.VERSION:
      return orderOf(entry.version, compare.version);
    case CompareTarget.CREATE:
      return orderOf(entry.created, compare.createRevision);
    case CompareTarget.MOD:
      return orderOf(entry.main, compare.modRevision);
    case CompareTarget.VALUE:
      return decodeKeyValue(space.newest(entry)).value.compare(compare.value);
    case CompareTarget.LEASE:
      return orderOf(decodeKeyValue(space.newest(entry)).lease, compare.lease);
    default:
      return 0;
  }
}

function wanted(compare: Compare): number | bigint {
  switch (compare.target) {
    case CompareTarget.VERSION:
      return compare.version;
    case CompareTarget.CREATE:
      return compare.createRevision;
    case CompareTarget.MOD:
      return compare.modRevision;
    case CompareTarget.LEASE:
      return compare.lease;
    default:
      return 0;
  }
}

function orderOf(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function resultHolds(result: number, order: number): boolean {
  switch (result) {
    case CompareResult.EQUAL:
      return order === 0;
    case CompareResult.GREATER:
      return order > 0;
    case CompareResult.LESS:
      return order < 0;
    case CompareResult.NOT_EQUAL:
      return order !== 0;
    default:
      return true;
  }
}
