import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { flag } from '../flags.js';

/**
 * Commands that are seldom called: here is what help and the command line need to know of them. What they do is loaded
 * when they are called, so that the others start sooner.
 */

type Run = (context: Context, args: string[]) => Promise<void>;

function late(load: () => Promise<Run>): Run {
  return async (context, args) => (await load())(context, args);
}

export const LOCK: Command = {
  name: 'lock',
  use: 'lock <lockname> [exec-command arg1 arg2 ...]',
  short: 'Acquires a named lock',
  flags: [flag('ttl', 'int', '10', 'timeout for session')],
  run: late(async () => (await import('./run/lock.js')).runLock),
};

export const ELECT: Command = {
  name: 'elect',
  use: 'elect <election-name> [proposal]',
  short: 'Observes and participates in leader election',
  flags: [flag('listen', 'bool', 'false', 'observation mode', 'l')],
  run: late(async () => (await import('./run/elect.js')).runElect),
};

export const MAKE_MIRROR: Command = {
  name: 'make-mirror',
  use: 'make-mirror [options] <destination>',
  short: 'Makes a mirror at the destination etcd cluster',
  flags: [
    flag('prefix', 'string', '', 'Key-value prefix to mirror'),
    flag('rev', 'int', '0', 'Specify the kv revision to start to mirror'),
    flag(
      'max-txn-ops',
      'uint',
      '128',
      'Maximum number of operations permitted in a transaction during syncing updates',
    ),
    flag(
      'dest-prefix',
      'string',
      '',
      'destination prefix to mirror a prefix to a different prefix in the destination cluster',
    ),
    flag('no-dest-prefix', 'bool', 'false', 'mirror key-values to the root of the destination cluster'),
    flag(
      'dest-cert',
      'string',
      '',
      'Identify secure client using this TLS certificate file for the destination cluster',
    ),
    flag('dest-key', 'string', '', 'Identify secure client using this TLS key file'),
    flag('dest-cacert', 'string', '', 'Verify certificates of TLS enabled secure servers using this CA bundle'),
    flag('dest-insecure-transport', 'bool', 'true', 'Disable transport security for client connections'),
    flag(
      'dest-user',
      'string',
      '',
      'Destination username[:password] for authentication (prompt if password is not supplied)',
    ),
    flag(
      'dest-password',
      'string',
      '',
      "Destination password for authentication (if this option is used, --user option shouldn't include password)",
    ),
  ],
  run: late(async () => (await import('./run/make-mirror.js')).runMakeMirror),
};

function checkFlags(what: string, prefix: string) {
  return [
    flag(
      'load',
      'string',
      's',
      `The ${what} check's workload model. Accepted workloads: s(small), m(medium), l(large), xl(xLarge)`,
    ),
    flag('prefix', 'string', prefix, `The prefix for writing the ${what} check's keys.`),
    flag('auto-compact', 'bool', 'false', 'Compact storage with last revision after test is finished.'),
    flag('auto-defrag', 'bool', 'false', 'Defragment storage after test is finished.'),
  ];
}

export const CHECK: Command = {
  name: 'check',
  use: 'check <subcommand>',
  short: 'commands for checking properties of the etcd cluster',
  commands: [
    {
      name: 'datascale',
      use: 'datascale [options]',
      short: 'Check the memory usage of holding data for different workloads on a given server endpoint.',
      long: 'If no endpoint is provided, localhost will be used. If multiple endpoints are provided, first endpoint will be used.',
      flags: checkFlags('datascale', '/etcdctl-check-datascale/'),
      run: late(async () => (await import('./run/check-datascale.js')).runCheckDatascale),
    },
    {
      name: 'perf',
      use: 'perf [options]',
      short: 'Check the performance of the etcd cluster',
      flags: checkFlags('performance', '/etcdctl-check-perf/'),
      run: late(async () => (await import('./run/check-perf.js')).runCheckPerf),
    },
  ],
};
