import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startTestMember } from '../rpc/support/member.js';
import { REPO_ROOT, sayIfMissing } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import type { Step } from './support/script.js';
import { readScript, runScript, scriptPath, writeScript } from './support/script.js';

/** Every script of requests runs against a member of its own, and where a real etcd is at hand against one of it. */
const scripts = readdirSync(scriptPath('.')).filter((name) => name.endsWith('.txt'));
const rewrite = process.env.KEEL_TEST_REWRITE === '1';
const asked = (step: Step): string => step.lines.join('\n');

describe('requests', () => {
  test.each(scripts)('%s', async (name) => {
    const steps = readScript(name);
    const member = await startTestMember({ name: 'm1', heartbeatMs: 50, electionMs: 500 });
    let outputs: string[];
    try {
      outputs = await runScript(member.endpoint, steps);
    } finally {
      await member.stop();
    }
    if (rewrite) return writeScript(name, outputs);
    expect(outputs.map((output, i) => `${asked(steps[i]!)}\n${output}`)).toEqual(
      steps.map((step) => `${asked(step)}\n${step.expected}`),
    );
  });
});

/** `file: request -- why`: a step that etcd 3.5 answers otherwise; the request's lines are joined by ` | `. */
function knownDifferences(): Set<string> {
  const text = readFileSync(join(REPO_ROOT, 'test', 'testdata', 'compat-3.5', 'gateway.txt'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Set(lines.map((line) => line.split(' -- ')[0] as string));
}

describe.skipIf(sayIfMissing('the same requests to a real etcd', 'etcd'))('the same requests to a real etcd', () => {
  test.each(scripts)('%s', async (name) => {
    const steps = readScript(name).filter((step) => !step.keelOnly);
    const cluster = await Cluster.start({ kind: 'etcd', size: 1 });
    let outputs: string[];
    try {
      outputs = await runScript(cluster.endpoints[0]!, steps);
    } finally {
      await cluster.dispose();
    }
    const known = knownDifferences();
    const key = (step: Step): string => `${name}: ${step.lines.join(' | ')}`;
    const differing = steps.filter((step, i) => step.expected !== outputs[i]);
    const surprises = differing.filter((step) => !known.has(key(step)));
    const told = surprises.map((step) => `${key(step)}\nkeel: ${step.expected}\netcd: ${outputs[steps.indexOf(step)]}`);
    expect(told).toEqual([]);
    const listed = [...known].filter((line) => line.startsWith(`${name}: `));
    expect(listed.filter((line) => !differing.some((step) => key(step) === line))).toEqual([]);
  });
});
