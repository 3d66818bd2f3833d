import type { Op, OpRecord, Response } from '../checkers/index.js';
import type { Engine } from '../engine.js';

/** What all clients did and saw, in the form of the checkers. Times are virtual µs. */
export class History {
  readonly records: OpRecord[] = [];
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** An operation is sent; until it ends its outcome is unknown. */
  begin(client: number, member: string, op: Op): OpRecord {
    const record: OpRecord = {
      id: this.records.length + 1,
      client,
      member,
      op,
      invoke: this.#engine.now,
      return: Number.POSITIVE_INFINITY,
      outcome: 'unknown',
      response: null,
    };
    this.records.push(record);
    return record;
  }

  ok(record: OpRecord, response: Response): void {
    record.return = this.#engine.now;
    record.outcome = 'ok';
    record.response = response;
  }

  fail(record: OpRecord, error: string): void {
    record.return = this.#engine.now;
    record.outcome = 'fail';
    record.error = error;
  }

  lost(record: OpRecord, error: string): void {
    record.error = error;
  }
}
