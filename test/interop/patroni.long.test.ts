/**
 * Patroni (Debian: patroni, postgresql) keeps two PostgreSQL servers by way of its etcd3 driver, that is through the JSON
 * gateway: a race for the leader key, a failover after a kill, the store's own leader lost meanwhile, and a switchover.
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindUnderTest, onPath, sayIfMissing } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import { freePorts } from '../support/ports.js';

const kind = kindUnderTest();
const patroni = onPath('patroni');
const postgres = postgresFolder();
const account = postgresAccount();
const lacking = sayWhatIsMissing();
/** Patroni's smallest: how long a dead leader keeps its key. */
const TTL_S = 20;

interface Node {
  readonly name: string;
  readonly restPort: number;
  readonly file: string;
  readonly dataDir: string;
  child: ChildProcess | null;
}

let cluster: Cluster;
let dir: string;
let nodes: Node[] = [];

beforeAll(async () => {
  if (lacking) return;
  // Patroni 3.0 looks for etcd's own text under "error"; later ones do without.
  cluster = await Cluster.start({ kind, keelFlags: ['--gateway-legacy-errors'] });
  dir = mkdtempSync(join(tmpdir(), 'keel-patroni-'));
  own(dir);
  const ports = await freePorts(4);
  nodes = ['one', 'two'].map((name, i) => layOut(name, ports[i * 2]!, ports[i * 2 + 1]!));
}, 60_000);

afterAll(async () => {
  for (const node of nodes) await kill(node);
  await cluster?.dispose();
  if (dir) rmSync(dir, { recursive: true, force: true });
});

test.skipIf(lacking)(
  `${kind}: Patroni's leader race, failover and switchover`,
  async () => {
    for (const node of nodes) start(node);
    const first = await primary();
    const [leader, standby] = first === nodes[0]?.name ? [nodes[0]!, nodes[1]!] : [nodes[1]!, nodes[0]!];
    expect(await until('the other one replicates', async () => (await role(standby)) === 'replica')).toBe(true);
    expect(await leaderKey()).toBe(leader.name);

    // The store loses its own leader, then Patroni's leader dies: the standby takes over once the key's lease is gone.
    await cluster.kill9(await cluster.leader());
    const killed = Date.now();
    await kill(leader);
    expect(await until('the standby is promoted', async () => (await role(standby)) === 'primary')).toBe(true);
    console.log(`promoted ${((Date.now() - killed) / 1000).toFixed(1)} s after the kill, ttl ${TTL_S} s`);
    expect(await leaderKey()).toBe(standby.name);

    // The dead one comes back as a replica; the roles are exchanged on request.
    start(leader);
    expect(await until('the old leader follows', async () => (await role(leader)) === 'replica')).toBe(true);
    const switched = await fetch(`http://127.0.0.1:${standby.restPort}/switchover`, {
      method: 'POST',
      body: JSON.stringify({ leader: standby.name, candidate: leader.name }),
    });
    expect([switched.status, await switched.text()]).toEqual([200, expect.stringContaining('Successfully')]);
    expect(await until('roles are exchanged', async () => (await role(leader)) === 'primary')).toBe(true);
    expect(await leaderKey()).toBe(leader.name);
  },
  240_000,
);

function layOut(name: string, restPort: number, port: number): Node {
  const home = join(dir, name);
  mkdirSync(home);
  own(home);
  const dataDir = join(home, 'data');
  const file = join(home, 'patroni.yml');
  const hosts = cluster.endpoints.map((e) => `'${e}'`).join(', ');
  writeFileSync(
    file,
    `scope: keel-test
name: ${name}
restapi: {listen: '127.0.0.1:${restPort}', connect_address: '127.0.0.1:${restPort}'}
etcd3: {hosts: [${hosts}]}
bootstrap:
  dcs: {ttl: ${TTL_S}, loop_wait: 2, retry_timeout: 5, maximum_lag_on_failover: 1048576, postgresql: {use_pg_rewind: false, remove_data_directory_on_diverged_timelines: true}}
  initdb: [{encoding: UTF8}, {auth-host: trust}, {auth-local: trust}]
postgresql:
  listen: '127.0.0.1:${port}'
  connect_address: '127.0.0.1:${port}'
  data_dir: ${dataDir}
  bin_dir: ${postgres}
  authentication: {superuser: {username: postgres}, replication: {username: postgres}}
  parameters: {unix_socket_directories: '${home}', fsync: 'off', shared_buffers: 16MB}
  pg_hba: ['local all all trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust']
`,
  );
  own(file);
  return { name, restPort, file, dataDir, child: null };
}

