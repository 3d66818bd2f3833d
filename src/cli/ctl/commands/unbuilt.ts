import { PROGRAM } from '../about.js';
import type { Command } from '../command.js';
import { Exit, Fail } from '../fail.js';

/** A command that etcdctl has and we have not yet. Its name counts when a cut-short name is looked up. */
function unbuilt(name: string, use: string, short: string): Command {
  return {
    name,
    use,
    short,
    run: async () => {
      throw new Fail(Exit.ERROR, `${PROGRAM} ${use.split(' ')[0] === name ? name : use} is not built yet`);
    },
  };
}

function family(name: string, short: string, commands: readonly Command[]): Command {
  return { name, use: `${name} <subcommand>`, short, commands };
}

export const UNBUILT: readonly Command[] = [
  family('auth', 'Enable or disable authentication', [
    unbuilt('enable', 'enable', 'Enables authentication'),
    unbuilt('disable', 'disable', 'Disables authentication'),
    unbuilt('status', 'status', 'Returns authentication status'),
  ]),
  family('role', 'Role related commands', [
    unbuilt('add', 'add <role name>', 'Adds a new role'),
    unbuilt('delete', 'delete <role name>', 'Deletes a role'),
    unbuilt('get', 'get <role name>', 'Gets detailed information of a role'),
    unbuilt(
      'grant-permission',
      'grant-permission [options] <role name> <permission type> <key> [endkey]',
      'Grants a key to a role',
    ),
    unbuilt('list', 'list', 'Lists all roles'),
    unbuilt('revoke-permission', 'revoke-permission <role name> <key> [endkey]', 'Revokes a key from a role'),
  ]),
  family('user', 'User related commands', [
    unbuilt('add', 'add <user name or user:password> [options]', 'Adds a new user'),
    unbuilt('delete', 'delete <user name>', 'Deletes a user'),
    unbuilt('get', 'get <user name> [options]', 'Gets detailed information of a user'),
    unbuilt('grant-role', 'grant-role <user name> <role name>', 'Grants a role to a user'),
    unbuilt('list', 'list', 'Lists all users'),
    unbuilt('passwd', 'passwd <user name> [options]', 'Changes password of user'),
    unbuilt('revoke-role', 'revoke-role <user name> <role name>', 'Revokes a role from a user'),
  ]),
];
