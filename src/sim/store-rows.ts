/** A stored row. `value` changes only by rot. */
export interface SimRow {
  readonly id: string;
  readonly key: Buffer;
  value: Buffer;
}

/** One operation of a batch; a null value deletes. */
export interface SimOp {
  readonly key: Buffer;
  readonly value: Buffer | null;
  /** Made when the operation is first applied; log and tables then share it, and its rot. */
  row?: SimRow;
}

/**
 * Sorted rows with a batch applied: a new array, so that whoever holds the old one has a snapshot.
 * Of two operations on one key the later counts.
 */
export function applyOps(rows: readonly SimRow[], ops: SimOp[]): readonly SimRow[] {
  const last = new Map<string, SimOp>();
  for (const op of ops) last.set(op.key.toString('latin1'), op);
  const ids = [...last.keys()].sort((a, b) => (a < b ? -1 : 1));
  const out: SimRow[] = [];
  let at = 0;
  for (const id of ids) {
    const end = lowerBound(rows, id, at);
    for (; at < end; at++) out.push(rows[at]!);
    if (rows[at]?.id === id) at++;
    const op = last.get(id)!;
    if (op.value === null) continue;
    op.row ??= { id, key: op.key, value: op.value };
    out.push(op.row);
  }
  for (; at < rows.length; at++) out.push(rows[at]!);
  return out;
}

export function value(rows: readonly SimRow[], key: Buffer): Buffer | undefined {
  const id = key.toString('latin1');
  const row = rows[lowerBound(rows, id, 0)];
  return row?.id === id ? Buffer.from(row.value) : undefined;
}

/** Rows with gte <= key < lt. */
export function slice(rows: readonly SimRow[], gte: Buffer, lt: Buffer): readonly SimRow[] {
  const from = lowerBound(rows, gte.toString('latin1'), 0);
  return rows.slice(from, Math.max(from, lowerBound(rows, lt.toString('latin1'), from)));
}

function lowerBound(rows: readonly SimRow[], id: string, from: number): number {
  let low = from;
  let high = rows.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (rows[mid]!.id < id) low = mid + 1;
    else high = mid;
  }
  return low;
}
