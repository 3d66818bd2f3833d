import * as wire from '../../../wire/index.js';
import type { Context } from '../context.js';

function call<Req, Res>(
  context: Context,
  rpc: wire.Rpc<Req, Res>,
  request: wire.Input<Req>,
  repeat: 'read' | 'write',
): Promise<Res> {
  return context.client.caller.call(rpc.path, rpc.request.encode(request), rpc.response, repeat, {});
}

const { Auth } = wire;

/** The calls of auth, user and role. */
export const authRpc = {
  enable: (c: Context) => call(c, Auth.AuthEnable, {}, 'write'),
  disable: (c: Context) => call(c, Auth.AuthDisable, {}, 'write'),
  status: (c: Context) => call(c, Auth.AuthStatus, {}, 'read'),

  userAdd: (c: Context, name: string, password: string, noPassword: boolean) =>
    call(c, Auth.UserAdd, { name, password, options: { noPassword } }, 'write'),
  userGet: (c: Context, name: string) => call(c, Auth.UserGet, { name }, 'read'),
  userList: (c: Context) => call(c, Auth.UserList, {}, 'read'),
  userDelete: (c: Context, name: string) => call(c, Auth.UserDelete, { name }, 'write'),
  changePassword: (c: Context, name: string, password: string) =>
    call(c, Auth.UserChangePassword, { name, password }, 'write'),
  grantRole: (c: Context, user: string, role: string) => call(c, Auth.UserGrantRole, { user, role }, 'write'),
  revokeRole: (c: Context, name: string, role: string) => call(c, Auth.UserRevokeRole, { name, role }, 'write'),

  roleAdd: (c: Context, name: string) => call(c, Auth.RoleAdd, { name }, 'write'),
  roleGet: (c: Context, role: string) => call(c, Auth.RoleGet, { role }, 'read'),
  roleList: (c: Context) => call(c, Auth.RoleList, {}, 'read'),
  roleDelete: (c: Context, role: string) => call(c, Auth.RoleDelete, { role }, 'write'),
  grantPermission: (c: Context, name: string, perm: wire.Permission) =>
    call(c, Auth.RoleGrantPermission, { name, perm }, 'write'),
  revokePermission: (c: Context, role: string, key: string, rangeEnd: string) =>
    call(c, Auth.RoleRevokePermission, { role, key, rangeEnd }, 'write'),
};
