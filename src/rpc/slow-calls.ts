import type { Clock } from '../util/env.js';
import type { Logger } from '../util/log.js';
import type { Rpc } from '../wire/index.js';
import { describeRequest } from '../wire/index.js';

/** What is told of a call that took long. */
export interface TimedCall {
  readonly request: Buffer;
  readonly remote?: string | undefined;
}

/** Logs unary calls that take longer than --warning-unary-request-duration, in etcd's words. */
export class SlowCalls {
  readonly warningMs: number;
  readonly #log: Logger;
  readonly #clock: Pick<Clock, 'wall'>;

  constructor(warningMs: number, log: Logger, clock: Pick<Clock, 'wall'>) {
    this.warningMs = warningMs;
    this.#log = log.with({ caller: 'rpc/slow-calls.ts' });
    this.#clock = clock;
  }

  /** @param took ms @param bytes of the answer */
  note(rpc: Rpc, { request, remote = '' }: TimedCall, took: number, bytes: number): void {
    this.#log.warn('request stats', {
      'start time': new Date(this.#clock.wall() - took).toISOString(),
      'time spent': `${took.toFixed(3)}ms`,
      remote,
      'response type': rpc.path,
      'request size': request.length,
      'response size': bytes,
      'request content': contentOf(rpc, request),
    });
  }
}

/** Decoded once more: it is rare. */
function contentOf(rpc: Rpc, request: Buffer): string {
  try {
    return describeRequest(rpc.request.decode(request));
  } catch {
    return '';
  }
}
