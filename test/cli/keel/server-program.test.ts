/** `keel server` as it is started: what it refuses and how, its log, and what it tells systemd. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { etcdBinary, KEEL_PROGRAM, keelBuilt } from '../../support/binaries.js';
import { freePorts } from '../../support/ports.js';

const folder = mkdtempSync(join(tmpdir(), 'keel-server-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Env = Record<string, string>;
const clean = { PATH: process.env.PATH ?? '' };

/** Runs it to its end. */
function run(program: readonly string[], args: readonly string[], env: Env = {}) {
  const [command, ...before] = program as [string, ...string[]];
  const options = { cwd: folder, env: { ...clean, ...env }, encoding: 'utf8', timeout: 20_000 } as const;
  const { status, stdout, stderr } = spawnSync(command, [...before, ...args], options);
  const lines = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { status, stdout, first: stderr.split('\n')[0], lines };
}

const keel = [process.execPath, KEEL_PROGRAM, 'server'];

describe.skipIf(!keelBuilt())('keel server', () => {
  writeFileSync(join(folder, 'bad.yaml'), 'max-wals: -1');
  const wrongUse: [string, string[]][] = [
    ['an unknown flag', ['--nope']],
    ['a flag without its value', ['--name']],
    ['no number', ['--heartbeat-interval', 'x']],
    ['no boolean', ['--pre-vote=maybe']],
    ['no URL', ['--listen-peer-urls', 'ftp://h:1']],
    ['a value that no choice is', ['--v2-deprecation=nope']],
    ['an unknown flag beside a file', ['--config-file=bad.yaml', '--nope']],
  ];
  const refused: [string, string[], Env?][] = [
    ['zero', ['--heartbeat-interval=0']],
    ['timeouts that do not fit', ['--election-timeout=200']],
    ['half of the client URLs', ['--listen-client-urls=http://127.0.0.1:1']],
    ['a mode that is none', ['--auto-compaction-mode=x']],
    ['two ways to begin', ['--discovery-srv=a', '--initial-cluster=default=http://localhost:2380']],
    ['two kinds of log output', ['--log-outputs=default,stderr']],
    ['no file to rotate', ['--enable-log-rotation']],
    ['a log in no folder', ['--log-outputs=no/folder/a.log']],
    ['a logger that is none', ['--logger=x']],
    ['a file that is not there', ['--config-file=nofile.yaml']],
    ['a variable that is no number', ['--name=a'], { ETCD_HEARTBEAT_INTERVAL: 'x' }],
  ];

  /** 3.5 speaks of discovery otherwise than 3.6 does. */
  const plain = (text: unknown) => String(text).replace('"discovery", "discovery-endpoints" or', '"discovery" or');
  const ours = (args: string[], env?: Env) => {
    const { status, lines } = run(keel, args, env);
    const { level, msg, error } = lines.at(-1) ?? {};
    return { status, level, msg, error: plain(error) };
  };

  // Each costs a process: the rest is asked below, beside a real etcd.
  test.each(wrongUse.slice(0, 2))('wrong use: %s', (_name, args) => {
    const { status, first, stdout } = run(keel, args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(first).toMatch(/^(flag provided but not defined|flag needs an argument|invalid (boolean )?value)/);
  });

  test.each(refused.slice(0, 2))('refused: %s', (_name, args, env) => {
    const { status, level, msg, error } = ours(args, env);
    expect({ status, level, msg }).toEqual({ status: 1, level: 'warn', msg: 'failed to verify flags' });
    expect(error).not.toBe('undefined');
  });

  test('a variable against a flag is fatal', () => {
    const { status, lines } = run(keel, ['--name=a'], { ETCD_NAME: 'b' });
    expect(status).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'fatal', 'environment-variable': 'ETCD_NAME' });
    expect(lines[0]?.msg).toMatch(/^conflicting environment variable is shadowed/);
  });

  test('version and help go to stdout', () => {
    expect(run(keel, ['--version']).stdout).toMatch(
      /^etcd Version: \d.*\nGit SHA: .*\nGo Version: .*\nGo OS\/Arch: .*\n$/,
    );
    const { status, stdout } = run(keel, ['--help']);
    expect(status).toBe(0);
    expect(stdout).toContain("\nClustering:\n  --initial-advertise-peer-urls 'http://localhost:2380'\n");
  });

  test.each(['gateway', 'grpc-proxy'])('keel %s says that it is not built', (command) => {
    const { status, first } = run([process.execPath, KEEL_PROGRAM], [command, 'start']);
    expect({ status, first }).toEqual({ status: 1, first: `Error: "keel ${command}" is not built yet` });
  });

  const etcd = etcdBinary();
  if (etcd === undefined) console.warn('SKIPPED the words of a real etcd: none here (KEEL_TEST_ETCD_BIN)');
  describe.skipIf(etcd === undefined)('in the words of etcd', () => {
    test.each(wrongUse)('wrong use: %s', (_name, args) => {
      const { status, first } = run(keel, args);
      expect({ status, first }).toEqual(pick(run([etcd as string], args)));
    });
    const pick = ({ status, first }: { status: number | null; first?: string | undefined }) => ({ status, first });

    test.each(refused)('refused: %s', (_name, args, env) => {
      const theirs = run([etcd as string], args, env);
      const line = theirs.lines.find(({ msg }) => msg === 'failed to verify flags') ?? {};
      const { level, msg, error } = line;
      const bare = (text: string) => text.replaceAll(`${folder}/`, '').replaceAll('configYAML.Config.', 'configYAML.');
      expect(ours(args, env)).toEqual({ status: theirs.status, level, msg, error: bare(plain(error)) });
    });
  });

  test('reads its file, writes its logs, tells systemd, and changes its level at SIGUSR2', async () => {
    const [client, peer] = await freePorts(2);
    const dir = join(folder, 'member');
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'systemd-notify'),
      `#!/bin/sh\necho "$NOTIFY_SOCKET $@" >> '${join(folder, 'notified')}'\n`,
    );
    chmodSync(join(bin, 'systemd-notify'), 0o755);
    const log = join(folder, 'a.log');
    writeFileSync(
      join(folder, 'keel.yaml'),
      `name: m\ndata-dir: ${dir}\nlisten-client-urls: http://127.0.0.1:${client}\nadvertise-client-urls: http://127.0.0.1:${client}\nlisten-peer-urls: http://127.0.0.1:${peer}\ninitial-advertise-peer-urls: http://127.0.0.1:${peer}\nmax-snapshots: 3\nlog-outputs: [${log}, stdout]\n`,
    );
    const env = {
      PATH: `${bin}:${clean.PATH}`,
      NOTIFY_SOCKET: '/run/none',
      ETCD_NAME: 'ignored',
      KEEL_CONFIG_FILE: 'keel.yaml',
    };
    const child = spawn(process.execPath, [KEEL_PROGRAM, '--name=ignored-too'], { cwd: folder, env });
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    try {
      const text = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
      await vi.waitFor(() => expect(text()).toContain('successfully notified init daemon'), { timeout: 20_000 });
      expect(readFileSync(join(folder, 'notified'), 'utf8')).toBe('/run/none READY=1\n');
      const lines = text()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines[0].msg).toMatch(/^loaded server configuration/);
      expect(lines.filter(({ msg }) => msg.startsWith('--max-snapshots has no effect here'))).toHaveLength(1);
      expect(lines.find(({ msg }) => msg === 'starting an etcd server')).toMatchObject({ name: 'm', 'data-dir': dir });
      for (const to of ['debug', 'info']) {
        child.kill('SIGUSR2');
        await vi.waitFor(() => expect(text()).toMatch(new RegExp(`"msg":"changed the log level",.*"to":"${to}"`)));
      }
      const ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)));
      child.kill('SIGTERM');
      expect(await ended).toBe('SIGTERM');
      expect(out).toBe(text());
      expect(readFileSync(join(folder, 'notified'), 'utf8')).toContain('/run/none STOPPING=1\n');
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('without a sender systemd is not told, and the log says so', async () => {
    const { notifySystemd } = await import('../../../src/cli/keel/systemd.js');
    const said: string[] = [];
    const note = (level: string) => (msg: string, fields?: object) =>
      void said.push(`${level} ${msg} ${JSON.stringify(fields)}`);
    const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
    await notifySystemd({ PATH: folder, NOTIFY_SOCKET: '/run/none' }, 'READY=1', log as never);
    expect(said.at(-1)).toBe(
      'error failed to notify systemd for readiness {"state":"READY=1","error":"systemd-notify: not found; socat: not found"}',
    );
    said.length = 0;
    await notifySystemd({ PATH: folder }, 'READY=1', log as never);
    expect(said).toEqual([]);
  });
});
