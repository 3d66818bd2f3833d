import type { CallContext, Completion, Member } from '../../server/index.js';
import type { Rng } from '../../util/rng.js';
import type { Codec, Input } from '../../wire/index.js';
import {
  AuthDisableRequest,
  AuthEnableRequest,
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
import { AS_ROOT, ROOT_NAME } from '../caller.js';
import { AuthUser } from './auth-user.js';
import type { ClientKind, SimClient } from './client-kinds.js';
import type { Workload } from './workload.js';
import { pickNode } from './workload.js';

const CALL_MS = 15_000;
const USERS = ['anna', 'ben', 'carla', 'dora'];
const ROLES = ['reader', 'writer', 'keeper'];
/** Who asks for keys; the last of them may not exist. */
const NAMES = ['anna', 'anna', 'ben', 'ben', 'root', 'nobody'];
const KEYS = ['a', 'b', 'c', 'm'];

type Change = (member: Member, ctx: CallContext, done: Completion<void>) => void;

/** What it takes to turn auth on; each may be there already. */
const SETUP: readonly Change[] = [
  asked(InternalKind.AUTH_ROLE_ADD, AuthRoleAddRequest, { name: ROOT_NAME }),
  asked(InternalKind.AUTH_USER_ADD, AuthUserAddRequest, { name: ROOT_NAME, options: { noPassword: true } }),
  asked(InternalKind.AUTH_USER_GRANT_ROLE, AuthUserGrantRoleRequest, { user: ROOT_NAME, role: ROOT_NAME }),
  asked(InternalKind.AUTH_ENABLE, AuthEnableRequest, {}),
];
const DISABLE = asked(InternalKind.AUTH_DISABLE, AuthDisableRequest, {});
/** History's numbers of these clients start here. */
const FIRST_ID = 3000;

/**
 * Changes users and roles all the time, so that their rows and the auth revision go through crashes, restarts and
 * snapshots. In about half of the seeds it turns auth on after a while, and off now and then: the other clients are root,
 * and it asks for keys of its own in the names of those whose rights it changes. What every member must have in the end
 * is for the hash of the whole database; who may do what, for the model of the log.
 */
class AuthKeeper implements SimClient {
  readonly #work: Workload;
  readonly #rng: Rng;
  readonly #user: AuthUser;
  readonly #turnsOn: boolean;
  /** Virtual µs: before that auth stays off. */
  readonly #from: number;
  /** The next of SETUP. */
  #step = 0;

  constructor(work: Workload, id: number, rng: Rng) {
    this.#work = work;
    this.#rng = rng;
    this.#user = new AuthUser(work, FIRST_ID + id, rng.split('user'));
    this.#turnsOn = rng.chance(1, 2);
    this.#from = rng.below(6_000_000);
  }

  start(): void {
    this.#work.port.later(this.#rng.below(this.#turnsOn ? 300_000 : 600_000), () => this.#next());
  }

  #next(): void {
    if (this.#work.stopping) return;
    const over = (): void => this.start();
    if (this.#turnsOn && this.#rng.chance(1, 2)) return this.#user.next(this.#rng.pick(NAMES), over);
    const reply = { ok: over, fail: over, lost: over };
    const change = this.#turnsOn ? (this.#turn() ?? this.#change()) : this.#change();
    // Now and then it is somebody who may not.
    const ctx: CallContext = this.#rng.chance(1, 12) ? { deadline: 0, certificateName: 'anna' } : AS_ROOT;
    const ask = (member: Member, done: Completion<void>): void => change(member, ctx, done);
    this.#work.port.call<void>(pickNode(this.#work, this.#rng), CALL_MS, ask, reply);
  }

  /** On, step by step, or off. What is lost on the way is tried again once it has been turned off. */
  #turn(): Change | null {
    if (this.#work.port.now < this.#from) return null;
    if (this.#step < SETUP.length) return this.#rng.chance(1, 2) ? (SETUP[this.#step++] as Change) : null;
    if (!this.#rng.chance(1, 20)) return null;
    this.#step = 0;
    return DISABLE;
  }

  #change(): Change {
    const rng = this.#rng;
    const [name, role, key] = [rng.pick(USERS), rng.pick(ROLES), rng.pick(KEYS)];
    const perm = { permType: rng.below(3), key, rangeEnd: rng.pick(['', '', '\0', 'c', 'n', 'z']) };
    const options = UserAddOptions.make({ noPassword: rng.chance(1, 2) });
    const changes: readonly Change[] = [
      (member, ctx, done) => member.auth.userAdd(AuthUserAddRequest.make({ name, password: key, options }), ctx, done),
      (member, ctx, done) =>
        member.auth.userChangePassword(AuthUserChangePasswordRequest.make({ name, password: key }), ctx, done),
      asked(InternalKind.AUTH_ROLE_ADD, AuthRoleAddRequest, { name: role }),
      asked(InternalKind.AUTH_USER_GRANT_ROLE, AuthUserGrantRoleRequest, { user: name, role }),
      asked(InternalKind.AUTH_USER_GRANT_ROLE, AuthUserGrantRoleRequest, { user: name, role }),
      asked(InternalKind.AUTH_USER_REVOKE_ROLE, AuthUserRevokeRoleRequest, { name, role }),
      rng.chance(1, 4)
        ? asked(InternalKind.AUTH_USER_GRANT_ROLE, AuthUserGrantRoleRequest, { user: name, role: ROOT_NAME })
        : asked(InternalKind.AUTH_USER_REVOKE_ROLE, AuthUserRevokeRoleRequest, { name, role: ROOT_NAME }),
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
  return (member, ctx, done) => member.auth.ask<void>(kind, body, ctx, done);
}

export const authKeepers: ClientKind = {
  name: 'auth',
  draw: (rng, profile) => (profile === 'calm' ? rng.below(2) : rng.chance(1, 2) ? 1 : 0),
  make: (work, id, rng) => new AuthKeeper(work, id, rng),
};
