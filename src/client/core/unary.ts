import { assert } from '../../util/assert.js';
import type { TimerHandle } from '../../util/env.js';
import type { Endpoint } from './endpoints.js';
import type { Repeat, Status } from './status.js';
import { CANCELED, CLOSED, cannotServe, deadlineExceeded, GrpcCode, judge, NOT_FOR_LEARNERS, OK } from './status.js';
import type { Link } from './token.js';
import { callMetadata } from './token.js';
import type { Call, UnaryDone } from './transport.js';

/** Wait after each round of endpoints; doubles, with a quarter of jitter. */
const ROUND_WAIT_MIN_MS = 25;
const ROUND_WAIT_MAX_MS = 1000;
/** Attempts of a call without a deadline, as etcd's client has it. */
const ATTEMPTS_MAX = 100;
/** How often a call comes back with "your token is stale" before that is its answer. */
const TOKEN_REFRESH_MAX = 3;
/** A read that one of several endpoints leaves unanswered is tried at the next after this share of its time. */
const READ_ATTEMPT_SHARE = 3;

export interface UnaryOptions {
  readonly repeat: Repeat;
  /** For the whole call with all its attempts; 0 is none. */
  readonly timeoutMs: number;
  readonly requireLeader: boolean;
  /** This endpoint only, whatever its state (Status, HashKV, Defragment of one member). */
  readonly endpoint: Endpoint | null;
  /** Authenticate itself goes without a token. */
  readonly anonymous: boolean;
}

/** A unary call over all endpoints: attempts, waits and a deadline. Calls back once, never before `start` returns. */
export class UnaryCall implements Call {
  readonly #link: Link;
  readonly #path: string;
  readonly #request: Buffer;
  readonly #options: UnaryOptions;
  readonly #done: UnaryDone;
  /** Clock time; Infinity is none. */
  readonly #deadlineAt: number;
  #deadlineTimer: TimerHandle | null = null;
  #waitTimer: TimerHandle | null = null;
  #attempt: Call | null = null;
  #attemptTimer: TimerHandle | null = null;
  #attemptEndpoint: Endpoint | null = null;
  #attemptToken = 0;
  #attempts = 0;
  #refreshes = 0;
  #rounds = 0;
  /** Endpoints tried in the present round. */
  #tried: Set<Endpoint> | null = null;
  #lastFailure: Status | null = null;
  #finished = false;

  constructor(link: Link, path: string, request: Buffer, options: UnaryOptions, done: UnaryDone) {
    this.#link = link;
    this.#path = path;
    this.#request = request;
    this.#options = options;
    this.#done = done;
    this.#deadlineAt = options.timeoutMs > 0 ? link.env.clock.now() + options.timeoutMs : Number.POSITIVE_INFINITY;
  }

  start(): this {
    if (this.#link.closed) {
      this.#link.env.timers.defer(() => this.#finish(CLOSED, null));
      return this;
    }
    if (this.#options.timeoutMs > 0) {
      this.#deadlineTimer = this.#link.env.timers.set(this.#options.timeoutMs, () => this.#onDeadline());
    }
    this.#next();
    return this;
  }

  /** The caller wants no answer any more; it is told so (Canceled), and late answers are dropped. */
  cancel(): void {
    this.abort(this.#uncertain ? CANCELED : { ...CANCELED, sent: false });
  }

  /** Between attempts a write is certainly not executed: only then would there be another attempt. */
  get #uncertain(): boolean {
    return this.#attempt !== null || this.#options.repeat === 'read';
  }

