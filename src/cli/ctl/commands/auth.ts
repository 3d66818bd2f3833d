import { KeelError } from '../../../client/index.js';
import * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { orFail } from '../context.js';
import { badArgs } from '../fail.js';
import { printAuth } from '../printers/auth.js';
import { authRpc } from './auth-rpc.js';

function noArguments(args: readonly string[], name: string): void {
  if (args.length > 0) throw badArgs(`auth ${name} command does not accept any arguments`);
}

async function runEnable(context: Context, args: string[]): Promise<void> {
  noArguments(args, 'enable');
  try {
    await authRpc.enable(context);
  } catch (err) {
    if (!(err instanceof KeelError) || err.message !== 'etcdserver: root user does not have root role') {
      return orFail(Promise.reject(err));
    }
    await orFail(authRpc.roleAdd(context, 'root').catch(unlessExists));
    await orFail(authRpc.grantRole(context, 'root', 'root'));
    await orFail(authRpc.enable(context));
  }
  context.io.out('Authentication Enabled\n');
}

/** The role may be there from an earlier time. */
function unlessExists(err: unknown): void {
  if (!(err instanceof KeelError) || err.message !== 'etcdserver: role name already exists') throw err;
}

async function runDisable(context: Context, args: string[]): Promise<void> {
  noArguments(args, 'disable');
  await orFail(authRpc.disable(context));
  context.io.out('Authentication Disabled\n');
}

async function runStatus(context: Context, args: string[]): Promise<void> {
  noArguments(args, 'status');
  const reply = await orFail(authRpc.status(context));
  printAuth(context, {
    codec: wire.AuthStatusResponse,
    reply,
    simple: () => `Authentication Status: ${reply.enabled}\nAuthRevision: ${reply.authRevision}\n`,
    fields: null,
  });
}

export const AUTH: Command = {
  name: 'auth',
  use: 'auth <enable or disable>',
  short: 'Enable or disable authentication',
  commands: [
    { name: 'enable', use: 'enable', short: 'Enables authentication', run: runEnable },
    { name: 'disable', use: 'disable', short: 'Disables authentication', run: runDisable },
    { name: 'status', use: 'status', short: 'Returns authentication status', run: runStatus },
  ],
};
