import type { MvccStore, RangeResult, ReadRefusal, TxnResult } from '../mvcc/index.js';
import type { RangeRequest, TxnRequest } from '../wire/index.js';
import type { Completion } from './api.js';
import { refusal, ServerError } from './errors.js';
import type { Reader } from './read-index.js';

/** A range that may wait for a round of ReadIndex. */
export class RangeRead implements Reader {
  readonly #mvcc: MvccStore;
  readonly #req: RangeRequest;
  readonly #done: Completion<RangeResult>;

  constructor(mvcc: MvccStore, req: RangeRequest, done: Completion<RangeResult>) {
    this.#mvcc = mvcc;
    this.#req = req;
    this.#done = done;
  }

  ready(): void {
    const done = this.#done;
    this.#mvcc.rangeLater(this.#req, (err, result) => {
      if (err !== null) done.fail(new ServerError('ERR_INTERNAL', err.message));
      else answer(result as RangeResult | ReadRefusal, done);
    });
  }

  fail(err: ServerError): void {
    this.#done.fail(err);
  }
}

/** A transaction of ranges alone, outside the log. */
export class TxnRead implements Reader {
  readonly #mvcc: MvccStore;
  readonly #req: TxnRequest;
  readonly #done: Completion<TxnResult>;

  constructor(mvcc: MvccStore, req: TxnRequest, done: Completion<TxnResult>) {
    this.#mvcc = mvcc;
    this.#req = req;
    this.#done = done;
  }

  ready(): void {
    answer(this.#mvcc.readTxn(this.#req), this.#done);
  }

  fail(err: ServerError): void {
    this.#done.fail(err);
  }
}

function answer<T extends object>(result: T | ReadRefusal, done: Completion<T>): void {
  if (result === 'compacted') done.fail(refusal('ERR_COMPACTED'));
  else if (result === 'future') done.fail(refusal('ERR_FUTURE_REV'));
  else done.ok(result as T);
}
