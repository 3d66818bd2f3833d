/** Python programs by Debian's python3-etcd3: a tour with a real etcd's answers beside ours, and a race for leadership. */
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { etcdBinary, onPath, REPO_ROOT, sayIfMissing } from '../support/binaries.js';
import { Cluster, withCluster } from '../support/cluster.js';

const SCRIPTS = join(REPO_ROOT, 'test', 'testdata', 'python');
const TTL_S = 2;
/** The library's generated code is older than today's protobuf runtime, but for its implementation in Python. */
const ENV = { env: { ...process.env, PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION: 'python' } };
const python = pythonWithEtcd3();
const lacking = sayIfMissing('Python programs', 'keel') || python === undefined;
if (python === undefined) console.warn('SKIPPED Python programs: no python3 with etcd3 (Debian: python3-etcd3)');

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

test.skipIf(lacking)('the tour prints what it prints beside a real etcd', async () => {
  const ours = await tour('keel');
  expect(ours.split('\n').length).toBeGreaterThan(15);
  expect(ours).toContain('compacted');
  if (etcdBinary() === undefined) return console.warn('SKIPPED the comparison with a real etcd: none named');
  expect(ours).toBe(await tour('etcd'));
});

async function tour(kind: 'keel' | 'etcd'): Promise<string> {
  let printed = '';
  await withCluster({ kind, size: 1 }, async (cluster) => {
    const port = String(cluster.members[0]!.clientPort);
    const { stdout } = await promisify(execFile)(python!, [join(SCRIPTS, 'tour.py'), '127.0.0.1', port], ENV);
    printed = stdout;
  });
  return printed;
}

interface Line {
  readonly name: string;
  readonly what: string;
  readonly revision?: number;
  readonly at: number;
}

test.skipIf(lacking)(
  'two candidates: one leads, and the other after it; the loss of a member changes nothing but by time',
  async () => {
    const cluster = await Cluster.start({ kind: 'keel' });
    const lines: Line[] = [];
    const run = (name: string, turn: number): ChildProcess => {
      const endpoints = [...cluster.endpoints.slice(turn), ...cluster.endpoints.slice(0, turn)];
      const args = [join(SCRIPTS, 'candidate.py'), name, 'seat', String(TTL_S), ...endpoints];
      const child = spawn(python!, args, { ...ENV, stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      createInterface({ input: child.stdout! }).on('line', (l) => lines.push({ ...JSON.parse(l), at: Date.now() }));
      return child;
    };
    const led = async (after: number): Promise<Line> => {
      const end = Date.now() + 15_000;
      for (;;) {
        const line = lines.slice(after).find((l) => l.what === 'leads');
        if (line !== undefined) return line;
        if (Date.now() > end) throw new Error(`nobody leads: ${JSON.stringify(lines.slice(-10))}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    try {
      const candidates = new Map([run('ada', 0), run('bob', 1)].map((c, i) => [['ada', 'bob'][i]!, c] as const));
      const first = await led(0);
      // The store's leader goes: whoever leads renews in time through another member, or loses the seat and is followed.
      const leader = await cluster.leader();
      await cluster.kill9(leader);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await cluster.restart(leader);
      const current = lines.filter((l) => l.what === 'leads').at(-1)!;
      expect(current.revision).toBeGreaterThanOrEqual(first.revision!);
      expect(lines.filter((l) => l.what === 'renewed' && l.name === current.name).length).toBeGreaterThan(0);

      const mark = lines.length;
      candidates.get(current.name)!.kill('SIGKILL');
      const next = await led(mark);
      expect(next.name).not.toBe(current.name);
      expect(next.revision).toBeGreaterThan(current.revision!);
      const last = lines.filter((l) => l.name === current.name && l.what === 'renewed').at(-1)!;
      expect(next.at - last.at).toBeGreaterThan(TTL_S * 1000 - 600);
    } finally {
      for (const child of children) child.kill('SIGKILL');
      await cluster.dispose();
    }
  },
  60_000,
);

function pythonWithEtcd3(): string | undefined {
  // Debian's own first: another Python that stands before it on PATH does not see Debian's packages.
  for (const candidate of ['/usr/bin/python3', onPath('python3')]) {
    if (candidate === undefined) continue;
    if (spawnSync(candidate, ['-c', 'import etcd3'], { stdio: 'ignore', ...ENV }).status === 0) return candidate;
  }
  return undefined;
}
