import type { Entry } from '../raft/index.js';
import type { Clock } from '../util/env.js';
import type { Logger } from '../util/log.js';
import {
  decodeDeleteRangeRequest,
  decodeInternalRequest,
  decodePutRequest,
  decodeTxnRequest,
  describeRequest,
  InternalKind,
} from '../wire/index.js';

/** Notes the entries whose apply takes too long (--warning-apply-duration). They are looked at once more only then. */
export class SlowApplies {
  /** How many there were. */
  count = 0;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #log: Logger;
  readonly #expectedMs: number;
  #at = 0;

  constructor(clock: Pick<Clock, 'now'>, log: Logger, expectedMs: number) {
    this.#clock = clock;
    this.#log = log.with({ caller: 'server/applier.ts' });
    this.#expectedMs = expectedMs;
  }

  begin(): void {
    this.#at = this.#clock.now();
  }

  /** One more entry is applied, since `begin` or the last. */
  applied(entry: Entry): void {
    const now = this.#clock.now();
    const took = now - this.#at;
    this.#at = now;
    if (took <= this.#expectedMs) return;
    this.count++;
    this.#log.warn('apply request took too long', {
      took: `${took.toFixed(3)}ms`,
      'expected-duration': `${this.#expectedMs}ms`,
      prefix: '',
      request: entry.dataBytes === 0 ? '' : described(entry),
      index: entry.index,
    });
    this.#at = this.#clock.now();
  }
}

/** What was asked for, without values. */
function described(entry: Entry): string {
  try {
    const { kind, body } = decodeInternalRequest(entry.data);
    const decode = DECODE[kind];
    return decode === undefined ? `kind:${kind}` : `${decode[0]}:<${describeRequest(decode[1](body))}>`;
  } catch {
    return '';
  }
}

const DECODE: Readonly<Record<number, readonly [name: string, decode: (body: Buffer) => unknown]>> = {
  [InternalKind.PUT]: ['put', decodePutRequest],
  [InternalKind.DELETE_RANGE]: ['delete_range', decodeDeleteRangeRequest],
  [InternalKind.TXN]: ['txn', decodeTxnRequest],
};
