import type { Endpoints } from './endpoints.js';
import type { ClientEnv } from './env.js';
import type { Status } from './status.js';
import type { Metadata } from './transport.js';

/** Fetches a token: the Authenticate call, made by the core with the client's own name and password. */
export type Authenticate = (done: (status: Status, token: string) => void) => void;

/**
 * The token that calls carry once the client was given a user. One Authenticate call serves all that wait.
 *
 *   none --want--> fetching --> have --stale--> none
 */
export class TokenSource {
  readonly #authenticate: Authenticate | null;
  #token: string | null = null;
  #fetching = false;
  #waiting: ((status: Status | null) => void)[] = [];
  /** Counts tokens, so that many calls that failed with one token refresh it once. */
  #generation = 0;
  /** The server answered "authentication is not enabled": go without. */
  #off = false;

  constructor(authenticate: Authenticate | null) {
    this.#authenticate = authenticate;
  }

  /** False if calls go without a token. */
  get used(): boolean {
    return this.#authenticate !== null;
  }

  /** True if a call may start now; otherwise call `fetch` first. */
  get ready(): boolean {
    return this.#authenticate === null || this.#off || this.#token !== null;
  }

  get generation(): number {
    return this.#generation;
  }

  get token(): string | null {
    return this.#token;
  }

  /** The server refused the token of `generation`; a newer one is not thrown away. */
  stale(generation: number): void {
    if (generation !== this.#generation) return;
    this.#token = null;
    this.#off = false;
  }

  /** @param done null when a token (or none) may be used, else why not */
  fetch(done: (status: Status | null) => void): void {
    this.#waiting.push(done);
    if (this.#fetching || this.#authenticate === null) return;
    this.#fetching = true;
    this.#authenticate((status, token) => {
      this.#fetching = false;
      this.#generation++;
      this.#off = status.message === 'etcdserver: authentication is not enabled';
      this.#token = status.code === 0 ? token : null;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake(status.code === 0 || this.#off ? null : status);
    });
  }
}

/** What calls and streams share: the environment, where to send, and what to send along. */
export interface Link {
  readonly env: ClientEnv;
  readonly endpoints: Endpoints;
  readonly tokens: TokenSource;
  /** True after close. */
  closed: boolean;
}

/** @returns the metadata of a call, with the present token; null for none */
export function callMetadata(tokens: TokenSource, requireLeader: boolean): Metadata | null {
  const token = tokens.token;
  if (token === null) return requireLeader ? REQUIRE_LEADER : null;
  return requireLeader ? { hasleader: 'true', token } : { token };
}

/** A member that knows no leader refuses calls with it, and ends streams that have it. */
const REQUIRE_LEADER: Metadata = Object.freeze({ hasleader: 'true' });
