import type { KeelError } from '../../../client/index.js';
import type * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { errorText, orFail } from '../context.js';
import { badArgs, Exit, Fail } from '../fail.js';
import { flag } from '../flags.js';
import { parseInteger } from '../go.js';
import { id16 } from '../printers/simple.js';
import { parseLeaseId } from './ids.js';
import { rpc } from './rpc.js';

async function runGrant(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('lease grant command needs TTL argument');
  const ttl = parseInteger(args[0]!, 10, 'ParseInt');
  if (typeof ttl === 'string') throw badArgs(`bad TTL (${ttl})`);
  const reply = await rpc.leaseGrant(context, Number(ttl)).catch((err: unknown) => {
    throw err instanceof Fail ? err : new Fail(Exit.ERROR, `failed to grant lease (${errorText(err)})`);
  });
  context.printer.grant(reply);
}

async function runRevoke(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('lease revoke command needs 1 argument');
  const id = parseLeaseId(args[0]!);
  const reply = await rpc.leaseRevoke(context, id).catch((err: unknown) => {
    throw err instanceof Fail ? err : new Fail(Exit.ERROR, `failed to revoke lease (${errorText(err)})`);
  });
  context.printer.revoke(id, reply);
}

async function runTimeToLive(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('lease timetolive command needs lease ID as argument');
  const id = parseLeaseId(args[0]!);
  const keys = context.flags.bool('keys');
  context.printer.timeToLive(await orFail(rpc.leaseTimeToLive(context, id, keys), Exit.BAD_CONNECTION), keys);
}

async function runList(context: Context): Promise<void> {
  context.printer.leases(await orFail(rpc.leaseLeases(context), Exit.BAD_CONNECTION));
}

async function runKeepAlive(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('lease keep-alive command needs lease ID as argument');
  const id = parseLeaseId(args[0]!);
  if (context.flags.bool('once')) {
    const { header, ttl } = await orFail(context.client.lease.keepAliveOnce(id), Exit.BAD_CONNECTION);
    context.printer.keepAlive({ header, id, ttl } as wire.LeaseKeepAliveResponse);
    return;
  }
  const kept = context.client.lease.keepAlive(id);
  kept.on('renewed', ({ header, ttl }) =>
    context.printer.keepAlive({ header, id, ttl } as wire.LeaseKeepAliveResponse),
  );
  const lost: KeelError = await kept.lost;
  if (lost.code === 'ERR_LEASE_NOT_FOUND' || lost.code === 'ERR_LEASE_LOST') {
    context.io.out(`lease ${id16(id)} expired or revoked.\n`);
    return;
  }
  throw new Fail(Exit.BAD_CONNECTION, errorText(lost));
}

export const LEASE: Command = {
  name: 'lease',
  use: 'lease <subcommand>',
  short: 'Lease related commands',
  commands: [
    { name: 'grant', use: 'grant <ttl>', short: 'Creates leases', run: runGrant },
    { name: 'revoke', use: 'revoke <leaseID>', short: 'Revokes leases', run: runRevoke },
    {
      name: 'timetolive',
      use: 'timetolive <leaseID> [options]',
      short: 'Get lease information',
      flags: [flag('keys', 'bool', 'false', 'Get keys attached to this lease')],
      run: runTimeToLive,
    },
    { name: 'list', use: 'list', short: 'List all active leases', run: runList },
    {
      name: 'keep-alive',
      use: 'keep-alive [options] <leaseID>',
      short: 'Keeps leases alive (renew)',
      flags: [
        flag(
          'once',
          'bool',
          'false',
          'Resets the keep-alive time to its original value and cobrautl.Exits immediately',
        ),
      ],
      run: runKeepAlive,
    },
  ],
};
