import { BUCKET_MAX } from './bucket.js';

/** A row that is not in the store yet; `value` is null where the row is to be deleted. */
export interface LayerRow {
  readonly bucket: number;
  /** The key's bytes as a latin1 string: compares as the bytes do, and is a quarter of a Buffer in memory. */
  readonly id: string;
  value: Buffer | null;
}

/** Memory that a row takes beyond its bytes, roughly: the bound on the overlay counts it. */
const ROW_MEMORY = 200;

/**
 * Rows written since the last flush, or those of the flush under way. Of two writes to a row the last counts.
 *
 * Revisions arrive in order: such rows make a run that is searched by halves. What comes out of order (deletions of a
 * compaction, small tables) is found by a Map, and sorted by the scan that needs it.
 */
export class Layer {
  /** Bytes in memory, roughly. */
  bytes = 0;
  rowCount = 0;
  readonly #buckets: (BucketRows | undefined)[] = new Array(BUCKET_MAX + 1).fill(undefined);

  find(bucket: number, id: string): LayerRow | undefined {
    const b = this.#buckets[bucket];
    return b === undefined ? undefined : found(b, id);
  }

  set(bucket: number, id: string, value: Buffer | null): void {
    let b = this.#buckets[bucket];
    if (b === undefined) b = this.#buckets[bucket] = { run: [], rest: new Map(), sorted: null };
    const { run } = b;
    const ordered = run.length === 0 || run[run.length - 1]!.id < id;
    const old = ordered && b.rest.size === 0 ? undefined : found(b, id);
    if (old !== undefined) {
      this.bytes += (value === null ? 0 : value.length) - (old.value === null ? 0 : old.value.length);
      old.value = value;
      return;
    }
    const row: LayerRow = { bucket, id, value };
    if (ordered) {
      run.push(row);
    } else {
      b.rest.set(id, row);
      b.sorted = null;
    }
    this.rowCount++;
    this.bytes += id.length + (value === null ? 0 : value.length) + ROW_MEMORY;
  }

  /** Copies of the rows with gte <= id < lt, in order: later writes to the layer do not move them. */
  range(bucket: number, gte: string, lt: string): LayerRow[] {
    const b = this.#buckets[bucket];
    if (b === undefined) return [];
    const rest = sortedRest(b);
    return rest.length === 0 ? copies(b.run, gte, lt) : mergeRuns(copies(b.run, gte, lt), copies(rest, gte, lt));
  }

  /** All rows, bucket by bucket, in order. The layer must not change meanwhile. */
  runs(): readonly LayerRow[][] {
    const out: LayerRow[][] = [];
    for (const b of this.#buckets) if (b !== undefined) out.push(mergeRuns(b.run, sortedRest(b)));
    return out;
  }
}

interface BucketRows {
  /** In ascending order; none of them is in `rest`. */
  readonly run: LayerRow[];
  readonly rest: Map<string, LayerRow>;
  /** `rest` in order; null: not yet. */
  sorted: LayerRow[] | null;
}

function found({ run, rest }: BucketRows, id: string): LayerRow | undefined {
  // A revision that is new is behind all of them.
  if (run.length > 0 && run[run.length - 1]!.id >= id) {
    const row = run[lowerBound(run, id)]!;
    if (row.id === id) return row;
  }
  return rest.size === 0 ? undefined : rest.get(id);
}

function sortedRest(b: BucketRows): LayerRow[] {
  b.sorted ??= [...b.rest.values()].sort(byId);
  return b.sorted;
}

/** Of the rows with gte <= id < lt. */
function copies(rows: LayerRow[], gte: string, lt: string): LayerRow[] {
  const out: LayerRow[] = [];
  for (let i = lowerBound(rows, gte); i < rows.length; i++) {
    const row = rows[i]!;
    if (row.id >= lt) break;
    out.push({ bucket: row.bucket, id: row.id, value: row.value });
  }
  return out;
}

function byId(a: LayerRow, b: LayerRow): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function lowerBound(rows: LayerRow[], id: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (rows[mid]!.id < id) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** Two sorted runs as one; where both have a row, `newer` wins. */
export function mergeRuns(newer: LayerRow[], older: LayerRow[]): LayerRow[] {
  if (older.length === 0) return newer;
  if (newer.length === 0) return older;
  const out: LayerRow[] = [];
  let i = 0;
  let j = 0;
  while (i < newer.length && j < older.length) {
    const a = newer[i]!;
    const b = older[j]!;
    if (a.id < b.id) {
      out.push(a);
      i++;
    } else {
      if (a.id > b.id) out.push(b);
      j++;
    }
  }
  while (i < newer.length) out.push(newer[i++]!);
  while (j < older.length) out.push(older[j++]!);
  return out;
}
