import type { BackendError } from '../storage/backend/index.js';
import type { RangeRequest } from '../wire/range.js';
import type { RequestOp, ResponsePart, TxnRequest } from '../wire/txn.js';
import { OpKind, rangePart } from '../wire/txn.js';
import type { Keyspace } from './keyspace.js';
import { rangeEndOf } from './keyspace.js';
import type { RangeResult, ReadRefusal, TxnResult, Unread } from './types.js';

/** Keys of one range up to which a transaction of ranges is read at once. */
const SMALL_KEYS_MAX = 64;

export type TxnAnswer = TxnResult | ReadRefusal | Unread;
export type TxnCallback = (err: BackendError | null, result: TxnAnswer | null) => void;

/** Reads one range at a revision, in slices. `result` null: the content was taken from under it. */
export type ReadSlices = (
  req: RangeRequest,
  revision: number,
  cb: (err: BackendError | null, result: RangeResult | ReadRefusal | Unread | null) => void,
) => void;

/** Whether a transaction of ranges holds nothing that would keep others waiting, or that is in no memory. */
export function isSmallTxn(space: Keyspace, req: TxnRequest): boolean {
  return req.success.every((op) => isSmall(space, op)) && req.failure.every((op) => isSmall(space, op));
}

function isSmall(space: Keyspace, op: RequestOp): boolean {
  if (op.kind !== OpKind.RANGE) return false;
  const { key, rangeEnd, revision, countOnly } = op.request;
  const end = rangeEndOf(rangeEnd);
  if (end === undefined) return countOnly || space.inMemory(key, revision);
  return space.index.count(key, end, revision <= 0 ? space.currentRev : revision) <= SMALL_KEYS_MAX;
}

/**
 * The ranges of a transaction that only reads, one after the other, all at the revision at which its comparisons were
 * made. Whoever reads them lets no compaction step pass in between.
 */
export class TxnJob {
  readonly #ops: readonly RequestOp[];
  readonly #succeeded: boolean;
  readonly #revision: number;
  readonly #read: ReadSlices;
  readonly #again: () => void;
  readonly #cb: TxnCallback;
  readonly #parts: ResponsePart[] = [];

  /** @param ops of the branch that is taken, checked @param again to be called when the content was replaced */
  constructor(
    taken: { readonly succeeded: boolean; readonly ops: readonly RequestOp[] },
    revision: number,
    read: ReadSlices,
    again: () => void,
    cb: TxnCallback,
  ) {
    this.#ops = taken.ops;
    this.#succeeded = taken.succeeded;
    this.#revision = revision;
    this.#read = read;
    this.#again = again;
    this.#cb = cb;
  }

  next(): void {
    const op = this.#ops[this.#parts.length];
    if (op === undefined) {
      this.#cb(null, { revision: this.#revision, succeeded: this.#succeeded, parts: this.#parts });
      return;
    }
    this.#read(op.request as RangeRequest, this.#revision, (err, result) => {
      if (err !== null) this.#cb(err, null);
      else if (result === null) this.#again();
      else if (typeof result === 'string') this.#cb(null, result);
      else {
        this.#parts.push(rangePart(result.revision, result.kvs, result.more, result.count));
        this.next();
      }
    });
  }
}
