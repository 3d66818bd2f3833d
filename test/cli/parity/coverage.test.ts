/** Every command of keelctl stands in the lines of the parity test, or here with what does it instead. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Command } from '../../../src/cli/ctl/command.js';
import { findCommand } from '../../../src/cli/ctl/command.js';
import { ROOT } from '../../../src/cli/ctl/tree.js';
import { REPO_ROOT } from '../../support/binaries.js';
import { LINES } from './lines.js';
import { split } from './mask.js';

/** Commands whose work the lines do not do, and where it is done. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'check perf': 'parity.long.test.ts: it takes a minute',
  'check datascale': 'parity.long.test.ts: it puts ten thousand keys',
  'completion bash': 'completion.test.ts: the script is our own, what it asks is etcdctl’s (__complete above)',
  'completion fish': 'completion.test.ts',
  'completion powershell': 'completion.test.ts',
  'completion zsh': 'completion.test.ts',
  'auth disable': 'auth-parity.test.ts',
  'auth enable': 'auth-parity.test.ts',
  'auth status': 'auth-parity.test.ts',
};
/** No etcdctl of 3.5 has these: there is nothing to compare with. */
const SINCE_36 = ['downgrade'];
const FAMILIES_ELSEWHERE: Readonly<Record<string, string>> = {
  role: 'auth-parity.test.ts',
  user: 'auth-parity.test.ts',
};

function leaves(command: Command, path: string[] = []): string[] {
  const here = path.join(' ');
  if (command.commands === undefined) return [here];
  return command.commands.flatMap((sub) => leaves(sub, [...path, sub.name]));
}

/** How many lines call each command, help not counted. */
function calls(): Map<string, number> {
  const counted = new Map<string, number>();
  for (const { args } of LINES) {
    const words = split(args);
    if (words.some((word) => word === '-h' || word === '--help')) continue;
    const { path, unknown } = findCommand(ROOT, words);
    if (unknown !== null) continue;
    const name = path
      .slice(1)
      .map((command) => command.name)
      .join(' ');
    counted.set(name, (counted.get(name) ?? 0) + 1);
  }
  return counted;
}

test('every command is compared', () => {
  const counted = calls();
  const table = leaves(ROOT)
    .filter((name) => name !== 'help' && !SINCE_36.includes(name.split(' ')[0]!))
    .map((name) => {
      const elsewhere = ELSEWHERE[name] ?? FAMILIES_ELSEWHERE[name.split(' ')[0]!];
      return { name, lines: counted.get(name) ?? 0, elsewhere };
    });
  // The place that is named names the command.
  for (const { name, elsewhere } of table) {
    if (elsewhere === undefined) continue;
    const test = readFileSync(join(REPO_ROOT, 'test', 'cli', elsewhere.split(':')[0]!), 'utf8');
    const said = [name, name.split(' ').join("', '"), `, '${name.split(' ')[1]}'`, `'${name.split(' ')[1]}',`];
    expect(
      said.some((words) => test.includes(words)),
      `${name} in ${elsewhere}`,
    ).toBe(true);
  }
  if (process.env.KEEL_TEST_TABLE === '1') console.table(table);
  expect(table.filter(({ lines, elsewhere }) => lines === 0 && elsewhere === undefined)).toEqual([]);
});
