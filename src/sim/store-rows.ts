/** A stored row. `value` changes only by rot. */
export interface SimRow {
  /** The key as a latin1 string: the order of strings is that of bytes. */
  readonly id: string;
  readonly key: Buffer;
  value: Buffer;
}

/** One operation of a batch; a null value deletes. */
export interface SimOp {
  readonly id: string;
  readonly key: Buffer;
  readonly value: Buffer | null;
  /** Made when the operation is first applied; log and tables then share it, and its rot. */
  row?: SimRow;
}

/** A chunk that grows beyond this is halved. */
const CHUNK_MAX = 64;

interface Chunk {
  readonly rows: SimRow[];
  /** Who may still change it in place: the `with` that made it. */
  readonly owner: object;
}

/**
 * Sorted rows that never change: a batch makes new ones, which share with the old what it did not touch. So whoever
 * holds rows has a snapshot, and a batch costs what it changes and not what there is.
 */
export class SimRows implements Iterable<SimRow> {
  static readonly EMPTY: SimRows = new SimRows([]);
  /** None is empty. */
  readonly #chunks: readonly Chunk[];

  private constructor(chunks: readonly Chunk[]) {
    this.#chunks = chunks;
  }

  /** With a batch applied; of two operations on one key the later counts. */
  with(ops: readonly SimOp[]): SimRows {
    if (ops.length === 0) return this;
    const chunks = [...this.#chunks];
    const owner = {};
    for (const op of ops) apply(chunks, op, owner);
    return new SimRows(chunks);
  }

  get(key: Buffer): Buffer | undefined {
    const id = key.toString('latin1');
    const rows = this.#chunks[chunkOf(this.#chunks, id)]?.rows;
    if (rows === undefined) return undefined;
    const row = rows[lowerBound(rows, id)];
    return row?.id === id ? Buffer.from(row.value) : undefined;
  }

  [Symbol.iterator](): Iterator<SimRow> {
    return this.#chunks.flatMap((chunk) => chunk.rows)[Symbol.iterator]();
  }

  /** Rows with gte <= key < lt, one after the other; undefined behind the last. */
  cursor(gte: Buffer, lt: Buffer): () => SimRow | undefined {
    const chunks = this.#chunks;
    const end = lt.toString('latin1');
    const from = gte.toString('latin1');
    let chunk = Math.max(0, chunkOf(chunks, from));
    let at = lowerBound(chunks[chunk]?.rows ?? [], from);
    return () => {
      for (; chunk < chunks.length; chunk++, at = 0) {
        const row = (chunks[chunk] as Chunk).rows[at];
        if (row === undefined) continue;
        if (row.id >= end) return undefined;
        at++;
        return row;
      }
      return undefined;
    };
  }
}

function apply(chunks: Chunk[], op: SimOp, owner: object): void {
  const { id } = op;
  const i = chunkOf(chunks, id);
  let chunk = chunks[i];
  if (chunk === undefined) {
    if (op.value !== null) chunks.push({ rows: [rowOf(op)], owner });
    return;
  }
  const at = lowerBound(chunk.rows, id);
  const found = chunk.rows[at]?.id === id;
  if (op.value === null && !found) return;
  if (chunk.owner !== owner) {
    chunk = { rows: chunk.rows.slice(), owner };
    chunks[i] = chunk;
  }
  const { rows } = chunk;
  if (op.value === null) {
    rows.splice(at, 1);
    if (rows.length === 0) chunks.splice(i, 1);
  } else if (found) rows[at] = rowOf(op);
  else {
    rows.splice(at, 0, rowOf(op));
    if (rows.length > CHUNK_MAX) chunks.splice(i + 1, 0, { rows: rows.splice(rows.length >> 1), owner });
  }
}

function rowOf(op: SimOp): SimRow {
  op.row ??= { id: op.id, key: op.key, value: op.value as Buffer };
  return op.row;
}

/** The last chunk that begins at or before `id`, else the first; -1 where there is none. */
function chunkOf(chunks: readonly Chunk[], id: string): number {
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (((chunks[mid] as Chunk).rows[0] as SimRow).id <= id) low = mid + 1;
    else high = mid;
  }
  return low > 0 ? low - 1 : chunks.length > 0 ? 0 : -1;
}

function lowerBound(rows: readonly SimRow[], id: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if ((rows[mid] as SimRow).id < id) low = mid + 1;
    else high = mid;
  }
  return low;
}
