import type { Backend } from '../storage/backend/index.js';
import type {
  AuthRoleGrantPermissionRequest,
  AuthRoleRevokePermissionRequest,
  AuthUserAddRequest,
  AuthUserChangePasswordRequest,
  Permission,
  User,
} from '../wire/index.js';
import { PermissionType } from '../wire/index.js';
import type { AuthRows } from './auth-tables.js';
import { AuthTables, sortNames } from './auth-tables.js';
import { Permissions } from './permissions.js';
import type { AuthRefusal, TokenEvents } from './types.js';
import { ROOT } from './types.js';

export interface AuthStoreOptions {
  /** Bugs put back on purpose. */
  readonly mutants?: ReadonlySet<string>;
}

/** A permission over every key, which role root has without holding it. */
const ROOT_PERMISSION: Permission = { permType: PermissionType.READWRITE, key: '', rangeEnd: '\0' };

/**
 * Users, roles and permissions as replicated state (etcd semantics §9): each change is one entry of the log, and what it
 * does depends on the entry and the tables alone. Every change that took place raises the auth revision by one; the
 * checks that follow are Permissions'.
 */
export class AuthStore {
  readonly permissions: Permissions;
  readonly #tables: AuthTables;
  readonly #mutants: ReadonlySet<string>;
  /** Told of what ends tokens; set by who keeps them. */
  tokens: TokenEvents | null = null;
  /** After every change of the rules, and after a load. */
  onChanged: (() => void) | null = null;

