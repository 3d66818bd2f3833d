/** Every flag of a real etcd is known, with its default; docs/flags.md names every flag. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Flag } from '../../../src/cli/keel/flag-set.js';
import { serverFlags } from '../../../src/cli/keel/server-flags.js';
import { etcdBinary, REPO_ROOT } from '../../support/binaries.js';

const DOCUMENT = join(REPO_ROOT, 'docs', 'flags.md');
const START = '<!-- the table: npm run test:rewrite -->';

describe('docs/flags.md', () => {
  test('is the table of flags', () => {
    const text = readFileSync(DOCUMENT, 'utf8');
    const head = text.slice(0, text.indexOf(START) + START.length);
    expect(head).toContain(START);
    const wanted = `${head}\n${table()}`;
    if (process.env.KEEL_TEST_REWRITE === '1') writeFileSync(DOCUMENT, wanted);
    else expect(text).toBe(wanted);
  });
});

function table(): string {
  const lines: string[] = [];
  for (const group of new Set(serverFlags.map((flag) => flag.group))) {
    lines.push('', `## ${group}`, '', '| flag | default | here |', '|---|---|---|');
    for (const flag of serverFlags) if (flag.group === group) lines.push(row(flag));
  }
  return `${lines.join('\n')}\n`;
}

function row(flag: Flag): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
  const initial = flag.shown ?? flag.initial;
  const words = [cell(flag.help)];
  if (flag.inert !== undefined) words.push(`*No effect: ${cell(flag.inert)}.*`);
  if (flag.unbuilt !== undefined) words.push(`**Refused, but for its default: ${cell(flag.unbuilt)}.**`);
  return `| \`--${flag.name}\` | ${initial === '' ? '' : `\`${initial.replaceAll('|', '\\|')}\``} | ${words.filter(Boolean).join(' ')} |`;
}

const etcd = etcdBinary();
if (etcd === undefined) console.warn('SKIPPED the flags of etcd --help: no etcd (KEEL_TEST_ETCD_BIN)');

describe.skipIf(etcd === undefined)('etcd --help', () => {
  const help = etcd === undefined ? '' : helpOf(etcd);
  const theirs = [...help.matchAll(/^ {2}--([a-z0-9-]+)(?: '?([^'\n]*)'?)?$/gm)];
  const ours = new Map(serverFlags.map((flag) => [flag.name, flag]));

  test('lists nothing that is not known', () => {
    const names = theirs.map(([, name]) => name as string);
    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((name) => !ours.has(name))).toEqual([]);
  });

  /** 3.6 has other defaults than the 3.5 that may be here; etcd's help writes some as Go's code. */
  const OTHER_DEFAULTS = new Set([
    'snapshot-count',
    'data-dir',
    'discovery-fallback',
    'v2-deprecation',
    'max-concurrent-streams',
    'backend-batch-interval',
  ]);

  test('and has the same defaults', () => {
    const differ = [];
    for (const [, name = '', initial] of theirs) {
      const flag = ours.get(name);
      if (flag === undefined || initial === undefined || initial === '' || OTHER_DEFAULTS.has(name)) continue;
      if ((flag.shown ?? flag.initial) !== initial) differ.push([name, flag.initial, initial]);
    }
    expect(differ).toEqual([]);
  });
});

function helpOf(program: string): string {
  const { stdout, stderr } = spawnSync(program, ['--help'], { encoding: 'utf8' });
  return stdout + stderr;
}
