import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { KEEL_PROGRAM, missing } from '../../support/binaries.js';

const reason = missing('keel');

interface Running {
  readonly stdout: string;
  readonly stderr: string;
  code: number | null;
  stop(signal: NodeJS.Signals): Promise<number | null>;
  until(text: RegExp): Promise<RegExpExecArray>;
}

function keel(args: readonly string[]): Running {
  const child = spawn(process.execPath, [KEEL_PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (said.stdout += chunk));
  child.stderr.on('data', (chunk) => (said.stderr += chunk));
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  const running: Running = {
    get stdout() {
      return said.stdout;
    },
    get stderr() {
      return said.stderr;
    },
    code: null,
    stop(signal) {
      child.kill(signal);
      return ended;
    },
    async until(text) {
      for (const late = Date.now() + 20_000; Date.now() < late; ) {
        const match = text.exec(said.stdout);
        if (match !== null) return match;
        if (running.code !== null) break;
        await new Promise((done) => setTimeout(done, 20));
      }
      child.kill('SIGKILL');
      throw new Error(`waited in vain for ${text}:\n${said.stdout}${said.stderr}`);
    },
  };
  void ended.then((code) => {
    running.code = code ?? -1;
  });
  return running;
}

describe.skipIf(reason !== undefined)(`keel kube${reason === undefined ? '' : `: ${reason}`}`, () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'keel-kube-program-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const readyz = (kubeconfig: string) =>
    new Promise<string>((resolve, reject) => {
      const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
      const pem = (text: string) => Buffer.from(text, 'base64');
      const { server } = clusters[0].cluster;
      const ca = pem(clusters[0].cluster['certificate-authority-data']);
      const cert = pem(users[0].user['client-certificate-data']);
      const key = pem(users[0].user['client-key-data']);
      request(`${server}/readyz`, { ca, cert, key, agent: false }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        answer.on('end', () => resolve(`${answer.statusCode} ${text}`));
      })
        .on('error', reject)
        .end();
    });

  test('one command: a store of its own, a kubeconfig that is told, and a clean end; twice on one folder', async () => {
    for (const round of [1, 2]) {
      const running = keel(['kube', '--data-dir', dir, '--secure-port=0']);
      const [, kubeconfig = ''] = await running.until(/export KUBECONFIG=(.*)\n/);
      expect(running.stdout).toMatch(
        /^keel: Kubernetes API at https:\/\/127\.0\.0\.1:\d+, ready in \d+\.\d\d s; store: http:\/\/127\.0\.0\.1:\d+ \(embedded\)\n/,
      );
      expect(await readyz(kubeconfig), `round ${round}`).toBe('200 ok');
      expect(statSync(join(dir, 'etcd', 'member')).isDirectory()).toBe(true);
      expect(await running.stop('SIGTERM')).toBe(0);
      expect(running.stderr).not.toMatch(/"level":"(error|fatal|panic)"/);
    }
  });

  test.each([
    [['--nope'], 2, 'unknown flag: --nope'],
    [['--secure-port=x'], 2, 'invalid value "x" for flag -secure-port'],
    [['--authorization-mode=ABAC'], 2, 'authorization-mode'],
    [['--token-auth-file=/nonexistent'], 1, '--token-auth-file'],
    [['--tls-cert-file=/nonexistent'], 1, '--tls-cert-file and --tls-private-key-file come together'],
    [['--service-node-port-range=5'], 1, '--service-node-port-range'],
  ])('%j: status %i', async (args, code, text) => {
    const running = keel(['kube', '--data-dir', join(dir, 'none'), '--secure-port=0', ...args]);
    while (running.code === null) await new Promise((done) => setTimeout(done, 20));
    expect([running.code, running.stderr]).toEqual([code, expect.stringContaining(text)]);
  });

  test('--help names the flags', async () => {
    const running = keel(['kube', '--help']);
    while (running.code === null) await new Promise((done) => setTimeout(done, 20));
    for (const flag of ['--etcd-servers', '--secure-port', '--token-auth-file', '--authorization-mode', '--data-dir']) {
      expect(running.stdout).toContain(flag);
    }
    expect(running.code).toBe(0);
  });
});
