import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REPO_ROOT, sayIfMissing } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import { startTestMember } from './support/member.js';
import { readScript, runScript, scriptPath, writeScript } from './support/script.js';

/** Every script runs against a member of its own, and where a real etcd is at hand against one of it. */
const scripts = readdirSync(scriptPath('.')).filter((name) => name.endsWith('.txt'));
const rewrite = process.env.KEEL_TEST_REWRITE === '1';

describe('calls', () => {
  test.each(scripts)('%s', async (name) => {
    const steps = readScript(name);
    const member = await startTestMember({ name: 'm1', heartbeatMs: 50, electionMs: 500 });
    let outputs: string[];
    try {
      outputs = await runScript(member.endpoint, steps);
    } finally {
      await member.stop();
    }
    if (rewrite) return writeScript(name, steps, outputs);
    const line = (i: number, output: string | undefined) => `${steps[i]!.command}\n${output}`;
    expect(outputs.map((output, i) => line(i, output))).toEqual(steps.map((step, i) => line(i, step.expected)));
  });
});

/** `file: command -- why`: a step that etcd 3.5 answers otherwise. */
function knownDifferences(): Map<string, string> {
  const text = readFileSync(join(REPO_ROOT, 'test', 'testdata', 'compat-3.5', 'rpc.txt'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [step, why] = line.split(' -- ') as [string, string];
      return [step, why];
    }),
  );
}

describe.skipIf(sayIfMissing('the same calls to a real etcd', 'etcd'))('the same calls to a real etcd', () => {
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
    const differing = steps.filter((step, i) => step.expected !== outputs[i]);
    const surprises = differing.filter((step) => !known.has(`${name}: ${step.command}`));
    const told = surprises.map(
      (step) => `${step.command}\nkeel: ${step.expected}\netcd: ${outputs[steps.indexOf(step)]}`,
    );
    expect(told).toEqual([]);
    const listed = [...known.keys()].filter((key) => key.startsWith(`${name}: `));
    expect(listed.filter((key) => !differing.some((step) => key === `${name}: ${step.command}`))).toEqual([]);
  });
});
