import type { AuthRefusal, AuthStore, Identity } from '../auth/index.js';
import type { Lessor } from '../lease/index.js';
import type { DeleteRangeRequest, InternalRequest, PutRequest, RequestOp, TxnRequest } from '../wire/index.js';
import {
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  decodeTxnRequest,
  InternalKind,
  LeaseRevokeRequest,
  OpKind,
} from '../wire/index.js';

/** What a check reads: replicated state alone, so that every member comes to the same answer. */
export interface CheckedState {
  readonly auth: AuthStore;
  readonly lessor: Lessor;
}

/** What a request of the log needs (etcd semantics §9.3); asked before it is applied, while auth is on. */
export function checkEntry(state: CheckedState, request: InternalRequest): AuthRefusal | null {
  const { kind, body } = request;
  const who = { username: request.username, revision: request.authRevision };
  switch (kind) {
    case InternalKind.PUT:
      return checkPut(state, who, decodePutRequest(body));
    case InternalKind.DELETE_RANGE:
      return checkDelete(state, who, decodeDeleteRangeRequest(body));
    case InternalKind.TXN:
      return checkTxn(state, who, decodeTxnRequest(body));
    case InternalKind.RANGE: {
      const { key, rangeEnd } = decodeRangeRequest(body);
      return state.auth.permissions.mayRead(who, key, rangeEnd);
    }
    case InternalKind.LEASE_REVOKE:
      return checkLeaseWrite(state, who, LeaseRevokeRequest.decode(body).id);
    default:
      return ADMIN.has(kind) ? state.auth.permissions.mayAdminister(who) : null;
  }
}

/** UserGet and RoleGet are open to who asks for himself; Authenticate and the rest to all. */
const ADMIN: ReadonlySet<number> = new Set([
  InternalKind.AUTH_ENABLE,
  InternalKind.AUTH_DISABLE,
  InternalKind.AUTH_STATUS,
  InternalKind.AUTH_USER_ADD,
  InternalKind.AUTH_USER_DELETE,
  InternalKind.AUTH_USER_CHANGE_PASSWORD,
  InternalKind.AUTH_USER_GRANT_ROLE,
  InternalKind.AUTH_USER_REVOKE_ROLE,
  InternalKind.AUTH_USER_LIST,
  InternalKind.AUTH_ROLE_LIST,
  InternalKind.AUTH_ROLE_ADD,
  InternalKind.AUTH_ROLE_DELETE,
  InternalKind.AUTH_ROLE_GRANT_PERMISSION,
  InternalKind.AUTH_ROLE_REVOKE_PERMISSION,
]);

function checkPut(state: CheckedState, who: Identity, { key, lease, prevKv }: PutRequest): AuthRefusal | null {
  const { permissions } = state.auth;
  return (
    permissions.mayWrite(who, key, '') ??
    (lease === 0n ? null : checkLeaseWrite(state, who, lease)) ??
    (prevKv ? permissions.mayRead(who, key, '') : null)
  );
}

function checkDelete(state: CheckedState, who: Identity, request: DeleteRangeRequest): AuthRefusal | null {
  const { key, rangeEnd, prevKv } = request;
  const { permissions } = state.auth;
  return permissions.mayWrite(who, key, rangeEnd) ?? (prevKv ? permissions.mayRead(who, key, rangeEnd) : null);
}

/** READ for what is compared, and each operation of both branches as if it stood alone. */
export function checkTxn(state: CheckedState, who: Identity, txn: TxnRequest): AuthRefusal | null {
  for (const { key, rangeEnd } of txn.compare) {
    const refused = state.auth.permissions.mayRead(who, key, rangeEnd);
    if (refused !== null) return refused;
  }
  return checkOps(state, who, txn.success) ?? checkOps(state, who, txn.failure);
}

function checkOps(state: CheckedState, who: Identity, ops: readonly RequestOp[]): AuthRefusal | null {
  for (const op of ops) {
    const refused = checkOp(state, who, op);
    if (refused !== null) return refused;
  }
  return null;
}

function checkOp(state: CheckedState, who: Identity, op: RequestOp): AuthRefusal | null {
  switch (op.kind) {
    case OpKind.RANGE:
      return state.auth.permissions.mayRead(who, op.request.key, op.request.rangeEnd);
    case OpKind.PUT:
      return checkPut(state, who, op.request);
    case OpKind.DELETE_RANGE:
      return checkDelete(state, who, op.request);
    case OpKind.TXN:
      return checkTxn(state, who, op.request);
    default:
      return null;
  }
}

/** WRITE on every key of a lease: who may not write them may neither take them away nor keep them alive. */
export function checkLeaseWrite(state: CheckedState, who: Identity, id: bigint): AuthRefusal | null {
  const { permissions } = state.auth;
  if (permissions.mayAdminister(who) === null) return null;
  for (const key of state.lessor.keysOf(id)) {
    const refused = permissions.mayWrite(who, key, '');
    if (refused !== null) return refused;
  }
  return null;
}

/** READ on every key of a lease, for who wants to be told of them. */
export function checkLeaseRead(state: CheckedState, who: Identity, id: bigint): AuthRefusal | null {
  const { permissions } = state.auth;
  for (const key of state.lessor.keysOf(id)) {
    const refused = permissions.mayRead(who, key, '');
    if (refused !== null) return refused;
  }
  return null;
}
