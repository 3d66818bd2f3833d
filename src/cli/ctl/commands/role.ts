import { prefixEnd } from '../../../client/index.js';
import * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { orFail } from '../context.js';
import { badArgs } from '../fail.js';
import type { Flags } from '../flags.js';
import { flag } from '../flags.js';
import { quote } from '../go.js';
import { printAuth, roleFields, roleText } from '../printers/auth.js';
import { authRpc } from './auth-rpc.js';

const NO_FIELDS = (): string => '';
const OPEN_END = '\0';

function roleName(args: readonly string[], command: string): string {
  const [name] = args;
  if (name === undefined || args.length !== 1)
    throw badArgs(`role ${command} command requires role name as its argument`);
  return name;
}

async function runAdd(context: Context, args: string[]): Promise<void> {
  const name = roleName(args, 'add');
  const reply = await orFail(authRpc.roleAdd(context, name));
  const simple = (): string => `Role ${name} created\n`;
  printAuth(context, { codec: wire.AuthRoleAddResponse, reply, simple, fields: NO_FIELDS });
}

async function runDelete(context: Context, args: string[]): Promise<void> {
  const name = roleName(args, 'delete');
  const reply = await orFail(authRpc.roleDelete(context, name));
  const simple = (): string => `Role ${name} deleted\n`;
  printAuth(context, { codec: wire.AuthRoleDeleteResponse, reply, simple, fields: NO_FIELDS });
}

async function runGet(context: Context, args: string[]): Promise<void> {
  const name = roleName(args, 'get');
  printRole(context, name, await orFail(authRpc.roleGet(context, name)));
}

export function printRole(context: Context, name: string, reply: wire.AuthRoleGetResponse): void {
  printAuth(context, {
    codec: wire.AuthRoleGetResponse,
    reply,
    simple: () => roleText(name, reply.perm),
    fields: () => roleFields(reply.perm),
  });
}

async function runList(context: Context, args: string[]): Promise<void> {
  if (args.length > 0) throw badArgs('role list command requires no arguments');
  const reply = await orFail(authRpc.roleList(context));
  printAuth(context, {
    codec: wire.AuthRoleListResponse,
    reply,
    simple: () => reply.roles.map((role) => `${role}\n`).join(''),
    fields: () => `"Roles" :${reply.roles.map((role) => ` ${quote(role)}`).join('')}\n`,
  });
}

const TYPES: Readonly<Record<string, number>> = { READ: 0, WRITE: 1, READWRITE: 2 };

async function runGrant(context: Context, args: string[]): Promise<void> {
  const [name, type] = args;
  if (name === undefined || type === undefined || args.length < 3) {
    throw badArgs('role grant command requires role name, permission type, and key [endkey] as its argument');
  }
  const permType = TYPES[type.toUpperCase()];
  if (permType === undefined) throw badArgs(`invalid permission type: ${type}`);
  const perm = { permType, ...permRange(args.slice(2), context.flags) };
  const reply = await orFail(authRpc.grantPermission(context, name, perm));
  const simple = (): string => `Role ${name} updated\n`;
  printAuth(context, { codec: wire.AuthRoleGrantPermissionResponse, reply, simple, fields: NO_FIELDS });
}

async function runRevoke(context: Context, args: string[]): Promise<void> {
  const [name, given] = args;
  if (name === undefined || given === undefined) {
    throw badArgs('role revoke-permission command requires role name and key [endkey] as its argument');
  }
  const { key, rangeEnd } = permRange(args.slice(1), context.flags);
  const reply = await orFail(authRpc.revokePermission(context, name, key, rangeEnd));
  const shown = Buffer.from(given, 'utf8').toString('latin1');
  const what =
    rangeEnd === ''
      ? `key ${shown}`
      : rangeEnd === OPEN_END
        ? `range [${shown}, <open ended>`
        : `range [${shown}, ${rangeEnd})`;
  const simple = (): Buffer =>
    Buffer.concat([
      Buffer.from('Permission of '),
      Buffer.from(what, 'latin1'),
      Buffer.from(` is revoked from role ${name}\n`),
    ]);
  printAuth(context, { codec: wire.AuthRoleRevokePermissionResponse, reply, simple, fields: NO_FIELDS });
}

/** Keys as latin1. An empty key stands for the smallest one. @throws Fail (128) */
function permRange(args: readonly string[], flags: Flags): { key: string; rangeEnd: string } {
  const [prefix, fromKey] = [flags.bool('prefix'), flags.bool('from-key')];
  if (prefix && fromKey) throw badArgs('--from-key and --prefix flags are mutually exclusive');
  const [given = '', end] = args.map((text) => Buffer.from(text, 'utf8').toString('latin1'));
  if (end !== undefined) {
    if (prefix) throw badArgs('unexpected endkey argument with --prefix flag');
    if (fromKey) throw badArgs('unexpected endkey argument with --from-key flag');
    return { key: given === '' ? '\0' : given, rangeEnd: end };
  }
  if (given === '') return { key: '\0', rangeEnd: prefix || fromKey ? OPEN_END : '' };
  if (prefix) return { key: given, rangeEnd: prefixEnd(given) };
  return { key: given, rangeEnd: fromKey ? OPEN_END : '' };
}

export const ROLE: Command = {
  name: 'role',
  use: 'role <subcommand>',
  short: 'Role related commands',
  commands: [
    { name: 'add', use: 'add <role name>', short: 'Adds a new role', run: runAdd },
    { name: 'delete', use: 'delete <role name>', short: 'Deletes a role', run: runDelete },
    { name: 'get', use: 'get <role name>', short: 'Gets detailed information of a role', run: runGet },
    { name: 'list', use: 'list', short: 'Lists all roles', run: runList },
    {
      name: 'grant-permission',
      use: 'grant-permission [options] <role name> <permission type> <key> [endkey]',
      short: 'Grants a key to a role',
      flags: [
        flag('prefix', 'bool', 'false', 'grant a prefix permission'),
        flag(
          'from-key',
          'bool',
          'false',
          'grant a permission of keys that are greater than or equal to the given key using byte compare',
        ),
      ],
      run: runGrant,
    },
    {
      name: 'revoke-permission',
      use: 'revoke-permission <role name> <key> [endkey]',
      short: 'Revokes a key from a role',
      flags: [
        flag('prefix', 'bool', 'false', 'revoke a prefix permission'),
        flag(
          'from-key',
          'bool',
          'false',
          'revoke a permission of keys that are greater than or equal to the given key using byte compare',
        ),
      ],
      run: runRevoke,
    },
  ],
};
