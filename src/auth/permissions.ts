import { PermissionType } from '../wire/index.js';
import type { AuthTables } from './auth-tables.js';
import type { KeyRange } from './key-ranges.js';
import { KeyRanges, rangeOf } from './key-ranges.js';
import type { AuthRefusal, Identity } from './types.js';
import { ROOT } from './types.js';

interface UserRanges {
  readonly read: KeyRanges;
  readonly write: KeyRanges;
}

/**
 * Who may do what (etcd semantics §9.3). Every question has the same order of answers: nobody was named, the caller's
 * identity is older than the rules, the permission itself.
 *
 * A user's ranges are the union over its roles, made when they are first asked for and dropped with every change of
 * the rules: what is remembered follows from the tables alone.
 */
export class Permissions {
  readonly #tables: AuthTables;
  readonly #ranges = new Map<string, UserRanges>();

  constructor(tables: AuthTables) {
    this.#tables = tables;
  }

  /** The rules have changed. */
  reset(): void {
    this.#ranges.clear();
  }

  mayRead(who: Identity, key: string, rangeEnd: string): AuthRefusal | null {
    return this.#may(who, key, rangeEnd, 'read');
  }

  mayWrite(who: Identity, key: string, rangeEnd: string): AuthRefusal | null {
    return this.#may(who, key, rangeEnd, 'write');
  }

  /** Root alone; the identity's revision does not matter (etcd semantics §9.1). */
  mayAdminister(who: Identity): AuthRefusal | null {
    if (!this.#tables.enabled) return null;
    if (who.username === '') return 'user-empty';
    return this.isRoot(who.username) ? null : 'permission-denied';
  }

  /** Any user there is. */
  mayConnect(who: Identity): AuthRefusal | null {
    if (!this.#tables.enabled) return null;
    return who.username === '' ? 'user-empty' : null;
  }

  isRoot(username: string): boolean {
    return this.hasRole(username, ROOT);
  }

  hasRole(username: string, role: string): boolean {
    return this.#tables.users.get(username)?.roles.includes(role) === true;
  }

  #may(who: Identity, key: string, rangeEnd: string, kind: keyof UserRanges): AuthRefusal | null {
    const tables = this.#tables;
    if (!tables.enabled) return null;
    if (who.revision === 0 || who.username === '') return 'user-empty';
    if (who.revision < tables.revision) return 'old-revision';
    if (this.isRoot(who.username)) return null;
    return this.#of(who.username)[kind].covers(rangeOf(key, rangeEnd)) ? null : 'permission-denied';
  }

  #of(username: string): UserRanges {
    let ranges = this.#ranges.get(username);
    if (ranges === undefined) {
      ranges = this.#compute(username);
      this.#ranges.set(username, ranges);
    }
    return ranges;
  }

  #compute(username: string): UserRanges {
    const read: KeyRange[] = [];
    const write: KeyRange[] = [];
    for (const name of this.#tables.users.get(username)?.roles ?? []) {
      for (const { permType, key, rangeEnd } of this.#tables.roles.get(name)?.keyPermission ?? []) {
        const range = rangeOf(key, rangeEnd);
        if (permType !== PermissionType.WRITE) read.push(range);
        if (permType !== PermissionType.READ) write.push(range);
      }
    }
    return { read: new KeyRanges(read), write: new KeyRanges(write) };
  }
}