function start(node: Node): void {
  const log = openSync(join(dir, `${node.name}.log`), 'a');
  const who = account === undefined ? {} : account;
  node.child = spawn(patroni!, [node.file], {
    stdio: ['ignore', log, log],
    cwd: dir,
    env: { ...process.env, HOME: dir },
    ...who,
  });
}

/** Kills Patroni and the server that it keeps, as a machine that loses power. */
async function kill(node: Node): Promise<void> {
  const child = node.child;
  if (child === null) return;
  node.child = null;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await gone;
  const pidFile = join(node.dataDir, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  try {
    // SIGQUIT takes the server's children along.
    process.kill(pid, 'SIGQUIT');
  } catch {
    // it was not running any more
  }
  await until('its server is gone', async () => !existsSync(`/proc/${pid}`));
}

/** `primary`, `replica`, or what Patroni says else; empty without an answer. */
async function role(node: Node): Promise<string> {
  try {
    const answer = await fetch(`http://127.0.0.1:${node.restPort}/patroni`, { signal: AbortSignal.timeout(2000) });
    const body = (await answer.json()) as { role: string; state: string };
    if (body.state !== 'running') return body.state;
    return body.role === 'master' ? 'primary' : body.role;
  } catch {
    return '';
  }
}

async function primary(): Promise<string> {
  let found = '';
  await until('one of them leads', async () => {
    for (const node of nodes) if ((await role(node)) === 'primary') found = node.name;
    return found !== '';
  });
  return found;
}

async function leaderKey(): Promise<string> {
  const member = cluster.members.find((m) => m.process.running)!;
  const answer = await fetch(`http://${member.endpoint}/v3/kv/range`, {
    method: 'POST',
    body: JSON.stringify({ key: Buffer.from('/service/keel-test/leader').toString('base64') }),
  });
  const { kvs } = (await answer.json()) as { kvs?: { value: string }[] };
  return Buffer.from(kvs?.[0]?.value ?? '', 'base64').toString();
}

/** @returns true, or throws with the ends of Patroni's logs after 70 s */
async function until(what: string, holds: () => Promise<boolean>): Promise<true> {
  const end = Date.now() + 70_000;
  while (!(await holds())) {
    if (Date.now() > end) {
      const logs = nodes.map((n) =>
        readFileSync(join(dir, `${n.name}.log`), 'utf8')
          .split('\n')
          .slice(-15)
          .join('\n'),
      );
      throw new Error(`not within 70 s: ${what}\n${logs.join('\n----\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}

/** PostgreSQL refuses to run as root: then it runs as the account that Debian made for it. */
function postgresAccount(): { uid: number; gid: number } | undefined | 'none' {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }).toString());
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return 'none';
  }
}

function own(path: string): void {
  if (account === undefined || account === 'none') return;
  chownSync(path, account.uid, account.gid);
  chmodSync(path, 0o700);
}

/** The newest of Debian's, or what stands on PATH. */
function postgresFolder(): string | undefined {
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : [];
  const debian = versions.map((v) => join(base, v, 'bin')).find((d) => existsSync(join(d, 'initdb')));
  const found = onPath('initdb');
  return debian ?? (found === undefined ? undefined : join(found, '..'));
}

function sayWhatIsMissing(): boolean {
  const what = "Patroni's leader race";
  if (sayIfMissing(what, kind)) return true;
  const reason =
    patroni === undefined
      ? 'no patroni on PATH (Debian: patroni)'
      : postgres === undefined
        ? 'no PostgreSQL (Debian: postgresql)'
        : account === 'none'
          ? 'PostgreSQL does not run as root, and there is no account named postgres'
          : undefined;
  if (reason !== undefined) console.warn(`SKIPPED ${what}: ${reason}`);
  return reason !== undefined;
}
