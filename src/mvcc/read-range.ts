import type { KeyValue } from '../wire/key-value.js';
import { decodeKeyValue, stripValue } from '../wire/key-value.js';
import type { RangeRequest } from '../wire/range.js';
import { SortOrder, SortTarget } from '../wire/range.js';
import type { Keyspace } from './keyspace.js';
import { rangeEndOf } from './keyspace.js';
import type { RangeResult, ReadRefusal } from './types.js';

/**
 * A range at a revision (etcd semantics §3.2), read at once.
 * @param currentRev what the reader takes for the newest revision: inside a transaction that has written, one more
 */
export function readRange(space: Keyspace, req: RangeRequest, currentRev: number): RangeResult | ReadRefusal {
  const refusal = refuseRead(space, req.revision, currentRev);
  if (refusal !== null) return refusal;
  const revision = req.revision <= 0 ? currentRev : req.revision;
  const end = rangeEndOf(req.rangeEnd);
  if (req.countOnly) {
    return { revision: currentRev, kvs: [], more: false, count: space.index.count(req.key, end, revision) };
  }
  const hits = space.index.range(req.key, end, revision, fetchLimit(req));
  const rows = new Array<Buffer>(hits.entries.length);
  for (let i = 0; i < rows.length; i++) rows[i] = space.row(hits.entries[i]!, hits.positions[i]!);
  return assemble(req, rows, hits.count, currentRev);
}

/** Outside a transaction any revision <= 0 means the current one. */
export function refuseRead(space: Keyspace, revision: number, currentRev: number): ReadRefusal | null {
  if (revision > currentRev) return 'future';
  if (revision > 0 && revision < space.compactRev) return 'compacted';
  return null;
}

/** How many keys to look at: an explicit order and filters need all, else one more than the limit tells `more`. */
export function fetchLimit(req: RangeRequest): number {
  if (req.sortOrder !== SortOrder.NONE || hasFilter(req) || req.limit <= 0) return 0;
  return req.limit + 1;
}

export function hasFilter(req: RangeRequest): boolean {
  return (
    req.maxModRevision !== 0 || req.minModRevision !== 0 || req.maxCreateRevision !== 0 || req.minCreateRevision !== 0
  );
}

export function assemble(req: RangeRequest, fetched: Buffer[], count: number, currentRev: number): RangeResult {
  let rows = fetched;
  const byKey = req.sortTarget === SortTarget.KEY;
  if (hasFilter(req) || !byKey) rows = arrange(req, rows);
  else if (req.sortOrder === SortOrder.DESCEND) rows.reverse();
  const more = req.limit > 0 && rows.length > req.limit;
  if (more) rows.length = req.limit;
  if (req.keysOnly) for (let i = 0; i < rows.length; i++) rows[i] = stripValue(rows[i]!);
  return { revision: currentRev, kvs: rows, more, count };
}

interface Decoded {
  readonly kv: KeyValue;
  readonly row: Buffer;
}

/** Filters and sorts. Equal ones stay in key order. */
function arrange(req: RangeRequest, rows: readonly Buffer[]): Buffer[] {
  const items: Decoded[] = [];
  for (const row of rows) {
    const kv = decodeKeyValue(row);
    if (passes(req, kv)) items.push({ kv, row });
  }
  const compare = COMPARE[req.sortTarget];
  const descending = req.sortOrder === SortOrder.DESCEND;
  // Without an order only another target than the key sorts, upwards.
  if (compare !== undefined) items.sort(descending ? (a, b) => compare(b.kv, a.kv) : (a, b) => compare(a.kv, b.kv));
  else if (descending) items.reverse();
  return items.map((item) => item.row);
}

export function passes(req: RangeRequest, kv: KeyValue): boolean {
  if (req.maxModRevision !== 0 && kv.modRevision > req.maxModRevision) return false;
  if (req.minModRevision !== 0 && kv.modRevision < req.minModRevision) return false;
  if (req.maxCreateRevision !== 0 && kv.createRevision > req.maxCreateRevision) return false;
  if (req.minCreateRevision !== 0 && kv.createRevision < req.minCreateRevision) return false;
  return true;
}

/** By sort target; rows come in key order, so KEY needs none. */
const COMPARE: Readonly<Record<number, (a: KeyValue, b: KeyValue) => number>> = {
  [SortTarget.VERSION]: (a, b) => a.version - b.version,
  [SortTarget.CREATE]: (a, b) => a.createRevision - b.createRevision,
  [SortTarget.MOD]: (a, b) => a.modRevision - b.modRevision,
  [SortTarget.VALUE]: (a, b) => a.value.compare(b.value),
};
