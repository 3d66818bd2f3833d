import { KeelError } from '../../../client/index.js';
import * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { errorText } from '../context.js';
import { Exit, Fail } from '../fail.js';
import { flag } from '../flags.js';
import { formatDuration } from '../go.js';
import type { EndpointHash, EndpointStatus, Health } from '../printers/printer.js';
import { ALARM_NAMES } from '../printers/printer.js';
import { rpc } from './rpc.js';

/** Those that were named, or with --cluster those of all members. @throws Fail */
export async function endpointsOf(context: Context): Promise<string[]> {
  if (!context.flags.bool('cluster')) return context.endpoints;
  const list = await rpc.memberList(context).catch((err: unknown) => {
    if (err instanceof Fail) throw err;
    throw new Fail(Exit.ERROR, `failed to fetch endpoints from etcd cluster member list: ${errorText(err)}`);
  });
  return list.members.flatMap((m) => m.clientUrls);
}

async function runHealth(context: Context): Promise<void> {
  void context.printer;
  const found: Health[] = [];
  const endpoints = await endpointsOf(context);
  await Promise.all(endpoints.map(async (endpoint) => found.push(await health(context, endpoint))));
  context.printer.health(found);
  if (found.some((h) => !h.health)) throw new Fail(Exit.ERROR, 'unhealthy cluster');
}

/** Healthy: it answers a linearizable read, and no alarm is active. */
async function health(context: Context, endpoint: string): Promise<Health> {
  const start = performance.now();
  let error = '';
  try {
    await rpc.range(context, { ...wire.makeRangeRequest(), key: 'health' }, { endpoint });
  } catch (err) {
    // To refuse the key took the quorum as well.
    if (!(err instanceof KeelError && err.code === 'ERR_PERMISSION_DENIED')) error = errorText(err);
  }
  if (error === '') {
    try {
      const { alarms } = await rpc.alarm(context, { action: wire.AlarmAction.GET }, { endpoint });
      if (alarms.length > 0) error = `Active Alarm(s): ${alarms.map((a) => `${ALARM_NAMES[a.alarm]} `).join('')}`;
    } catch {
      error = 'Unable to fetch the alarm list';
    }
  }
  return { endpoint, health: error === '', took: formatDuration(performance.now() - start), error };
}

async function runStatus(context: Context): Promise<void> {
  const found: EndpointStatus[] = [];
  let failed = false;
  for (const endpoint of await endpointsOf(context)) {
    try {
      found.push({ endpoint, status: await rpc.status(context, endpoint) });
    } catch (err) {
      if (err instanceof Fail) throw err;
      failed = true;
      context.io.err(`Failed to get the status of endpoint ${endpoint} (${errorText(err)})\n`);
    }
  }
  context.printer.status(found);
  if (failed) throw new Fail(Exit.ERROR, null);
}

async function runHashKv(context: Context): Promise<void> {
  const found: EndpointHash[] = [];
  let failure: string | null = null;
  for (const endpoint of await endpointsOf(context)) {
    try {
      found.push({ endpoint, hash: await rpc.hashKv(context, endpoint, context.flags.int('rev')) });
    } catch (err) {
      if (err instanceof Fail) throw err;
      failure = errorText(err);
      context.io.err(`Failed to get the hash of endpoint ${endpoint} (${failure})\n`);
    }
  }
  context.printer.hashKv(found);
  if (failure !== null) throw new Fail(Exit.ERROR, failure);
}

async function runDefrag(context: Context): Promise<void> {
  let failed = false;
  for (const endpoint of await endpointsOf(context)) {
    const start = performance.now();
    try {
      await rpc.defragment(context, endpoint);
      context.io.out(
        `Finished defragmenting etcd member[${endpoint}]. took ${formatDuration(performance.now() - start)}\n`,
      );
    } catch (err) {
      if (err instanceof Fail) throw err;
      failed = true;
      const took = formatDuration(performance.now() - start);
      context.io.err(`Failed to defragment etcd member[${endpoint}]. took ${took}. (${errorText(err)})\n`);
    }
  }
  if (failed) throw new Fail(Exit.ERROR, null);
}

const CLUSTER = flag('cluster', 'bool', 'false', 'use all endpoints from the cluster member list');

export const ENDPOINT: Command = {
  name: 'endpoint',
  use: 'endpoint <subcommand>',
  short: 'Endpoint related commands',
  persistent: [CLUSTER],
  commands: [
    {
      name: 'health',
      use: 'health',
      short: 'Checks the healthiness of endpoints specified in `--endpoints` flag',
      run: runHealth,
    },
    {
      name: 'status',
      use: 'status',
      short: 'Prints out the status of endpoints specified in `--endpoints` flag',
      long: `When --write-out is set to simple, this command prints out comma-separated status lists for each endpoint.
The items in the lists are endpoint, ID, version, storage version, db size, db size in use, percentage of db size not in use, quota, is leader, is learner, raft term, raft index, raft applied index, errors, downgrade target version, downgrade enabled.`,
      run: runStatus,
    },
    {
      name: 'hashkv',
      use: 'hashkv',
      short: 'Prints the KV history hash for each endpoint in --endpoints',
      flags: [flag('rev', 'int', '0', 'maximum revision to hash (default: latest revision)')],
      run: runHashKv,
    },
  ],
};

export const DEFRAG: Command = {
  name: 'defrag',
  use: 'defrag',
  short: 'Defragments the storage of the etcd members with given endpoints',
  flags: [CLUSTER],
  run: runDefrag,
};
