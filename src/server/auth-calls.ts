import type { AuthStore, TokenProvider } from '../auth/index.js';
import { LoginLimiter } from '../auth/index.js';
import type { Clock, SlowCrypto } from '../util/env.js';
import type { Logger } from '../util/log.js';
import {
  AuthUserAddRequest,
  AuthUserChangePasswordRequest,
  InternalAuthenticateRequest,
  InternalKind,
} from '../wire/index.js';
import type { AuthApi, CallContext, Completion } from './api.js';
import { authRefusal } from './auth-errors.js';
import { refusal, ServerError } from './errors.js';

/** What the calls need of the member. */
export interface AuthCallsView {
  propose(kind: number, body: Buffer, done: Completion<never>, ctx: CallContext | null): void;
  /** Runs behind a round of ReadIndex. */
  whenCurrent(done: { fail(err: ServerError): void }, go: () => void): void;
  asRoot(ctx: CallContext, done: { fail(err: ServerError): void }, go: () => void): void;
}

/** Passwords that wait for the hashing thread; each costs it some 60 ms. */
const HASHES_MAX = 64;

/** The Auth service as the member offers it: passwords are hashed and checked here, before anything is proposed. */
export class AuthCalls implements AuthApi {
  readonly #auth: AuthStore;
  readonly #tokens: TokenProvider;
  readonly #env: { readonly crypto: SlowCrypto; readonly clock: Clock };
  readonly #cost: number;
  readonly #view: AuthCallsView;
  readonly #log: Logger;
  readonly #limiter = new LoginLimiter();
  #hashes = 0;

  constructor(
    auth: AuthStore,
    tokens: TokenProvider,
    env: { readonly crypto: SlowCrypto; readonly clock: Clock },
    cost: number,
    view: AuthCallsView,
    log: Logger,
  ) {
    this.#auth = auth;
    this.#tokens = tokens;
    this.#env = env;
    this.#cost = cost;
    this.#view = view;
    this.#log = log;
  }

  ask<T>(kind: number, request: Buffer, ctx: CallContext, done: Completion<T>): void {
    this.#view.propose(kind, request, done, ctx);
  }

  /** The entry has the hash, never the password. */
  userAdd(req: AuthUserAddRequest, ctx: CallContext, done: Completion<void>): void {
    const propose = (hashedPassword: string): void => {
      const body = AuthUserAddRequest.encode({ ...req, password: '', hashedPassword });
      this.#view.propose(InternalKind.AUTH_USER_ADD, body, done, ctx);
    };
    if (req.options?.noPassword === true) return propose('');
    // Asked again when it is applied; here so that a stranger's password costs nothing.
    this.#view.asRoot(ctx, done, () => this.#hash(req.password, done, propose));
  }

  userChangePassword(req: AuthUserChangePasswordRequest, ctx: CallContext, done: Completion<void>): void {
    const propose = (hashedPassword: string): void => {
      const body = AuthUserChangePasswordRequest.encode({ ...req, password: '', hashedPassword });
      this.#view.propose(InternalKind.AUTH_USER_CHANGE_PASSWORD, body, done, ctx);
    };
    // As in etcd, an empty password is stored as no hash: nobody can log in with it.
    if (req.password === '') return propose('');
    this.#view.asRoot(ctx, done, () => this.#hash(req.password, done, propose));
  }

  authenticate(name: string, password: string, ctx: CallContext, done: Completion<string>): void {
    const who = `${name}\n${hostOf(ctx.remote)}`;
    if (this.#limiter.wait(who, this.#env.clock.now()) > 0) return done.fail(refusal('ERR_TOO_MANY_REQUESTS'));
    this.#view.whenCurrent(done, () => this.#check(name, password, who, done));
  }

  #check(name: string, password: string, who: string, done: Completion<string>): void {
    if (!this.#auth.enabled) return done.fail(authRefusal('not-enabled'));
    const failed = (): void => {
      this.#limiter.failed(who, this.#env.clock.now());
      this.#log.warn('invalid authentication was requested', { user: name, remote: who.slice(name.length + 1) });
      done.fail(authRefusal('auth-failed'));
    };
    const user = this.#auth.user(name);
    if (user === undefined) return failed();
    if (user.options?.noPassword === true) return done.fail(authRefusal('no-password-user'));
    const { revision } = this.#auth;
    if (!this.#take(done)) return;
    this.#env.crypto.bcryptCompare(password, user.password, (err, same) => {
      this.#hashes--;
      if (err !== null) return done.fail(new ServerError('ERR_INTERNAL', err.message));
      if (!same) return failed();
      this.#limiter.succeeded(who);
      this.#assign(name, password, who, revision, done);
    });
  }

  /** The password was right at `revision`; where the rules changed before the token was made, it is checked anew. */
  #assign(name: string, password: string, who: string, revision: number, done: Completion<string>): void {
    const body = InternalAuthenticateRequest.encode({ name, password: '', simpleToken: this.#tokens.prefix() });
    const answer: Completion<string> = {
      ok: (token) => {
        if (this.#auth.revision === revision) done.ok(token);
        else this.#check(name, password, who, done);
      },
      fail: (err) => done.fail(err),
    };
    this.#view.propose(InternalKind.AUTHENTICATE, body, answer, null);
  }

  #hash(password: string, done: Completion<void>, go: (hash: string) => void): void {
    if (!this.#take(done)) return;
    this.#env.crypto.bcryptHash(password, this.#cost, (err, hash) => {
      this.#hashes--;
      if (err !== null) done.fail(new ServerError('ERR_INTERNAL', err.message));
      else go(Buffer.from(hash).toString('base64'));
    });
  }

  #take(done: { fail(err: ServerError): void }): boolean {
    if (this.#hashes >= HASHES_MAX) {
      done.fail(refusal('ERR_TOO_MANY_REQUESTS'));
      return false;
    }
    this.#hashes++;
    return true;
  }
}

/** Without the port, which is another one with each connection. */
function hostOf(remote: string | undefined): string {
  return remote === undefined ? '' : remote.replace(/:\d+$/, '');
}
