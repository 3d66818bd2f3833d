import type { Identity } from '../auth/index.js';
import type { MvccStore, RangeResult, ReadRefusal, TxnResult, Unread } from '../mvcc/index.js';
import type { RangeRequest, TxnRequest } from '../wire/index.js';
import type { CallContext, Completion } from './api.js';
import { authRefusal } from './auth-errors.js';
import type { AuthGate } from './auth-gate.js';
import { refusal, ServerError } from './errors.js';
import type { Reader } from './read-index.js';

/** A range that may wait for a round of ReadIndex. */
export class RangeRead implements Reader {
  readonly #mvcc: MvccStore;
  readonly #req: RangeRequest;
  readonly #done: Completion<RangeResult>;
  readonly ctx: CallContext;
  readonly #gate: AuthGate;

  constructor(mvcc: MvccStore, req: RangeRequest, done: Completion<RangeResult>, ctx: CallContext, gate: AuthGate) {
    this.#mvcc = mvcc;
    this.#req = req;
    this.#done = done;
    this.ctx = ctx;
    this.#gate = gate;
  }

  ready(): void {
    if (this.ctx.isOver === true) return this.#done.fail(refusal('ERR_CANCELED'));
    if (!this.#gate.enabled) return this.#read(this.#done);
    const { key, rangeEnd } = this.#req;
    this.#gate.toRead(key, rangeEnd, this.ctx, this.#done, (who) =>
      this.#read(stillCurrent(this.#done, this.#gate, who)),
    );
  }

  #read(done: Completion<RangeResult>): void {
    const answered = (err: Error | null, result: RangeResult | ReadRefusal | Unread | null): void => {
      if (err !== null) done.fail(new ServerError('ERR_INTERNAL', err.message));
      else answer(result as RangeResult | ReadRefusal | Unread, done);
    };
    this.#mvcc.rangeLater(this.#req, answered, this.ctx);
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
  readonly ctx: CallContext;
  readonly #gate: AuthGate;

  constructor(mvcc: MvccStore, req: TxnRequest, done: Completion<TxnResult>, ctx: CallContext, gate: AuthGate) {
    this.#mvcc = mvcc;
    this.#req = req;
    this.#done = done;
    this.ctx = ctx;
    this.#gate = gate;
  }

  ready(): void {
    if (this.ctx.isOver === true) return this.#done.fail(refusal('ERR_CANCELED'));
    const gate = this.#gate;
    if (!gate.enabled) return this.#read(this.#done);
    gate.toTransact(this.#req, this.ctx, this.#done, (who) => this.#read(stillCurrent(this.#done, gate, who)));
  }

  #read(done: Completion<TxnResult>): void {
    const answered = (err: Error | null, result: TxnResult | ReadRefusal | Unread | null): void => {
      if (err !== null) done.fail(new ServerError('ERR_INTERNAL', err.message));
      else answer(result as TxnResult | ReadRefusal | Unread, done);
    };
    this.#mvcc.txnLater(this.#req, answered, this.ctx);
  }

  fail(err: ServerError): void {
    this.#done.fail(err);
  }
}

function answer<T extends object>(result: T | ReadRefusal | Unread, done: Completion<T>): void {
  if (result === 'compacted') done.fail(refusal('ERR_COMPACTED'));
  else if (result === 'future') done.fail(refusal('ERR_FUTURE_REV'));
  else if (result === 'abandoned') done.fail(refusal('ERR_CANCELED'));
  else if (result === 'crowded-out') done.fail(refusal('ERR_TOO_MANY_REQUESTS'));
  else done.ok(result as T);
}

/** An answer that was made over several turns is not given out when the rules changed meanwhile. */
function stillCurrent<T>(done: Completion<T>, gate: AuthGate, who: Identity): Completion<T> {
  return {
    ok: (value) => (gate.isCurrent(who) ? done.ok(value) : done.fail(authRefusal('old-revision'))),
    fail: (err) => done.fail(err),
  };
}
