import * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { orFail } from '../context.js';
import { badArgs } from '../fail.js';
import { flag } from '../flags.js';
import { askPassword } from '../password.js';
import { printAuth } from '../printers/auth.js';
import { authRpc } from './auth-rpc.js';
import { printRole } from './role.js';

const NO_FIELDS = (): string => '';

async function runAdd(context: Context, args: string[]): Promise<void> {
  const [given] = args;
  if (given === undefined || args.length !== 1) throw badArgs('user add command requires user name as its argument');
  const { name, password, noPassword } = await newUser(context, given);
  const reply = await orFail(authRpc.userAdd(context, name, password, noPassword));
  printAuth(context, {
    codec: wire.AuthUserAddResponse,
    reply,
    simple: () => `User ${name} created\n`,
    fields: NO_FIELDS,
  });
}

async function newUser(
  context: Context,
  given: string,
): Promise<{ name: string; password: string; noPassword: boolean }> {
  const { flags } = context;
  if (flags.bool('no-password')) return { name: given, password: '', noPassword: true };
  const fromFlag = flags.string('new-user-password');
  if (fromFlag !== '') return { name: given, password: fromFlag, noPassword: false };
  const colon = given.indexOf(':');
  if (colon < 0) return { name: given, password: await newPassword(context, given), noPassword: false };
  if (colon === 0) throw badArgs('empty user name is not allowed');
  return { name: given.slice(0, colon), password: given.slice(colon + 1), noPassword: false };
}

/** Typed twice, or one word of standard input with --interactive=false. */
async function newPassword({ flags, io }: Context, name: string): Promise<string> {
  if (!flags.bool('interactive')) return /^\S*/.exec((await askPassword(io, '')).trimStart())![0];
  const first = await askPassword(io, `Password of ${name}: `);
  if (first === '') throw badArgs('empty password');
  const second = await askPassword(io, `Type password of ${name} again for confirmation: `);
  if (first !== second) throw badArgs('given passwords are different');
  return first;
}

async function runDelete(context: Context, args: string[]): Promise<void> {
  const [name] = args;
  if (name === undefined || args.length !== 1) throw badArgs('user delete command requires user name as its argument');
  const reply = await orFail(authRpc.userDelete(context, name));
  printAuth(context, {
    codec: wire.AuthUserDeleteResponse,
    reply,
    simple: () => `User ${name} deleted\n`,
    fields: NO_FIELDS,
  });
}

async function runGet(context: Context, args: string[]): Promise<void> {
  const [name] = args;
  if (name === undefined || args.length !== 1) throw badArgs('user get command requires user name as its argument');
  const reply = await orFail(authRpc.userGet(context, name));
  if (context.flags.bool('detail')) {
    context.io.out(`User: ${name}\n`);
    for (const role of reply.roles) {
      const held = await orFail(authRpc.roleGet(context, role));
      context.io.out('\n');
      printRole(context, role, held);
    }
    return;
  }
  printAuth(context, {
    codec: wire.AuthUserGetResponse,
    reply,
    simple: () => `User: ${name}\nRoles:${reply.roles.map((role) => ` ${role}`).join('')}\n`,
    fields: null,
  });
}

async function runList(context: Context, args: string[]): Promise<void> {
  if (args.length > 0) throw badArgs('user list command requires no arguments');
  const reply = await orFail(authRpc.userList(context));
  const simple = (): string => reply.users.map((user) => `${user}\n`).join('');
  printAuth(context, { codec: wire.AuthUserListResponse, reply, simple, fields: null });
}

async function runPasswd(context: Context, args: string[]): Promise<void> {
  const [name] = args;
  if (name === undefined || args.length !== 1) throw badArgs('user passwd command requires user name as its argument');
  const password = await newPassword(context, name);
  const reply = await orFail(authRpc.changePassword(context, name, password));
  printAuth(context, {
    codec: wire.AuthUserChangePasswordResponse,
    reply,
    simple: () => 'Password updated\n',
    fields: NO_FIELDS,
  });
}

async function runGrantRole(context: Context, args: string[]): Promise<void> {
  const [user, role] = args;
  if (user === undefined || role === undefined || args.length !== 2) {
    throw badArgs('user grant command requires user name and role name as its argument');
  }
  const reply = await orFail(authRpc.grantRole(context, user, role));
  printAuth(context, {
    codec: wire.AuthUserGrantRoleResponse,
    reply,
    simple: () => `Role ${role} is granted to user ${user}\n`,
    fields: NO_FIELDS,
  });
}

async function runRevokeRole(context: Context, args: string[]): Promise<void> {
  const [user, role] = args;
  if (user === undefined || role === undefined || args.length !== 2) {
    throw badArgs('user revoke-role requires user name and role name as its argument');
  }
  const reply = await orFail(authRpc.revokeRole(context, user, role));
  printAuth(context, {
    codec: wire.AuthUserRevokeRoleResponse,
    reply,
    simple: () => `Role ${role} is revoked from user ${user}\n`,
    fields: NO_FIELDS,
  });
}

const INTERACTIVE = flag('interactive', 'bool', 'true', 'Read password from stdin instead of interactive terminal');

export const USER: Command = {
  name: 'user',
  use: 'user <subcommand>',
  short: 'User related commands',
  commands: [
    {
      name: 'add',
      use: 'add <user name or user:password> [options]',
      short: 'Adds a new user',
      flags: [
        INTERACTIVE,
        flag('new-user-password', 'string', '', 'Supply password from the command line flag'),
        flag('no-password', 'bool', 'false', 'Create a user without password (CN based auth only)'),
      ],
      run: runAdd,
    },
    { name: 'delete', use: 'delete <user name>', short: 'Deletes a user', run: runDelete },
    {
      name: 'get',
      use: 'get <user name> [options]',
      short: 'Gets detailed information of a user',
      flags: [flag('detail', 'bool', 'false', 'Show permissions of roles granted to the user')],
      run: runGet,
    },
    { name: 'list', use: 'list', short: 'Lists all users', run: runList },
    {
      name: 'passwd',
      use: 'passwd <user name> [options]',
      short: 'Changes password of user',
      flags: [{ ...INTERACTIVE, usage: 'If true, read password from stdin instead of interactive terminal' }],
      run: runPasswd,
    },
    {
      name: 'grant-role',
      use: 'grant-role <user name> <role name>',
      short: 'Grants a role to a user',
      run: runGrantRole,
    },
    {
      name: 'revoke-role',
      use: 'revoke-role <user name> <role name>',
      short: 'Revokes a role from a user',
      run: runRevokeRole,
    },
  ],
};
