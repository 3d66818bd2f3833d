import * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { orFail } from '../context.js';
import { badArgs } from '../fail.js';
import { rpc } from './rpc.js';

function runTo(name: 'validate' | 'enable', action: number): (context: Context, args: string[]) => Promise<void> {
  return async (context, args) => {
    if (args.length < 1) throw badArgs('TARGET_VERSION not provided');
    if (args.length > 1) throw badArgs('too many arguments');
    const [version] = args as [string];
    if (version === '') throw badArgs('target version not provided');
    context.printer.downgrade(name, await orFail(rpc.downgrade(context, { action, version })));
  };
}

async function runCancel(context: Context): Promise<void> {
  const reply = await orFail(rpc.downgrade(context, { action: wire.DowngradeAction.CANCEL }));
  context.printer.downgrade('cancel', reply);
}

export const DOWNGRADE: Command = {
  name: 'downgrade',
  use: 'downgrade <TARGET_VERSION>',
  short: 'Downgrade related commands',
  commands: [
    { name: 'cancel', use: 'cancel', short: 'Cancel the ongoing downgrade action to cluster', run: runCancel },
    {
      name: 'enable',
      use: 'enable <TARGET_VERSION>',
      short: 'Start a downgrade action to cluster',
      run: runTo('enable', wire.DowngradeAction.ENABLE),
    },
    {
      name: 'validate',
      use: 'validate <TARGET_VERSION>',
      short: 'Validate downgrade capability before starting downgrade',
      run: runTo('validate', wire.DowngradeAction.VALIDATE),
    },
  ],
};
