import type { Codec, MessageType } from './codec.js';
import { bool, define, enumeration, key, list, message, string, text, uint } from './codec.js';
import { headerOnly } from './compaction.js';
import { ResponseHeader } from './response-header.js';

const header = message(1, () => ResponseHeader);

export const UserAddOptions = define('authpb.UserAddOptions', { noPassword: bool(1) });
export type UserAddOptions = MessageType<typeof UserAddOptions>;

/** A user as the backend's `authUsers` bucket keeps it. `password` is a bcrypt hash. */
export const User = define('authpb.User', {
  name: text(1),
  password: text(2),
  roles: list(string(3)),
  options: message(4, () => UserAddOptions),
});
export type User = MessageType<typeof User>;

export const PermissionType = { READ: 0, WRITE: 1, READWRITE: 2 } as const;
export const Permission = define('authpb.Permission', {
  permType: enumeration(1, PermissionType, 'permType'),
  key: key(2),
  rangeEnd: key(3),
});
export type Permission = MessageType<typeof Permission>;

/** A role as the backend's `authRoles` bucket keeps it. */
export const Role = define('authpb.Role', {
  name: text(1),
  keyPermission: list(message(2, () => Permission, 'keyPermission')),
});
export type Role = MessageType<typeof Role>;

/** A request of no fields. */
export type Nothing = Record<never, never>;

function nothing(name: string): Codec<Nothing> {
  return define(`etcdserverpb.${name}`, {});
}

export const AuthEnableRequest = nothing('AuthEnableRequest');
export const AuthEnableResponse = headerOnly('AuthEnableResponse');
export const AuthDisableRequest = nothing('AuthDisableRequest');
export const AuthDisableResponse = headerOnly('AuthDisableResponse');

export const AuthStatusRequest = nothing('AuthStatusRequest');
export const AuthStatusResponse = define('etcdserverpb.AuthStatusResponse', {
  header,
  enabled: bool(2),
  authRevision: uint(3, 'authRevision'),
});
export type AuthStatusResponse = MessageType<typeof AuthStatusResponse>;

export const AuthenticateRequest = define('etcdserverpb.AuthenticateRequest', { name: string(1), password: string(2) });
export type AuthenticateRequest = MessageType<typeof AuthenticateRequest>;
export const AuthenticateResponse = define('etcdserverpb.AuthenticateResponse', { header, token: string(2) });
export type AuthenticateResponse = MessageType<typeof AuthenticateResponse>;

export const AuthUserAddRequest = define('etcdserverpb.AuthUserAddRequest', {
  name: string(1),
  password: string(2),
  options: message(3, () => UserAddOptions),
  hashedPassword: string(4, 'hashedPassword'),
});
export type AuthUserAddRequest = MessageType<typeof AuthUserAddRequest>;
export const AuthUserAddResponse = headerOnly('AuthUserAddResponse');

export const AuthUserGetRequest = define('etcdserverpb.AuthUserGetRequest', { name: string(1) });
export type AuthUserGetRequest = MessageType<typeof AuthUserGetRequest>;
export const AuthUserGetResponse = define('etcdserverpb.AuthUserGetResponse', { header, roles: list(string(2)) });
export type AuthUserGetResponse = MessageType<typeof AuthUserGetResponse>;

export const AuthUserListRequest = nothing('AuthUserListRequest');
export const AuthUserListResponse = define('etcdserverpb.AuthUserListResponse', { header, users: list(string(2)) });
export type AuthUserListResponse = MessageType<typeof AuthUserListResponse>;

export const AuthUserDeleteRequest = define('etcdserverpb.AuthUserDeleteRequest', { name: string(1) });
export type AuthUserDeleteRequest = MessageType<typeof AuthUserDeleteRequest>;
export const AuthUserDeleteResponse = headerOnly('AuthUserDeleteResponse');

export const AuthUserChangePasswordRequest = define('etcdserverpb.AuthUserChangePasswordRequest', {
  name: string(1),
  password: string(2),
  hashedPassword: string(3, 'hashedPassword'),
});
export type AuthUserChangePasswordRequest = MessageType<typeof AuthUserChangePasswordRequest>;
export const AuthUserChangePasswordResponse = headerOnly('AuthUserChangePasswordResponse');

export const AuthUserGrantRoleRequest = define('etcdserverpb.AuthUserGrantRoleRequest', {
  user: string(1),
  role: string(2),
});
export type AuthUserGrantRoleRequest = MessageType<typeof AuthUserGrantRoleRequest>;
export const AuthUserGrantRoleResponse = headerOnly('AuthUserGrantRoleResponse');

export const AuthUserRevokeRoleRequest = define('etcdserverpb.AuthUserRevokeRoleRequest', {
  name: string(1),
  role: string(2),
});
export type AuthUserRevokeRoleRequest = MessageType<typeof AuthUserRevokeRoleRequest>;
export const AuthUserRevokeRoleResponse = headerOnly('AuthUserRevokeRoleResponse');

export const AuthRoleAddRequest = define('etcdserverpb.AuthRoleAddRequest', { name: string(1) });
export type AuthRoleAddRequest = MessageType<typeof AuthRoleAddRequest>;
export const AuthRoleAddResponse = headerOnly('AuthRoleAddResponse');

export const AuthRoleGetRequest = define('etcdserverpb.AuthRoleGetRequest', { role: string(1) });
export type AuthRoleGetRequest = MessageType<typeof AuthRoleGetRequest>;
export const AuthRoleGetResponse = define('etcdserverpb.AuthRoleGetResponse', {
  header,
  perm: list(message(2, () => Permission)),
});
export type AuthRoleGetResponse = MessageType<typeof AuthRoleGetResponse>;

export const AuthRoleListRequest = nothing('AuthRoleListRequest');
export const AuthRoleListResponse = define('etcdserverpb.AuthRoleListResponse', { header, roles: list(string(2)) });
export type AuthRoleListResponse = MessageType<typeof AuthRoleListResponse>;

export const AuthRoleDeleteRequest = define('etcdserverpb.AuthRoleDeleteRequest', { role: string(1) });
export type AuthRoleDeleteRequest = MessageType<typeof AuthRoleDeleteRequest>;
export const AuthRoleDeleteResponse = headerOnly('AuthRoleDeleteResponse');

export const AuthRoleGrantPermissionRequest = define('etcdserverpb.AuthRoleGrantPermissionRequest', {
  name: string(1),
  perm: message(2, () => Permission),
});
export type AuthRoleGrantPermissionRequest = MessageType<typeof AuthRoleGrantPermissionRequest>;
export const AuthRoleGrantPermissionResponse = headerOnly('AuthRoleGrantPermissionResponse');

export const AuthRoleRevokePermissionRequest = define('etcdserverpb.AuthRoleRevokePermissionRequest', {
  role: string(1),
  key: key(2),
  rangeEnd: key(3),
});
export type AuthRoleRevokePermissionRequest = MessageType<typeof AuthRoleRevokePermissionRequest>;
export const AuthRoleRevokePermissionResponse = headerOnly('AuthRoleRevokePermissionResponse');
