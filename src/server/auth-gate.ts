import type { Identity } from '../auth/index.js';
import type { CallContext } from './api.js';
import type { ServerError } from './errors.js';

/** Who is told of a refusal. */
export interface Refused {
  fail(err: ServerError): void;
}

/**
 * Who asks, and whether they may: what a request passes before it is proposed or read (etcd semantics §9.1).
 *
 * How an rpc is guarded:
 * - One that is proposed hands its `ctx` to `MemberCore.propose`, which puts the caller's name and auth revision into
 *   the request's header; what keys need is checked when it is applied (auth-apply.ts), on replicated state alone.
 *   What the member proposes on its own account hands no ctx, and passes.
 * - One that root alone may ask (maintenance, membership, compaction) is wrapped: `gate.asRoot(ctx, done, () => ...)`;
 *   one that needs any user: `gate.asUser(ctx, done, () => ...)`. Both run the function at once while auth is off.
 */
export class AuthGate {
  /** Of replicated state. While it is false no request is looked at. */
  get enabled(): boolean {
    return false;
  }

  /** Finds out who asks; `go` is called at once, or once this member has applied the index the token was given at. */
  identify(_ctx: CallContext, _refused: Refused, go: (who: Identity | null) => void): void {
    go(null);
  }

  asUser(_ctx: CallContext, _refused: Refused, go: () => void): void {
    go();
  }

  asRoot(_ctx: CallContext, _refused: Refused, go: () => void): void {
    go();
  }
}
