import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeelClient } from '../../src/client/index.js';
import { KEEL_PROGRAM } from '../support/binaries.js';
import { freePorts } from '../support/ports.js';

const dir = mkdtempSync(join(tmpdir(), 'keel-local-'));
const configFile = join(dir, 'cluster.config.json');
let up: ChildProcess;
let output = '';
let clientPorts: number[] = [];

/** Runs a program of ours to its end. */
function keel(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [KEEL_PROGRAM, ...args],
      { cwd: dir, env: { ...process.env, ...env } },
      (err, stdout, stderr) => {
        const code = err === null ? 0 : typeof err.code === 'number' ? err.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

async function until(what: string, done: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms; output:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

beforeAll(async () => {
  const ports = await freePorts(6);
  clientPorts = ports.slice(0, 3);
  const members = ['n1', 'n2', 'n3'].map((name, i) => ({
    name,
    listenClientUrls: `http://127.0.0.1:${ports[i]}`,
    listenPeerUrls: `http://127.0.0.1:${ports[i + 3]}`,
  }));
  const flags = { 'heartbeat-interval': 50, 'election-timeout': 500 };
  writeFileSync(configFile, JSON.stringify({ dataDir: 'data', members, flags }));
  up = spawn(process.execPath, [KEEL_PROGRAM, 'cluster', 'up'], { cwd: dir });
  up.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  up.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await until('a leader', () => /keel: leader n\d, term \d+, revision \d+ \| n\d lag \d+ \| n\d lag \d+/.test(output));
});

afterAll(async () => {
  if (up.exitCode === null && up.signalCode === null) {
    const exited = new Promise((resolve) => up.once('exit', resolve));
    up.kill('SIGTERM');
    await exited;
  }
  rmSync(dir, { recursive: true, force: true });
});

describe('keel cluster', () => {
  test('members write with their names in front, and the status command tells the same', async () => {
    expect(output).toMatch(/^n1 \| \{"level":"info".*ready to serve client requests/m);
    const { code, stdout } = await keel(['cluster', 'status']);
    expect(stdout).toMatch(/^leader n\d, term \d+, revision \d+ \| n\d lag \d+ \| n\d lag \d+\n$/);
    expect(code).toBe(0);
  });

  test('serves clients; a killed member is missed, restarted and caught up', async () => {
    const client = new KeelClient({ endpoints: clientPorts.map((port) => `127.0.0.1:${port}`) });
    try {
      await client.put('a', '1');
      expect(await keel(['cluster', 'kill', 'n2'])).toMatchObject({ code: 0, stdout: 'killed n2\n' });
      await until('n2 is missed', () => /n2 down/.test(output));
      await client.put('a', '2');
      expect(await keel(['cluster', 'kill', 'n2'])).toMatchObject({ code: 1, stderr: 'Error: n2 is not running\n' });
      expect(await keel(['cluster', 'restart', 'n2'])).toMatchObject({ code: 0, stdout: 'restarted n2\n' });
      await until('n2 is back', async () =>
        / (leader n2|n2 lag 0)/.test(` ${(await keel(['cluster', 'status'])).stdout}`),
      );
      expect((await client.get('a')).kvs[0]?.value.toString()).toBe('2');
    } finally {
      await client.close();
    }
  });

  test('a second cluster on the same folder is refused', async () => {
    const { code, stderr } = await keel(['cluster', 'up']);
    expect(stderr).toMatch(/^Error: a cluster runs on .*data already \(process \d+\)\n$/);
    expect(code).toBe(1);
  });

  test.each([
    [['cluster', 'kill'], 2, "keel cluster kill: the member's name is missing"],
    [['cluster', 'kill', 'zz'], 1, 'no member "zz"; there are n1, n2, n3'],
    [['cluster', 'dance'], 2, 'unknown command "dance"'],
    [['cluster', 'up', '--config=no.json'], 1, 'no.json'],
    [['server', '--nope'], 2, 'flag provided but not defined: -nope'],
    [['server', '--discovery=http://x'], 1, '--discovery: discovery is not built; use --initial-cluster'],
    [['server', '--heartbeat-interval=500'], 1, 'should be at least as 5 times as --heartbeat-interval[500ms]'],
    [['x'], 1, '"x" is not a valid flag'],
    [['kube', '--nope'], 2, 'unknown flag: --nope'],
    [['cluster', 'stop', '--kube'], 2, '--kube goes with "keel cluster up"'],
  ])('%j says what is wrong, status %i', async (args, status, text) => {
    const { code, stderr } = await keel(args);
    expect(stderr).toContain(text);
    expect(code).toBe(status);
  });

  test('a port in use: refused with its name, and no folder is made', async () => {
    const port = clientPorts[0];
    const url = `http://127.0.0.1:${port}`;
    const { code, stderr } = await keel([
      'server',
      '--name=other',
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      '--listen-peer-urls=http://127.0.0.1:0',
    ]);
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain('address already in use');
    expect(code).toBe(1);
    expect(readdirSync(dir)).not.toContain('other.etcd');
  });

  test('SIGINT stops everything in order; a folder of another member is refused afterwards', async () => {
    const exited = new Promise<number | null>((resolve) => up.once('exit', resolve));
    up.kill('SIGINT');
    expect(await exited).toBe(0);
    expect(output.match(/keel: n\d ended$/gm)).toHaveLength(4); // n2 twice
    expect((await keel(['cluster', 'status'])).stderr).toMatch(
      /no cluster runs on .*data; start it with "keel cluster up"/,
    );

    const [peer] = await freePorts(1);
    const { code, stderr } = await keel([
      'server',
      '--name=stranger',
      '--data-dir=data/n1',
      '--initial-cluster-token=other',
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      '--listen-client-urls=http://127.0.0.1:0',
      '--advertise-client-urls=http://127.0.0.1:0',
    ]);
    expect(stderr).toMatch(
      /data\/n1 belongs to member \\"n1\\" \([0-9a-f]+ of cluster [0-9a-f]+\), not \\"stranger\\"/,
    );
    expect(code).toBe(1);
  });
});
