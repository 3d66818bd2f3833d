import type { MemberApi } from '../server/index.js';
import type { UnlockRequest } from '../wire/index.js';
import { Lock, LockRequest, LockResponse, UnlockResponse } from '../wire/index.js';
import type { StreamCall, UnaryCall } from './call.js';
import type { Status } from './errors.js';
import { headerOf } from './header.js';
import { createdAt, firstOp, getOp, putOp, Requests, rowOf, sessionKey, unknown } from './keys-in-order.js';
import type { Route, StreamContext } from './route.js';
import { stream, unary } from './route.js';
import { Waiter } from './waiter.js';

/** v3lockpb.Lock. */
export const lockRoutes: Route[] = [
  stream(Lock.Lock, (member, call, context) => new LockCall(member, call, context)),
  unary(Lock.Unlock, unlock),
];

const NOTHING = Buffer.alloc(0);

/** Puts the session's key, or finds it, and waits until no older one is left (etcd semantics §11). */
class LockCall extends Waiter<LockRequest> {
  #name = '';
  #key = '';

  constructor(member: MemberApi, call: StreamCall, context: StreamContext) {
    super(member, call, context, LockRequest);
  }

  protected run({ name, lease }: LockRequest): void {
    this.#name = name;
    this.requests.session(lease, (id) => this.#acquire(id));
  }

  #acquire(lease: bigint): void {
    const key = sessionKey(this.#name, lease);
    const ours = [putOp(key, NOTHING, lease), firstOp(this.#name)];
    this.requests.txn(createdAt(key, 0), ours, [getOp(key), firstOp(this.#name)], (result) => {
      const createRevision = result.succeeded ? result.revision : (rowOf(result, 0)?.createRevision ?? 0);
      const owner = rowOf(result, 1);
      if (owner === null || owner.createRevision === createRevision) return this.#locked(key, result.revision);
      this.#key = key;
      this.waitDeletes(this.#name, createRevision - 1, () => this.#verify());
    });
  }

  /** The lease may have ended while this waited, and its key with it. */
  #verify(): void {
    this.requests.get(this.#key, (revision, kv) => {
      if (kv === null) this.end(unknown('mutex: session is expired'));
      else this.#locked(this.#key, revision);
    });
  }

  #locked(key: string, revision: number): void {
    this.reply(LockResponse.encode({ header: headerOf(this.member, revision), key }));
  }

  protected override failed(status: Status): void {
    if (this.#key !== '') this.abandon();
    this.end(status);
  }

  /** Its place is given up. Should that fail as well, the lease's end does it. */
  protected abandon(): void {
    const key = this.#key;
    if (key === '') return;
    this.#key = '';
    this.afterwards().delete(key, () => {});
  }
}

function unlock(member: MemberApi, { key }: UnlockRequest, call: UnaryCall): void {
  new Requests(member, call, (status) => call.refuse(status)).delete(key, (revision) =>
    call.reply(UnlockResponse.encode({ header: headerOf(member, revision) })),
  );
}
