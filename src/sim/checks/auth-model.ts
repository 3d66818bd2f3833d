import type { DeleteRangeRequest, InternalRequest, PutRequest, RequestOp, TxnRequest } from '../../wire/index.js';
import {
  AuthRoleAddRequest,
  AuthRoleDeleteRequest,
  AuthRoleGrantPermissionRequest,
  AuthRoleRevokePermissionRequest,
  AuthUserAddRequest,
  AuthUserChangePasswordRequest,
  AuthUserDeleteRequest,
  AuthUserGrantRoleRequest,
  AuthUserRevokeRoleRequest,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeTxnRequest,
  InternalKind,
  LeaseRevokeRequest,
  OpKind,
  PermissionType,
} from '../../wire/index.js';
import type { Kv } from '../checkers/index.js';

/** What a role may do with `key <= k < end`; end '' is the key alone, one zero byte everything from it on. */
interface Grant {
  readonly type: number;
  readonly key: string;
  readonly end: string;
}

type Right = 'read' | 'write';
type Keys = ReadonlyMap<string, Kv>;

const ROOT = 'root';

/**
 * Users, roles and permissions as they must be after each committed entry, and what they allow (etcd semantics §9): a
 * decision is a function of the log before an entry and of the entry itself. It shares nothing with auth/: no interval
 * is merged and nothing is remembered, each question goes through all grants.
 */
export class AuthModel {
  enabled = false;
  revision = 1;
  /** How many entries were refused. */
  refused = 0;
  /** The roles of each user. */
  readonly #users = new Map<string, Set<string>>();
  /** The grants of each role. */
  readonly #roles = new Map<string, Grant[]>();

  get text(): string {
    return authText(this.enabled, this.revision);
  }

