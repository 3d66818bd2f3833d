import type { PeerReply } from '../peer/api.js';
import type { Clock, Timers } from '../util/env.js';
import type { ServerErrorCode } from './errors.js';
import { isServerCode, refusal, ServerError } from './errors.js';

/** What the hub says itself where there is no answer. */
type PeerFailure = 'ERR_PEER_UNREACHABLE' | 'ERR_PEER_TIMEOUT';

/** What a call to the leader needs to know of the member; the member implements it. */
export interface LeaderView {
  /** 0n: there is none. */
  readonly leader: bigint;
  readonly memberId: bigint;
  request(to: bigint, kind: string, body: unknown, timeoutMs: number, cb: PeerReply): void;
}

/**
 * What says that this one could not be asked, leads no more, or did not hear the others in time: the next leader may do
 * better. Whatever else a leader says is its answer, and the next one would say the same.
 */
const PASSING: ReadonlySet<string> = new Set<ServerErrorCode | PeerFailure>([
  'ERR_NOT_LEADER',
  'ERR_NO_LEADER',
  'ERR_LEADER_CHANGED',
  'ERR_NOT_PRIMARY_LESSOR',
  'ERR_STOPPED',
  'ERR_TIMEOUT',
  'ERR_TIMEOUT_LEADER_FAIL',
  'ERR_TIMEOUT_CONNECTION_LOST',
  'ERR_TIMEOUT_WAIT_APPLIED',
  'ERR_DEADLINE',
  'ERR_TOO_MANY_REQUESTS',
  'ERR_PEER_UNREACHABLE',
  'ERR_PEER_TIMEOUT',
]);

/** Time between two attempts, ms. */
const RETRY_MS = 50;

/**
 * Questions that the leader alone can answer (lease renewals, remaining times, promotion readiness): asked of whoever
 * leads now, and asked again of the next one until there is an answer or the time is over (semantics 1.3).
 */
export class LeaderCalls {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #view: LeaderView;

  constructor(clock: Clock, timers: Timers, view: LeaderView) {
    this.#clock = clock;
    this.#timers = timers;
    this.#view = view;
  }

  /**
   * @param local answers when this member leads; it fails with ERR_NOT_LEADER if that is over meanwhile
   * @param until ms on the monotonic clock
   */
  call(
    kind: string,
    body: unknown,
    until: number,
    local: (cb: (err: ServerError | null, answer: unknown) => void) => void,
    cb: (err: ServerError | null, answer: unknown) => void,
  ): void {
    const again = (): void => {
      this.#timers.set(RETRY_MS, () => this.call(kind, body, until, local, cb));
    };
    const left = until - this.#clock.now();
    const { leader, memberId } = this.#view;
    if (left <= 0) return cb(refusal(leader === 0n ? 'ERR_NO_LEADER' : 'ERR_TIMEOUT'), null);
    if (leader === 0n) return again();
    if (leader === memberId) {
      local((err, answer) => (err !== null && err.code === 'ERR_NOT_LEADER' ? again() : cb(err, answer)));
      return;
    }
    this.#view.request(leader, kind, body, left, (err, answer) => {
      if (err === null) cb(null, answer);
      else if (PASSING.has(err.code)) again();
      else if (isServerCode(err.code)) cb(refusal(err.code), null);
      // Of another version, or a bug over there: said as it is.
      else cb(new ServerError('ERR_INTERNAL', err.message), null);
    });
  }
}