  constructor(backend: Backend, options: AuthStoreOptions = {}) {
    this.#tables = new AuthTables(backend);
    this.permissions = new Permissions(this.#tables);
    this.#mutants = options.mutants ?? new Set();
  }

  get enabled(): boolean {
    return this.#tables.enabled;
  }

  get revision(): number {
    return this.#tables.revision;
  }

  /** @param fromSnapshot the rows were replaced while the member runs */
  load(backend: Backend, rows: AuthRows, fromSnapshot = false): void {
    if (fromSnapshot && this.#mutants.has('63')) return this.#tables.moveTo(backend);
    // Museum 62: the revision of a member that started anew is its own.
    this.#tables.load(backend, this.#mutants.has('62') ? { ...rows, auth: rows.auth.filter(isNoRevision) } : rows);
    this.permissions.reset();
    this.onChanged?.();
  }

  user(name: string): User | undefined {
    return this.#tables.users.get(name);
  }

  userNames(): string[] {
    return sortNames(this.#tables.users.keys());
  }

  roleNames(): string[] {
    return sortNames(this.#tables.roles.keys());
  }

  permissionsOf(role: string): readonly Permission[] | null {
    const found = this.#tables.roles.get(role);
    if (found === undefined) return null;
    return role === ROOT ? [ROOT_PERMISSION] : found.keyPermission;
  }

  // --- on and off ---

  enable(): AuthRefusal | null {
    if (this.enabled) return null;
    const root = this.user(ROOT);
    if (root === undefined) return 'root-user-missing';
    if (!root.roles.includes(ROOT)) return 'root-role-missing';
    this.#tables.setEnabled(true);
    this.permissions.reset();
    this.onChanged?.();
    return null;
  }

  disable(): void {
    if (!this.enabled) return;
    this.#tables.setEnabled(false);
    this.tokens?.authDisabled();
    this.#changed();
  }

  // --- users ---

  userAdd({ name, options, hashedPassword }: AuthUserAddRequest): AuthRefusal | null {
    if (name === '') return 'user-empty';
    if (this.user(name) !== undefined) return 'user-exists';
    const noPassword = options?.noPassword === true;
    const password = noPassword ? '' : decodeHash(hashedPassword);
    if (password === null) return 'no-password-user';
    this.#tables.putUser({ name, password, roles: [], options: { noPassword } });
    this.#changed();
    return null;
  }

  userDelete(name: string): AuthRefusal | null {
    if (this.enabled && name === ROOT) return 'invalid-management';
    if (this.user(name) === undefined) return 'user-not-found';
    this.#tables.deleteUser(name);
    this.tokens?.userInvalidated(name);
    this.#changed();
    return null;
  }

  userChangePassword({ name, hashedPassword }: AuthUserChangePasswordRequest): AuthRefusal | null {
    const user = this.user(name);
    if (user === undefined) return 'user-not-found';
    const password = user.options?.noPassword === true ? '' : decodeHash(hashedPassword);
    if (password === null) return 'no-password-user';
    this.#tables.putUser({ ...user, password });
    this.tokens?.userInvalidated(name);
    this.#changed();
    return null;
  }

  userGrantRole(name: string, role: string): AuthRefusal | null {
    const user = this.user(name);
    if (user === undefined) return 'user-not-found';
    if (role !== ROOT && !this.#tables.roles.has(role)) return 'role-not-found';
    if (user.roles.includes(role)) return null;
    this.#tables.putUser({ ...user, roles: sortNames([...user.roles, role]) });
    this.#changed();
    return null;
  }

  userRevokeRole(name: string, role: string): AuthRefusal | null {
    if (this.enabled && name === ROOT && role === ROOT) return 'invalid-management';
    const user = this.user(name);
    if (user === undefined) return 'user-not-found';
    if (!user.roles.includes(role)) return 'role-not-granted';
    this.#tables.putUser({ ...user, roles: user.roles.filter((held) => held !== role) });
    this.#changed();
    return null;
  }

  // --- roles ---

  roleAdd(name: string): AuthRefusal | null {
    if (name === '') return 'role-empty';
    if (this.#tables.roles.has(name)) return 'role-exists';
    this.#tables.putRole({ name, keyPermission: [] });
    this.#changed();
    return null;
  }

  roleDelete(name: string): AuthRefusal | null {
    if (this.enabled && name === ROOT) return 'invalid-management';
    if (!this.#tables.roles.has(name)) return 'role-not-found';
    this.#tables.deleteRole(name);
    for (const user of this.#tables.users.values()) {
      if (!user.roles.includes(name)) continue;
      this.#tables.putUser({ ...user, roles: user.roles.filter((held) => held !== name) });
    }
    this.#changed();
    return null;
  }

  roleGrantPermission({ name, perm }: AuthRoleGrantPermissionRequest): AuthRefusal | null {
    if (perm === null) return 'permission-not-given';
    if (!isValidRange(perm.key, perm.rangeEnd)) return 'invalid-management';
    const role = this.#tables.roles.get(name);
    if (role === undefined) return 'role-not-found';
    const same = role.keyPermission.findIndex((p) => p.key === perm.key && p.rangeEnd === perm.rangeEnd);
    const keyPermission =
      same < 0 ? [...role.keyPermission, perm].sort(compareKeys) : role.keyPermission.with(same, perm);
    this.#tables.putRole({ ...role, keyPermission });
    this.#changed();
    return null;
  }

  roleRevokePermission({ role: name, key, rangeEnd }: AuthRoleRevokePermissionRequest): AuthRefusal | null {
    const role = this.#tables.roles.get(name);
    if (role === undefined) return 'role-not-found';
    const keyPermission = role.keyPermission.filter((p) => p.key !== key || p.rangeEnd !== rangeEnd);
    if (keyPermission.length === role.keyPermission.length) return 'permission-not-granted';
    this.#tables.putRole({ ...role, keyPermission });
    this.#changed();
    return null;
  }

  #changed(): void {
    this.#tables.bumpRevision();
    this.permissions.reset();
    this.onChanged?.();
  }
}

/** By key alone: those of one key stay in the order they were given in. */
function compareKeys(a: Permission, b: Permission): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** A permission must be able to hold a key. */
function isValidRange(key: string, rangeEnd: string): boolean {
  return key !== '' && (rangeEnd === '' || rangeEnd === '\0' || key < rangeEnd);
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The hash that an entry of the log carries in base64; null if that is none. */
function decodeHash(text: string): string | null {
  return BASE64.test(text) ? Buffer.from(text, 'base64').toString() : null;
}

function isNoRevision([key]: readonly [Buffer, Buffer]): boolean {
  return key.toString() !== 'authRevision';
}
