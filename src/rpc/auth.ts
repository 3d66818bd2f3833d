import type { AuthAnswers, MemberApi } from '../server/index.js';
import type {
  AuthenticateRequest,
  AuthUserAddRequest,
  AuthUserChangePasswordRequest,
  HeaderOnly,
  Nothing,
  ResponseHeader,
  Rpc,
} from '../wire/index.js';
import {
  Auth,
  AuthDisableResponse,
  AuthEnableResponse,
  AuthenticateResponse,
  AuthRoleAddResponse,
  AuthRoleDeleteResponse,
  AuthRoleGetResponse,
  AuthRoleGrantPermissionResponse,
  AuthRoleListResponse,
  AuthRoleRevokePermissionResponse,
  AuthStatusResponse,
  AuthUserAddResponse,
  AuthUserChangePasswordResponse,
  AuthUserDeleteResponse,
  AuthUserGetResponse,
  AuthUserGrantRoleResponse,
  AuthUserListResponse,
  AuthUserRevokeRoleResponse,
  InternalKind,
} from '../wire/index.js';
import type { UnaryCall } from './call.js';
import { headerOf } from './header.js';
import type { Route } from './route.js';
import { unary } from './route.js';

interface Encoder<M> {
  encode(message: M): Buffer;
}

/** An rpc whose request goes into the log as it came, and whose answer `fields` makes of what apply gave. */
function asked<Req, T, M>(
  // biome-ignore lint/suspicious/noExplicitAny: the response is encoded below.
  rpc: Rpc<Req, any>,
  kind: number,
  response: Encoder<M>,
  fields: (header: ResponseHeader, value: T) => M,
): Route {
  const encode = (member: MemberApi, value: T): Buffer =>
    response.encode(fields(headerOf(member, member.revision), value));
  return unary(rpc, (member: MemberApi, _request: Req, call: UnaryCall) =>
    member.auth.ask<T>(kind, call.request, call, call.answer(encode)),
  );
}

/** One that answers with a header alone. */
// biome-ignore lint/suspicious/noExplicitAny: the response is encoded by `asked`.
function change<Req>(rpc: Rpc<Req, any>, kind: number, response: Encoder<HeaderOnly>): Route {
  return asked(rpc, kind, response, (header) => ({ header }));
}

/** etcdserverpb.Auth (etcd semantics §9.2). */
export const authRoutes: Route[] = [
  change<Nothing>(Auth.AuthEnable, InternalKind.AUTH_ENABLE, AuthEnableResponse),
  change<Nothing>(Auth.AuthDisable, InternalKind.AUTH_DISABLE, AuthDisableResponse),
  asked(
    Auth.AuthStatus,
    InternalKind.AUTH_STATUS,
    AuthStatusResponse,
    (header, { enabled, revision }: AuthAnswers['status']) => ({ header, enabled, authRevision: revision }),
  ),
  unary(Auth.Authenticate, authenticate),
  unary(Auth.UserAdd, userAdd),
  asked(Auth.UserGet, InternalKind.AUTH_USER_GET, AuthUserGetResponse, (header, roles: AuthAnswers['names']) => ({
    header,
    roles: [...roles],
  })),
  asked(Auth.UserList, InternalKind.AUTH_USER_LIST, AuthUserListResponse, (header, users: AuthAnswers['names']) => ({
    header,
    users: [...users],
  })),
  change(Auth.UserDelete, InternalKind.AUTH_USER_DELETE, AuthUserDeleteResponse),
  unary(Auth.UserChangePassword, userChangePassword),
  change(Auth.UserGrantRole, InternalKind.AUTH_USER_GRANT_ROLE, AuthUserGrantRoleResponse),
  change(Auth.UserRevokeRole, InternalKind.AUTH_USER_REVOKE_ROLE, AuthUserRevokeRoleResponse),
  change(Auth.RoleAdd, InternalKind.AUTH_ROLE_ADD, AuthRoleAddResponse),
  asked(Auth.RoleGet, InternalKind.AUTH_ROLE_GET, AuthRoleGetResponse, (header, perm: AuthAnswers['permissions']) => ({
    header,
    perm: [...perm],
  })),
  asked(Auth.RoleList, InternalKind.AUTH_ROLE_LIST, AuthRoleListResponse, (header, roles: AuthAnswers['names']) => ({
    header,
    roles: [...roles],
  })),
  change(Auth.RoleDelete, InternalKind.AUTH_ROLE_DELETE, AuthRoleDeleteResponse),
  change(Auth.RoleGrantPermission, InternalKind.AUTH_ROLE_GRANT_PERMISSION, AuthRoleGrantPermissionResponse),
  change(Auth.RoleRevokePermission, InternalKind.AUTH_ROLE_REVOKE_PERMISSION, AuthRoleRevokePermissionResponse),
];

function authenticate(member: MemberApi, { name, password }: AuthenticateRequest, call: UnaryCall): void {
  member.auth.authenticate(name, password, call, call.answer(encodeToken));
}

function encodeToken(member: MemberApi, token: string): Buffer {
  return AuthenticateResponse.encode({ header: headerOf(member, member.revision), token });
}

function userAdd(member: MemberApi, request: AuthUserAddRequest, call: UnaryCall): void {
  member.auth.userAdd(request, call, call.answer<void>(encodeUserAdd));
}

function encodeUserAdd(member: MemberApi): Buffer {
  return AuthUserAddResponse.encode({ header: headerOf(member, member.revision) });
}

function userChangePassword(member: MemberApi, request: AuthUserChangePasswordRequest, call: UnaryCall): void {
  member.auth.userChangePassword(request, call, call.answer<void>(encodeChangePassword));
}

function encodeChangePassword(member: MemberApi): Buffer {
  return AuthUserChangePasswordResponse.encode({ header: headerOf(member, member.revision) });
}
