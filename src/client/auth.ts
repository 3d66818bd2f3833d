import * as wire from '../wire/index.js';
import type { Bytes, KeyRange } from './bytes.js';
import { fromKey, resolveRange } from './bytes.js';
import type { Caller, CallOptions } from './caller.js';
import type { Repeat } from './core/status.js';
import type { Header } from './results.js';
import { toHeader } from './results.js';

const PATH = '/etcdserverpb.Auth/';

export type PermissionKind = 'read' | 'write' | 'readwrite';

export interface Permission {
  readonly kind: PermissionKind;
  readonly key: Buffer;
  /** Empty for a single key; one zero byte for an open end. */
  readonly rangeEnd: Buffer;
}

interface Plain {
  readonly header: Header;
}

/** Users, roles and permissions. */
export class AuthService {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  enable(options?: CallOptions): Promise<Plain> {
    return this.#change('AuthEnable', wire.AuthEnableRequest.encode({}), wire.AuthEnableResponse, options);
  }

  disable(options?: CallOptions): Promise<Plain> {
    return this.#change('AuthDisable', wire.AuthDisableRequest.encode({}), wire.AuthDisableResponse, options);
  }

  async status(options?: CallOptions): Promise<Plain & { readonly enabled: boolean; readonly authRevision: number }> {
    const r = await this.#call(
      'AuthStatus',
      wire.AuthStatusRequest.encode({}),
      wire.AuthStatusResponse,
      'read',
      options,
    );
    return { header: toHeader(r.header), enabled: r.enabled, authRevision: r.authRevision };
  }

  /** @param password null makes a user who can only come with a certificate */
  userAdd(name: string, password: string | null, options?: CallOptions): Promise<Plain> {
    const request = wire.AuthUserAddRequest.encode({
      name,
      password: password ?? '',
      options: wire.UserAddOptions.make({ noPassword: password === null }),
    });
    return this.#change('UserAdd', request, wire.AuthUserAddResponse, options);
  }

  userDelete(name: string, options?: CallOptions): Promise<Plain> {
    const request = wire.AuthUserDeleteRequest.encode({ name });
    return this.#change('UserDelete', request, wire.AuthUserDeleteResponse, options);
  }

  async userGet(name: string, options?: CallOptions): Promise<Plain & { readonly roles: string[] }> {
    const request = wire.AuthUserGetRequest.encode({ name });
    const r = await this.#call('UserGet', request, wire.AuthUserGetResponse, 'read', options);
    return { header: toHeader(r.header), roles: r.roles };
  }

  async userList(options?: CallOptions): Promise<Plain & { readonly users: string[] }> {
    const request = wire.AuthUserListRequest.encode({});
    const r = await this.#call('UserList', request, wire.AuthUserListResponse, 'read', options);
    return { header: toHeader(r.header), users: r.users };
  }

  userChangePassword(name: string, password: string, options?: CallOptions): Promise<Plain> {
    const request = wire.AuthUserChangePasswordRequest.encode({ name, password });
    return this.#change('UserChangePassword', request, wire.AuthUserChangePasswordResponse, options);
  }

  userGrantRole(user: string, role: string, options?: CallOptions): Promise<Plain> {
    const request = wire.AuthUserGrantRoleRequest.encode({ user, role });
    return this.#change('UserGrantRole', request, wire.AuthUserGrantRoleResponse, options);
  }

  userRevokeRole(name: string, role: string, options?: CallOptions): Promise<Plain> {
    const request = wire.AuthUserRevokeRoleRequest.encode({ name, role });
    return this.#change('UserRevokeRole', request, wire.AuthUserRevokeRoleResponse, options);
  }

  roleAdd(name: string, options?: CallOptions): Promise<Plain> {
    return this.#change('RoleAdd', wire.AuthRoleAddRequest.encode({ name }), wire.AuthRoleAddResponse, options);
  }

  roleDelete(role: string, options?: CallOptions): Promise<Plain> {
    return this.#change(
      'RoleDelete',
      wire.AuthRoleDeleteRequest.encode({ role }),
      wire.AuthRoleDeleteResponse,
      options,
    );
  }

  async roleGet(role: string, options?: CallOptions): Promise<Plain & { readonly permissions: Permission[] }> {
    const request = wire.AuthRoleGetRequest.encode({ role });
    const r = await this.#call('RoleGet', request, wire.AuthRoleGetResponse, 'read', options);
    const permissions = r.perm.map((p) => ({
      kind: KINDS[p.permType] ?? 'read',
      key: fromKey(p.key),
      rangeEnd: fromKey(p.rangeEnd),
    }));
    return { header: toHeader(r.header), permissions };
  }

  async roleList(options?: CallOptions): Promise<Plain & { readonly roles: string[] }> {
    const request = wire.AuthRoleListRequest.encode({});
    const r = await this.#call('RoleList', request, wire.AuthRoleListResponse, 'read', options);
    return { header: toHeader(r.header), roles: r.roles };
  }

  roleGrantPermission(
    role: string,
    kind: PermissionKind,
    key: Bytes,
    options: KeyRange & CallOptions = {},
  ): Promise<Plain> {
    const perm = wire.Permission.make({ permType: KINDS.indexOf(kind), ...resolveRange(key, options) });
    const request = wire.AuthRoleGrantPermissionRequest.encode({ name: role, perm });
    return this.#change('RoleGrantPermission', request, wire.AuthRoleGrantPermissionResponse, options);
  }

  roleRevokePermission(role: string, key: Bytes, options: KeyRange & CallOptions = {}): Promise<Plain> {
    const request = wire.AuthRoleRevokePermissionRequest.encode({ role, ...resolveRange(key, options) });
    return this.#change('RoleRevokePermission', request, wire.AuthRoleRevokePermissionResponse, options);
  }

  #call<T>(
    rpc: string,
    request: Buffer,
    decoder: { decode(buf: Buffer): T },
    repeat: Repeat,
    options: CallOptions | undefined,
  ): Promise<T> {
    return this.#caller.call(PATH + rpc, request, decoder, repeat, options);
  }

  async #change(
    rpc: string,
    request: Buffer,
    decoder: { decode(buf: Buffer): wire.HeaderOnly },
    options: CallOptions | undefined,
  ): Promise<Plain> {
    const reply = await this.#call(rpc, request, decoder, 'write', options);
    return { header: toHeader(reply.header) };
  }
}

const KINDS: readonly PermissionKind[] = ['read', 'write', 'readwrite'];
