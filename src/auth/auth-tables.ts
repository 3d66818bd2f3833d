import type { Backend } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import { Role, User } from '../wire/index.js';

/** The rows of the three buckets, as they were read. */
export interface AuthRows {
  readonly auth: readonly (readonly [Buffer, Buffer])[];
  readonly users: readonly Buffer[];
  readonly roles: readonly Buffer[];
}

const ENABLED = Buffer.from('authEnabled');
const REVISION = Buffer.from('authRevision');

/**
 * Users, roles and the two counters, in memory and as rows in etcd's buckets (etcd wire §7.4): `auth` holds authEnabled
 * (one byte) and authRevision (8 bytes, big endian), `authUsers` and `authRoles` the messages by name.
 *
 * A new store has no row at all and stands at revision 1, where etcd's members write that row at their first start.
 */
export class AuthTables {
  readonly users = new Map<string, User>();
  readonly roles = new Map<string, Role>();
  enabled = false;
  revision = 1;
  #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Museum 63: another store, and the tables as they were. */
  moveTo(backend: Backend): void {
    this.#backend = backend;
  }

  load(backend: Backend, rows: AuthRows): void {
    this.#backend = backend;
    this.enabled = false;
    this.revision = 1;
    for (const [key, value] of rows.auth) {
      if (key.equals(ENABLED)) this.enabled = value.length === 1 && value[0] === 1;
      if (key.equals(REVISION) && value.length === 8) this.revision = Math.max(1, Number(value.readBigUInt64BE()));
    }
    this.users.clear();
    for (const row of rows.users) {
      const user = User.decode(row);
      this.users.set(user.name, user);
    }
    this.roles.clear();
    for (const row of rows.roles) {
      const role = Role.decode(row);
      this.roles.set(role.name, role);
    }
  }

  putUser(user: User): void {
    this.users.set(user.name, user);
    this.#backend.put(Bucket.authUsers, Buffer.from(user.name), User.encode(user));
  }

  deleteUser(name: string): void {
    this.users.delete(name);
    this.#backend.del(Bucket.authUsers, Buffer.from(name));
  }

  putRole(role: Role): void {
    this.roles.set(role.name, role);
    this.#backend.put(Bucket.authRoles, Buffer.from(role.name), Role.encode(role));
  }

  deleteRole(name: string): void {
    this.roles.delete(name);
    this.#backend.del(Bucket.authRoles, Buffer.from(name));
  }

  setEnabled(enabled: boolean): void {
    this.enabled = enabled;
    this.#backend.put(Bucket.auth, ENABLED, Buffer.from([enabled ? 1 : 0]));
  }

  bumpRevision(): void {
    this.revision++;
    const value = Buffer.allocUnsafeSlow(8);
    value.writeBigUInt64BE(BigInt(this.revision));
    this.#backend.put(Bucket.auth, REVISION, value);
  }
}

/** Names in the order of their bytes, which is not that of JavaScript's strings. */
export function sortNames(names: Iterable<string>): string[] {
  return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
