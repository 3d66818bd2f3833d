import { BUCKET_MAX } from './bucket.js';

/** A row that is not in the store yet; `value` is null where the row is to be deleted. */
export interface LayerRow {
  readonly bucket: number;
  /** The key's bytes as a latin1 string: compares as the bytes do. */
  readonly id: string;
  readonly key: Buffer;
  value: Buffer | null;
}

/** Memory that a row takes beyond its bytes, roughly: the bound on the overlay counts it. */
const ROW_MEMORY = 200;

/**
 * Rows written since the last flush, or those of the flush under way. Of two writes to a row the last counts.
 *
 * Revisions arrive in order, so `order` is nearly always sorted as it grows; it is sorted, when it is not, by the scan
 * that needs it.
 */
export class Layer {
  /** Bytes in memory, roughly. */
  bytes = 0;
  rowCount = 0;
  readonly #buckets: (BucketRows | undefined)[] = new Array(BUCKET_MAX + 1).fill(undefined);

  find(bucket: number, id: string): LayerRow | undefined {
    return this.#buckets[bucket]?.rows.get(id);
  }

  set(bucket: number, id: string, key: Buffer, value: Buffer | null): void {
    let b = this.#buckets[bucket];
    if (b === undefined) b = this.#buckets[bucket] = { rows: new Map(), order: [], sorted: true };
    const old = b.rows.get(id);
    if (old !== undefined) {
      this.bytes += (value === null ? 0 : value.length) - (old.value === null ? 0 : old.value.length);
      old.value = value;
      return;
    }
    const row: LayerRow = { bucket, id, key, value };
    if (b.sorted && b.order.length > 0 && b.order[b.order.length - 1]!.id > id) b.sorted = false;
    b.rows.set(id, row);
    b.order.push(row);
    this.rowCount++;
    this.bytes += key.length + (value === null ? 0 : value.length) + ROW_MEMORY;
  }

  /** Copies of the rows with gte <= id < lt, in order: later writes to the layer do not move them. */
  range(bucket: number, gte: string, lt: string): LayerRow[] {
    const b = this.#buckets[bucket];
    if (b === undefined) return [];
    const order = sorted(b);
    const out: LayerRow[] = [];
    for (let i = lowerBound(order, gte); i < order.length; i++) {
      const row = order[i]!;
      if (row.id >= lt) break;
      out.push({ bucket, id: row.id, key: row.key, value: row.value });
    }
    return out;
  }

  /** All rows, bucket by bucket. The layer must not change meanwhile. */
  *rows(): Generator<LayerRow, void> {
    for (const b of this.#buckets) {
      if (b !== undefined) yield* sorted(b);
    }
  }
}

interface BucketRows {
  readonly rows: Map<string, LayerRow>;
  /** Each row of `rows` once. */
  readonly order: LayerRow[];
  sorted: boolean;
}

function sorted(b: BucketRows): LayerRow[] {
  if (!b.sorted) {
    b.order.sort(byId);
    b.sorted = true;
  }
  return b.order;
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
