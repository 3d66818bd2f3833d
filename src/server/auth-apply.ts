import type { AuthRefusal, AuthStore, TokenProvider } from '../auth/index.js';
import type { InternalRequest, Permission } from '../wire/index.js';
import {
  AuthRoleAddRequest,
  AuthRoleDeleteRequest,
  AuthRoleGetRequest,
  AuthRoleGrantPermissionRequest,
  AuthRoleRevokePermissionRequest,
  AuthUserAddRequest,
  AuthUserChangePasswordRequest,
  AuthUserDeleteRequest,
  AuthUserGetRequest,
  AuthUserGrantRoleRequest,
  AuthUserRevokeRoleRequest,
  InternalAuthenticateRequest,
  InternalKind,
} from '../wire/index.js';
import { authRefusal } from './auth-errors.js';
import { ServerError } from './errors.js';

/** What the auth requests of the log give back, by kind. */
export interface AuthAnswers {
  readonly status: { readonly enabled: boolean; readonly revision: number };
  readonly token: string;
  readonly names: readonly string[];
  readonly permissions: readonly Permission[];
}

export function isAuthKind(kind: number): boolean {
  return kind >= InternalKind.AUTH_ENABLE && kind <= InternalKind.AUTH_ROLE_REVOKE_PERMISSION;
}

/**
 * Applies an auth request (etcd semantics §9.2). Whether its caller may has been checked, but for UserGet and RoleGet.
 * @param index of the entry
 * @param wanted a call waits for the outcome here: a signature is made for nobody else
 * @returns a ServerError, one of AuthAnswers, or undefined
 */
export function applyAuth(
  auth: AuthStore,
  tokens: TokenProvider,
  request: InternalRequest,
  index: number,
  wanted: boolean,
): unknown {
  const { kind, body, username } = request;
  switch (kind) {
    case InternalKind.AUTH_ENABLE:
      return done(auth.enable());
    case InternalKind.AUTH_DISABLE:
      return auth.disable();
    case InternalKind.AUTH_STATUS:
      return { enabled: auth.enabled, revision: auth.revision } satisfies AuthAnswers['status'];
    case InternalKind.AUTHENTICATE:
      return authenticate(auth, tokens, body, index, wanted);
    case InternalKind.AUTH_USER_ADD:
      return done(auth.userAdd(AuthUserAddRequest.decode(body)));
    case InternalKind.AUTH_USER_DELETE:
      return done(auth.userDelete(AuthUserDeleteRequest.decode(body).name));
    case InternalKind.AUTH_USER_GET:
      return userGet(auth, AuthUserGetRequest.decode(body).name, username);
    case InternalKind.AUTH_USER_CHANGE_PASSWORD:
      return done(auth.userChangePassword(AuthUserChangePasswordRequest.decode(body)));
    case InternalKind.AUTH_USER_GRANT_ROLE: {
      const { user, role } = AuthUserGrantRoleRequest.decode(body);
      return done(auth.userGrantRole(user, role));
    }
    case InternalKind.AUTH_USER_REVOKE_ROLE: {
      const { name, role } = AuthUserRevokeRoleRequest.decode(body);
      return done(auth.userRevokeRole(name, role));
    }
    case InternalKind.AUTH_USER_LIST:
      return auth.userNames();
    case InternalKind.AUTH_ROLE_LIST:
      return auth.roleNames();
    case InternalKind.AUTH_ROLE_ADD:
      return done(auth.roleAdd(AuthRoleAddRequest.decode(body).name));
    case InternalKind.AUTH_ROLE_DELETE:
      return done(auth.roleDelete(AuthRoleDeleteRequest.decode(body).role));
    case InternalKind.AUTH_ROLE_GET:
      return roleGet(auth, AuthRoleGetRequest.decode(body).role, username);
    case InternalKind.AUTH_ROLE_GRANT_PERMISSION:
      return done(auth.roleGrantPermission(AuthRoleGrantPermissionRequest.decode(body)));
    case InternalKind.AUTH_ROLE_REVOKE_PERMISSION:
      return done(auth.roleRevokePermission(AuthRoleRevokePermissionRequest.decode(body)));
    default:
      throw new Error(`apply: request of kind ${kind} is no auth request`);
  }
}

function done(refused: AuthRefusal | null): ServerError | undefined {
  return refused === null ? undefined : authRefusal(refused);
}

/** The password was checked before it was proposed, and is not in the log. */
function authenticate(
  auth: AuthStore,
  tokens: TokenProvider,
  body: Buffer,
  index: number,
  wanted: boolean,
): ServerError | string {
  if (!auth.enabled) return authRefusal('not-enabled');
  const { name, simpleToken } = InternalAuthenticateRequest.decode(body);
  const user = auth.user(name);
  if (user === undefined || user.options?.noPassword === true) return authRefusal('auth-failed');
  return (
    tokens.assign(name, simpleToken, index, auth.revision, wanted) ??
    new ServerError('ERR_INTERNAL', 'auth: this member has no private key to sign tokens with')
  );
}

function userGet(auth: AuthStore, name: string, caller: string): ServerError | readonly string[] {
  const refused = auth.permissions.mayAdminister({ username: caller, revision: 0 });
  if (refused !== null && name !== caller) return authRefusal(refused);
  const user = auth.user(name);
  return user === undefined ? authRefusal('user-not-found') : user.roles;
}

function roleGet(auth: AuthStore, role: string, caller: string): ServerError | readonly Permission[] {
  const refused = auth.permissions.mayAdminister({ username: caller, revision: 0 });
  if (refused !== null && !auth.permissions.hasRole(caller, role)) return authRefusal(refused);
  return auth.permissionsOf(role) ?? authRefusal('role-not-found');
}
