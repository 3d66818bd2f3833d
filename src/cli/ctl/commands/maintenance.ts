import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { errorText, orFail } from '../context.js';
import { badArgs, Exit, Fail } from '../fail.js';
import { formatBytes, formatDuration, parseInteger } from '../go.js';
import { rpc } from './rpc.js';

async function runAlarmList(context: Context, args: string[]): Promise<void> {
  if (args.length > 0) throw badArgs('alarm list command accepts no arguments');
  context.printer.alarm(await orFail(rpc.alarm(context, { action: wire.AlarmAction.GET })));
}

/** Disarms all that are active; the answer shows those that were. */
async function runAlarmDisarm(context: Context, args: string[]): Promise<void> {
  if (args.length > 0) throw badArgs('alarm disarm command accepts no arguments');
  const { alarms } = await orFail(rpc.alarm(context, { action: wire.AlarmAction.GET }));
  const disarmed = wire.AlarmResponse.make();
  for (const { memberId, alarm } of alarms) {
    const request = { action: wire.AlarmAction.DEACTIVATE, memberId, alarm };
    const reply = await orFail(rpc.alarm(context, request));
    disarmed.alarms.push(...reply.alarms);
  }
  context.printer.alarm(disarmed);
}

export const ALARM: Command = {
  name: 'alarm',
  use: 'alarm <subcommand>',
  short: 'Alarm related commands',
  commands: [
    { name: 'disarm', use: 'disarm', short: 'Disarms all alarms', run: runAlarmDisarm },
    { name: 'list', use: 'list', short: 'Lists all alarms', run: runAlarmList },
  ],
};

async function runMoveLeader(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('move-leader command needs 1 argument');
  const target = parseInteger(args[0]!, 16, 'ParseUint');
  if (typeof target === 'string') throw badArgs(target);
  for (const endpoint of context.endpoints) {
    const status = await orFail(rpc.status(context, endpoint));
    const member = status.header?.memberId ?? 0n;
    if (status.leader !== member) continue;
    const reply = await orFail(rpc.moveLeader(context, target, endpoint));
    context.printer.moveLeader(status.leader, target, reply);
    return;
  }
  throw badArgs(`no leader endpoint given at [${context.endpoints.join(' ')}]`);
}

export const MOVE_LEADER: Command = {
  name: 'move-leader',
  use: 'move-leader <transferee-member-id>',
  short: 'Transfers leadership to another etcd cluster member.',
  run: runMoveLeader,
};

/** The stream goes to <file>.part, which takes the file's name when it is complete and on the disk. */
async function runSnapshotSave(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('snapshot save expects one argument');
  const path = args[0]!;
  const { endpoints } = context;
  if (endpoints.length !== 1) {
    throw new Fail(
      Exit.INTERRUPTED,
      `snapshot must be requested to one selected node, not multiple [${endpoints.join(' ')}]`,
    );
  }
  const part = `${path}.part`;
  const fd = open(part);
  const log = logLine(context);
  log('created temporary db file', { path: part });
  const start = performance.now();
  const timeout = context.flags.changed('command-timeout') ? AbortSignal.timeout(context.timeoutMs) : null;
  let size = 0;
  let version = '';
  try {
    const stream = context.client.maintenance.snapshot(endpoints[0]!, timeout === null ? {} : { signal: timeout });
    log('fetching snapshot', { endpoint: endpoints[0]! });
    for await (const chunk of stream) {
      for (let rest = chunk.blob; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
      size += chunk.blob.length;
      version = chunk.version === '' ? version : chunk.version;
    }
    if (size % 512 !== 32) throw new Fail(Exit.INTERRUPTED, `sha256 checksum not found [bytes: ${size}]`);
    fsyncSync(fd);
  } catch (err) {
    closeSync(fd);
    unlinkSync(part);
    if (err instanceof Fail) throw err;
    throw new Fail(Exit.INTERRUPTED, timeout?.aborted ? 'context deadline exceeded' : errorText(err));
  }
  closeSync(fd);
  const took = formatDuration(performance.now() - start);
  log('fetched snapshot', { endpoint: endpoints[0]!, size: formatBytes(size), took });
  rename(part, path);
  log('saved', { path });
  context.io.out(`Snapshot saved at ${path}\n`);
  if (version !== '') context.io.out(`Server version ${version}\n`);
}

function rename(part: string, path: string): void {
  try {
    renameSync(part, path);
  } catch (err) {
    const code = (err as NodeJS.ErrnoException).code;
    // Go's own look at a folder in the way comes before the system's.
    const why = code === 'EISDIR' ? 'file exists' : code === 'ENOENT' ? 'no such file or directory' : String(code);
    throw new Fail(Exit.INTERRUPTED, `could not rename ${part} to ${path} (rename ${part} ${path}: ${why})`);
  }
}

function open(part: string): number {
  try {
    return openSync(part, 'w', 0o600);
  } catch (err) {
    const code = (err as NodeJS.ErrnoException).code;
    const why =
      code === 'ENOENT' ? 'no such file or directory' : code === 'EACCES' ? 'permission denied' : String(code);
    throw new Fail(Exit.INTERRUPTED, `could not open ${part} (open ${part}: ${why})`);
  }
}

function logLine(context: Context): (msg: string, fields: Record<string, string>) => void {
  return (msg, fields) =>
    context.io.err(
      `${JSON.stringify({ level: 'info', ts: new Date().toISOString(), caller: 'ctl/snapshot', msg, ...fields })}\n`,
    );
}

export const SNAPSHOT: Command = {
  name: 'snapshot',
  use: 'snapshot <subcommand>',
  short: 'Manages etcd node snapshots',
  commands: [
    {
      name: 'save',
      use: 'save <filename>',
      short: 'Stores an etcd node backend snapshot to a given file',
      run: runSnapshotSave,
    },
  ],
};
