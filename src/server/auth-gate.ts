import type { AuthRefusal, AuthStore, Identity, TokenProvider } from '../auth/index.js';
import { NOBODY, ROOT } from '../auth/index.js';
import type { Lessor } from '../lease/index.js';
import type { TxnRequest } from '../wire/index.js';
import type { AuthGuard, CallContext, Refused } from './api.js';
import { checkLeaseRead, checkLeaseWrite, checkTxn } from './auth-checks.js';
import { authRefusal } from './auth-errors.js';
import { refusal } from './errors.js';

/** What the gate must know of the member. */
export interface GateView {
  readonly appliedIndex: number;
  now(): number;
  /** ms, monotonic: when the call is given up. */
  until(ctx: CallContext): number;
}

interface Waiting {
  readonly index: number;
  readonly until: number;
  readonly token: string;
  readonly refused: Refused;
  readonly go: (who: Identity) => void;
}

/** For what the process asks of its own member, such as whether it can read: in nobody's name, and allowed. */
export const ON_ITS_OWN: CallContext = Object.freeze({ deadline: 0 });

/** Calls with a token that this member has not heard of yet. */
const WAITING_MAX = 10_000;

/**
 * Who asks, and whether they may: what a request passes before it is proposed or read (etcd semantics §9.1).
 *
 * How an rpc is guarded:
 * - One that is proposed hands its `ctx` to `MemberCore.propose`, which puts the caller's name and auth revision into
 *   the request's header; what keys need is checked when it is applied (auth-checks.ts), on replicated state alone.
 *   What the member proposes on its own account hands no ctx, and passes.
 * - One that root alone may ask (maintenance, membership, compaction), or any user, is wrapped where it is routed:
 *   `unary(Maintenance.Hash, asRoot(hash))`, `unary(Lease.LeaseGrant, asUser(grant))` (rpc/auth-rule.ts). Where
 *   something must be checked before, the handler calls `member.guard.asRoot(call, call, () => ...)` itself.
 * - A read is checked behind its round of ReadIndex, and once more when it is done (`read`).
 * All of them go on at once while auth is off.
 */
export class AuthGate implements AuthGuard {
  readonly #auth: AuthStore;
  readonly #tokens: TokenProvider;
  readonly #lessor: Lessor;
  readonly #view: GateView;
  #waiting: Waiting[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(auth: AuthStore, tokens: TokenProvider, lessor: Lessor, view: GateView) {
    this.#auth = auth;
    this.#tokens = tokens;
    this.#lessor = lessor;
    this.#view = view;
    auth.onChanged = () => {
      for (const listener of [...this.#listeners]) listener();
    };
  }

  get enabled(): boolean {
    return this.#auth.enabled;
  }

  /** Finds out who asks; null: nobody says. `go` is called at once, or once the index the token names is applied. */
  identify(ctx: CallContext, refused: Refused, go: (who: Identity | null) => void): void {
    if (!this.enabled) return go(null);
    if (ctx === ON_ITS_OWN) return go({ username: ROOT, revision: this.#auth.revision });
    const { token } = ctx;
    if (token === undefined) {
      const { certificateName } = ctx;
      const named = certificateName !== undefined && certificateName !== '';
      return go(named ? { username: certificateName, revision: this.#auth.revision } : null);
    }
    const index = this.#tokens.indexOf(token);
    if (index === null) return refused.fail(INVALID_TOKEN);
    if (index <= this.#view.appliedIndex) return this.#named(token, refused, go);
    if (this.#waiting.length >= WAITING_MAX) return refused.fail(refusal('ERR_TOO_MANY_REQUESTS'));
    this.#waiting.push({ index, until: this.#view.until(ctx), token, refused, go });
  }

  asUser(ctx: CallContext, refused: Refused, go: () => void): void {
    this.#allow(ctx, refused, (who) => this.#auth.permissions.mayConnect(who), go);
  }

  asRoot(ctx: CallContext, refused: Refused, go: () => void): void {
    this.#allow(ctx, refused, (who) => this.#auth.permissions.mayAdminister(who), go);
  }

  toRead(key: string, rangeEnd: string, ctx: CallContext, refused: Refused, go: (who: Identity) => void): void {
    this.#allow(ctx, refused, (who) => this.#auth.permissions.mayRead(who, key, rangeEnd), go);
  }

  toTransact(txn: TxnRequest, ctx: CallContext, refused: Refused, go: (who: Identity) => void): void {
    const state = { auth: this.#auth, lessor: this.#lessor };
    this.#allow(ctx, refused, (who) => checkTxn(state, who, txn), go);
  }

  /** WRITE on the keys of a lease. */
  toRenew(id: bigint, ctx: CallContext, refused: Refused, go: () => void): void {
    const state = { auth: this.#auth, lessor: this.#lessor };
    this.#allow(ctx, refused, (who) => this.#auth.permissions.mayConnect(who) ?? checkLeaseWrite(state, who, id), go);
  }

  /** READ on the keys of the leases, if they are to be told. */
  toSeeLeases(ids: readonly bigint[], keys: boolean, ctx: CallContext, refused: Refused, go: () => void): void {
    const state = { auth: this.#auth, lessor: this.#lessor };
    const check = (who: Identity): AuthRefusal | null => {
      const no = this.#auth.permissions.mayConnect(who);
      if (no !== null || !keys) return no;
      for (const id of ids) {
        const unseen = checkLeaseRead(state, who, id);
        if (unseen !== null) return unseen;
      }
      return null;
    };
    this.#allow(ctx, refused, check, go);
  }

  /** The rules have not changed since the caller was identified; an answer made meanwhile may not be given out else. */
  isCurrent(who: Identity): boolean {
    return who.revision === 0 || who.revision === this.#auth.revision;
  }

  mayStillRead(username: string, key: string, rangeEnd: string): boolean {
    const who = { username, revision: this.#auth.revision };
    return this.#auth.permissions.mayRead(who, key, rangeEnd) === null;
  }

  onRulesChanged(cb: () => void): { end(): void } {
    const listener = (): void => cb();
    this.#listeners.add(listener);
    return { end: () => void this.#listeners.delete(listener) };
  }

  nameOf(ctx: CallContext): string {
    if (!this.enabled) return '';
    const { token, certificateName } = ctx;
    if (token === undefined) return certificateName ?? '';
    return this.#tokens.identify(token, 0)?.username ?? '';
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** More has been applied, or time has passed. */
  wake(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    const now = this.#view.now();
    for (const one of waiting) {
      if (one.index <= this.#view.appliedIndex) this.#named(one.token, one.refused, one.go);
      else if (one.until <= now) one.refused.fail(INVALID_TOKEN);
      else this.#waiting.push(one);
    }
  }

  failAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { refused } of waiting) refused.fail(refusal('ERR_STOPPED'));
  }

  #named(token: string, refused: Refused, go: (who: Identity) => void): void {
    const who = this.#tokens.identify(token, this.#auth.revision);
    if (who === null) refused.fail(INVALID_TOKEN);
    else go(who);
  }

  #allow(
    ctx: CallContext,
    refused: Refused,
    check: (who: Identity) => AuthRefusal | null,
    go: (who: Identity) => void,
  ): void {
    if (!this.enabled) return go(NOBODY);
    this.identify(ctx, refused, (named) => {
      const who = named ?? NOBODY;
      const no = check(who);
      if (no === null) go(who);
      else refused.fail(authRefusal(no));
    });
  }
}

const INVALID_TOKEN = refusal('ERR_INVALID_AUTH_TOKEN');