  abort(status: Status): void {
    if (this.#finished) return;
    this.#finish(status, null);
  }

  #next(): void {
    if (this.#finished) return;
    const { tokens, endpoints } = this.#link;
    if (!this.#options.anonymous && !tokens.ready) {
      tokens.fetch((status) => {
        if (this.#finished) return;
        if (status === null) this.#next();
        else this.#finish(status, null);
      });
      return;
    }
    const endpoint = this.#options.endpoint ?? endpoints.pick(this.#tried);
    if (endpoint === null) {
      this.#wait(endpoints.readyInMs());
      return;
    }
    this.#attempts++;
    this.#attemptEndpoint = endpoint;
    this.#attemptToken = tokens.generation;
    const remaining = this.#deadlineAt - this.#link.env.clock.now();
    if (remaining <= 0) return this.#onDeadline();
    const attempt = endpoints.connection(endpoint).unary(
      this.#path,
      this.#request,
      {
        timeoutMs: Number.isFinite(remaining) ? remaining : 0,
        metadata: this.#options.anonymous ? null : callMetadata(tokens, this.#options.requireLeader),
      },
      (status, reply) => {
        if (attempt === this.#attempt) this.#answered(endpoint, status, reply);
      },
    );
    this.#attempt = attempt;
    if (
      this.#options.repeat === 'read' &&
      !this.#options.endpoint &&
      endpoints.size > 1 &&
      Number.isFinite(remaining)
    ) {
      this.#attemptTimer = this.#link.env.timers.set(remaining / READ_ATTEMPT_SHARE, () => this.#abandon(endpoint));
    }
  }

  #answered(endpoint: Endpoint, status: Status, reply: Buffer | null): void {
    this.#endAttempt();
    const { endpoints, tokens } = this.#link;
    if (status.code === GrpcCode.OK) {
      assert(reply !== null, 'a call that succeeded has a reply');
      endpoints.good(endpoint);
      this.#finish(OK, reply);
      return;
    }
    const verdict = judge(status, this.#options.repeat);
    if (verdict === 'authenticate') {
      endpoints.good(endpoint);
      if (this.#options.anonymous || !tokens.used || this.#refreshes++ >= TOKEN_REFRESH_MAX) {
        this.#finish(status, null);
        return;
      }
      tokens.stale(this.#attemptToken);
      this.#lastFailure = status;
      this.#next();
      return;
    }
    if (!status.sent) endpoints.lost(endpoint);
    else if (cannotServe(status)) endpoints.suspect(endpoint);
    else if (status.code !== GrpcCode.DEADLINE_EXCEEDED) endpoints.good(endpoint);
    if (status.code === GrpcCode.DEADLINE_EXCEEDED && this.#deadlineAt <= this.#link.env.clock.now() + 1) {
      endpoints.suspect(endpoint);
      this.#finish(deadlineExceeded(true, this.#lastFailure), null);
      return;
    }
    // There is nobody else to ask.
    const alone = status.message === NOT_FOR_LEARNERS && (this.#options.endpoint !== null || endpoints.size === 1);
    if (verdict === 'final' || alone || (this.#attempts >= ATTEMPTS_MAX && this.#options.timeoutMs === 0)) {
      this.#finish(status, null);
      return;
    }
    this.#lastFailure = status;
    this.#retry(endpoint);
  }

  /** The next endpoint at once; after a round of all of them, a wait. */
  #retry(endpoint: Endpoint): void {
    this.#tried ??= new Set();
    this.#tried.add(endpoint);
    if (this.#tried.size < this.#link.endpoints.size && !this.#options.endpoint) {
      this.#next();
      return;
    }
    this.#tried.clear();
    const base = Math.min(ROUND_WAIT_MAX_MS, ROUND_WAIT_MIN_MS * 2 ** Math.min(this.#rounds++, 10));
    this.#wait(base + this.#link.env.rng.below(Math.ceil(base / 4)));
  }

  #wait(ms: number): void {
    this.#waitTimer = this.#link.env.timers.set(ms, () => {
      this.#waitTimer = null;
      this.#next();
    });
  }

  #abandon(endpoint: Endpoint): void {
    this.#attemptTimer = null;
    this.#attempt?.cancel();
    this.#endAttempt();
    this.#link.endpoints.suspect(endpoint);
    this.#retry(endpoint);
  }

  #onDeadline(): void {
    if (this.#finished) return;
    if (this.#attempt !== null && this.#attemptEndpoint !== null) this.#link.endpoints.suspect(this.#attemptEndpoint);
    this.#finish(deadlineExceeded(this.#uncertain, this.#lastFailure), null);
  }

  #endAttempt(): void {
    this.#attempt = null;
    if (this.#attemptTimer !== null) this.#link.env.timers.clear(this.#attemptTimer);
    this.#attemptTimer = null;
  }

  #finish(status: Status, reply: Buffer | null): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#attempt?.cancel();
    this.#endAttempt();
    if (this.#deadlineTimer !== null) this.#link.env.timers.clear(this.#deadlineTimer);
    if (this.#waitTimer !== null) this.#link.env.timers.clear(this.#waitTimer);
    this.#done(status, reply);
  }
}
