import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { KEEL_PROGRAM, missing } from '../support/binaries.js';
import { freePorts } from '../support/ports.js';

const reason = missing('keel');

describe.skipIf(reason !== undefined)(`keel cluster up --kube${reason === undefined ? '' : `: ${reason}`}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'keel-cluster-kube-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  function up(...flags: string[]) {
    const child = spawn(process.execPath, [KEEL_PROGRAM, 'cluster', 'up', ...flags], { cwd: dir });
    const said = { text: '', code: null as number | null };
    child.stdout.on('data', (chunk) => (said.text += chunk));
    child.stderr.on('data', (chunk) => (said.text += chunk));
    child.on('close', (code) => {
      said.code = code;
    });
    return { child, said };
  }

  test('three members and the API on them; Ctrl-C ends all; a flag that there is not ends all too', async () => {
    const ports = await freePorts(6);
    const members = ['n1', 'n2', 'n3'].map((name, i) => ({
      name,
      listenClientUrls: `http://127.0.0.1:${ports[i]}`,
      listenPeerUrls: `http://127.0.0.1:${ports[i + 3]}`,
    }));
    writeFileSync(join(dir, 'cluster.config.json'), JSON.stringify({ dataDir: 'data', members }));

    const { child, said } = up('--kube', '--kube-secure-port=0');
    await expect.poll(() => said.text, { timeout: 60_000 }).toContain('keel: export KUBECONFIG=');
    const kubeconfig = /KUBECONFIG=(.*)\n/.exec(said.text)?.[1] ?? '';
    expect(existsSync(kubeconfig)).toBe(true);
    expect(said.text).toMatch(/Kubernetes API at https:\/\/127\.0\.0\.1:\d+, ready in/);
    child.kill('SIGINT');
    await expect.poll(() => said.code, { timeout: 30_000 }).toBe(0);

    const wrong = up('--kube-nope=1');
    await expect.poll(() => wrong.said.code, { timeout: 60_000 }).toBe(1);
    expect(wrong.said.text).toContain('Error: unknown flag: --nope');
  }, 180_000);
});