  /**
   * A committed entry: if it may be done, and is about auth, it is done.
   * @param kvs the keys before it
   * @returns whether it may be done
   */
  take(request: InternalRequest, kvs: Keys): boolean {
    if (this.enabled && !this.#allows(request, kvs)) {
      this.refused++;
      return false;
    }
    if (this.#changes(request)) this.revision++;
    return true;
  }

  #allows(request: InternalRequest, kvs: Keys): boolean {
    const { kind, body, username } = request;
    const ask = new Question(this.#users, this.#roles, username, request.authRevision >= this.revision, kvs);
    switch (kind) {
      case InternalKind.PUT:
        return ask.put(decodePutRequest(body));
      case InternalKind.DELETE_RANGE:
        return ask.delete(decodeDeleteRangeRequest(body));
      case InternalKind.TXN:
        return ask.txn(decodeTxnRequest(body));
      case InternalKind.LEASE_REVOKE:
        return ask.lease(LeaseRevokeRequest.decode(body).id);
      case InternalKind.AUTH_ENABLE:
      case InternalKind.AUTH_DISABLE:
      case InternalKind.AUTH_USER_ADD:
      case InternalKind.AUTH_USER_DELETE:
      case InternalKind.AUTH_USER_CHANGE_PASSWORD:
      case InternalKind.AUTH_USER_GRANT_ROLE:
      case InternalKind.AUTH_USER_REVOKE_ROLE:
      case InternalKind.AUTH_ROLE_ADD:
      case InternalKind.AUTH_ROLE_DELETE:
      case InternalKind.AUTH_ROLE_GRANT_PERMISSION:
      case InternalKind.AUTH_ROLE_REVOKE_PERMISSION:
        return ask.isRoot;
      default:
        return true;
    }
  }

  /** @returns whether the rules have another revision now */
  #changes({ kind, body }: InternalRequest): boolean {
    switch (kind) {
      case InternalKind.AUTH_ENABLE:
        if (this.#users.get(ROOT)?.has(ROOT)) this.enabled = true;
        return false;
      case InternalKind.AUTH_DISABLE: {
        const was = this.enabled;
        this.enabled = false;
        return was;
      }
      case InternalKind.AUTH_USER_ADD: {
        const { name } = AuthUserAddRequest.decode(body);
        return name !== '' && added(this.#users, name, new Set<string>());
      }
      case InternalKind.AUTH_USER_DELETE: {
        const { name } = AuthUserDeleteRequest.decode(body);
        return !(this.enabled && name === ROOT) && this.#users.delete(name);
      }
      case InternalKind.AUTH_USER_CHANGE_PASSWORD:
        return this.#users.has(AuthUserChangePasswordRequest.decode(body).name);
      case InternalKind.AUTH_USER_GRANT_ROLE: {
        const { user, role } = AuthUserGrantRoleRequest.decode(body);
        const held = this.#users.get(user);
        // The role root need not exist.
        if (held === undefined || held.has(role) || (role !== ROOT && !this.#roles.has(role))) return false;
        held.add(role);
        return true;
      }
      case InternalKind.AUTH_USER_REVOKE_ROLE: {
        const { name, role } = AuthUserRevokeRoleRequest.decode(body);
        if (this.enabled && name === ROOT && role === ROOT) return false;
        return this.#users.get(name)?.delete(role) === true;
      }
      case InternalKind.AUTH_ROLE_ADD: {
        const { name } = AuthRoleAddRequest.decode(body);
        return name !== '' && added(this.#roles, name, []);
      }
      case InternalKind.AUTH_ROLE_DELETE: {
        const { role } = AuthRoleDeleteRequest.decode(body);
        if ((this.enabled && role === ROOT) || !this.#roles.delete(role)) return false;
        for (const held of this.#users.values()) held.delete(role);
        return true;
      }
      case InternalKind.AUTH_ROLE_GRANT_PERMISSION: {
        const { name, perm } = AuthRoleGrantPermissionRequest.decode(body);
        const grants = this.#roles.get(name);
        if (grants === undefined || perm === null || !holdsKeys(perm.key, perm.rangeEnd)) return false;
        const grant = { type: perm.permType, key: perm.key, end: perm.rangeEnd };
        this.#roles.set(name, [...grants.filter((one) => !isOf(one, perm.key, perm.rangeEnd)), grant]);
        return true;
      }
      case InternalKind.AUTH_ROLE_REVOKE_PERMISSION: {
        const { role, key, rangeEnd } = AuthRoleRevokePermissionRequest.decode(body);
        const grants = this.#roles.get(role) ?? [];
        const left = grants.filter((one) => !isOf(one, key, rangeEnd));
        if (left.length === grants.length) return false;
        this.#roles.set(role, left);
        return true;
      }
      default:
        return false;
    }
  }
}

/** One entry's rights. */
class Question {
  /** Root's own requests pass only while they are not older than the rules, as everybody's. */
  readonly isRoot: boolean;
  readonly #isCurrent: boolean;
  readonly #grants: readonly Grant[];
  readonly #kvs: Keys;

  constructor(
    users: ReadonlyMap<string, ReadonlySet<string>>,
    roles: ReadonlyMap<string, readonly Grant[]>,
    username: string,
    isCurrent: boolean,
    kvs: Keys,
  ) {
    const held = username === '' ? [] : [...(users.get(username) ?? [])];
    this.isRoot = held.includes(ROOT);
    this.#isCurrent = username !== '' && isCurrent;
    this.#grants = held.flatMap((role) => roles.get(role) ?? []);
    this.#kvs = kvs;
  }

  put({ key, lease, prevKv }: PutRequest): boolean {
    if (!this.#may('write', key, '') || (prevKv && !this.#may('read', key, ''))) return false;
    return lease === 0n || this.lease(lease);
  }

  delete({ key, rangeEnd, prevKv }: DeleteRangeRequest): boolean {
    return this.#may('write', key, rangeEnd) && (!prevKv || this.#may('read', key, rangeEnd));
  }

  /** Both branches, whichever is taken. */
  txn({ compare, success, failure }: TxnRequest): boolean {
    if (!compare.every(({ key, rangeEnd }) => this.#may('read', key, rangeEnd))) return false;
    return [...success, ...failure].every((op) => this.#op(op));
  }

  /** A lease takes its keys with it. */
  lease(id: bigint): boolean {
    if (this.isRoot) return true;
    const lease = id.toString();
    for (const kv of this.#kvs.values()) if (kv.lease === lease && !this.#may('write', kv.key, '')) return false;
    return true;
  }

  #op({ kind, request }: RequestOp): boolean {
    switch (kind) {
      case OpKind.RANGE:
        return this.#may('read', request.key, request.rangeEnd);
      case OpKind.PUT:
        return this.put(request);
      case OpKind.DELETE_RANGE:
        return this.delete(request);
      case OpKind.TXN:
        return this.txn(request);
      default:
        return true;
    }
  }

  /** From grant to grant, each beginning at or before the point that those so far lead to, until the end is reached. */
  #may(right: Right, key: string, rangeEnd: string): boolean {
    if (!this.#isCurrent) return false;
    if (this.isRoot) return true;
    const other = right === 'read' ? PermissionType.WRITE : PermissionType.READ;
    const grants = this.#grants.filter(({ type }) => type !== other);
    const end = endOf(key, rangeEnd);
    for (let point = key; ; ) {
      let next: string | null = point;
      for (const grant of grants) {
        const upTo = endOf(grant.key, grant.end);
        if (grant.key > point || (upTo !== null && upTo <= point)) continue;
        if (upTo === null) next = null;
        else if (next !== null && upTo > next) next = upTo;
      }
      if (next === null) return true;
      if (next === point) return false;
      if (end !== null && end <= next) return true;
      point = next;
    }
  }
}

export function authText(enabled: boolean, revision: number): string {
  return `${enabled ? 'on' : 'off'} at ${revision}`;
}

function endOf(key: string, rangeEnd: string): string | null {
  return rangeEnd === '' ? `${key}\0` : rangeEnd === '\0' ? null : rangeEnd;
}

function holdsKeys(key: string, rangeEnd: string): boolean {
  return key !== '' && (rangeEnd === '' || rangeEnd === '\0' || rangeEnd > key);
}

function isOf(grant: Grant, key: string, rangeEnd: string): boolean {
  return grant.key === key && grant.end === rangeEnd;
}

function added<V>(map: Map<string, V>, name: string, value: V): boolean {
  if (map.has(name)) return false;
  map.set(name, value);
  return true;
}
