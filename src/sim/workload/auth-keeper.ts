import type { Completion, Member } from '../../server/index.js';
import type { Rng } from '../../util/rng.js';
import type { Codec, Input } from '../../wire/index.js';
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
  InternalKind,
  UserAddOptions,
} from '../../wire/index.js';
import type { ClientKind, SimClient } from './client-kinds.js';
import type { Workload } from './workload.js';
import { pickNode } from './workload.js';

const ASK = { deadline: 0 };
const CALL_MS = 15_000;
const USERS = ['anna', 'ben', 'carla', 'dora'];
const ROLES = ['reader', 'writer', 'keeper'];
const KEYS = ['a', 'b', 'c', 'm'];

type Change = (member: Member, done: Completion<void>) => void;

/**
 * Changes users and roles all the time, so that their rows and the auth revision go through crashes, restarts and
 * snapshots. Auth itself stays off: the other clients have no names. What every member must have in the end is for the
 * hash of the whole database.
 */
class AuthKeeper implements SimClient {
  readonly #work: Workload;
  readonly #rng: Rng;

  constructor(work: Workload, rng: Rng) {
    this.#work = work;
    this.#rng = rng;
  }

  start(): void {
    this.#work.port.later(this.#rng.below(600_000), () => this.#next());
  }

  #next(): void {
    if (this.#work.stopping) return;
    const over = (): void => this.start();
    const reply = { ok: over, fail: over, lost: over };
    this.#work.port.call<void>(pickNode(this.#work, this.#rng), CALL_MS, this.#change(), reply);
  }

  #change(): Change {
    const rng = this.#rng;
    const [name, role, key] = [rng.pick(USERS), rng.pick(ROLES), rng.pick(KEYS)];
    const perm = { permType: rng.below(3), key, rangeEnd: rng.pick(['', '\0', 'z']) };
    const options = UserAddOptions.make({ noPassword: rng.chance(1, 2) });
    const changes: readonly Change[] = [
      (member, done) => member.auth.userAdd(AuthUserAddRequest.make({ name, password: key, options }), ASK, done),
      (member, done) =>
        member.auth.userChangePassword(AuthUserChangePasswordRequest.make({ name, password: key }), ASK, done),
      asked(InternalKind.AUTH_ROLE_ADD, AuthRoleAddRequest, { name: role }),
      asked(InternalKind.AUTH_USER_GRANT_ROLE, AuthUserGrantRoleRequest, { user: name, role }),
      asked(InternalKind.AUTH_USER_GRANT_ROLE, AuthUserGrantRoleRequest, { user: name, role }),
      asked(InternalKind.AUTH_USER_REVOKE_ROLE, AuthUserRevokeRoleRequest, { name, role }),
      asked(InternalKind.AUTH_ROLE_GRANT_PERMISSION, AuthRoleGrantPermissionRequest, { name: role, perm }),
      asked(InternalKind.AUTH_ROLE_GRANT_PERMISSION, AuthRoleGrantPermissionRequest, { name: role, perm }),
      asked(InternalKind.AUTH_ROLE_REVOKE_PERMISSION, AuthRoleRevokePermissionRequest, { role, ...perm }),
      rng.chance(1, 3)
        ? asked(InternalKind.AUTH_USER_DELETE, AuthUserDeleteRequest, { name })
        : asked(InternalKind.AUTH_ROLE_DELETE, AuthRoleDeleteRequest, { role }),
    ];
    return rng.pick(changes);
  }
}

function asked<Req>(kind: number, codec: Codec<Req>, request: Input<Req>): Change {
  const body = codec.encode(request);
  return (member, done) => member.auth.ask<void>(kind, body, ASK, done);
}

export const authKeepers: ClientKind = {
  name: 'auth',
  draw: (rng, profile) => (profile === 'calm' ? rng.below(2) : rng.chance(1, 2) ? 1 : 0),
  make: (work, _id, rng) => new AuthKeeper(work, rng),
};
