/**
 * `npm test`: installs and builds what is missing, then runs vitest; further arguments go to vitest.
 *   --all      also *.long.test.ts (npm run test:all)
 *   --rewrite  scripted tests write their actual output into test/testdata (npm run test:rewrite); read the diff
 * The last line is `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, root, say } from './ensure.mjs';

const args = process.argv.slice(2);
const env = { ...process.env };
if (take('--all')) env.KEEL_TEST_ALL = '1';
if (take('--rewrite')) env.KEEL_TEST_REWRITE = '1';
// In a file or a pipe the closing lines are to be read by programs too.
if (!process.stdout.isTTY && env.FORCE_COLOR === undefined) env.NO_COLOR = '1';

ensureInstalled();
ensureBuilt();

const folder = mkdtempSync(join(tmpdir(), 'keel-test-'));
env.KEEL_TEST_SUMMARY = join(folder, 'summary.json');
const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts', 'summary-reporter.mjs')}`];
say(`running the tests (vitest)${env.KEEL_TEST_ALL === '1' ? ', the long ones too' : ''} ...`);
const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...reporters, ...args],
  { cwd: root, env, stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // From a terminal vitest gets the signal itself; here it is only kept from ending us before vitest has cleaned up.
  process.on(signal, () => process.stdin.isTTY || vitest.kill(signal));
}
vitest.on('error', (error) => end(1, error.message));
vitest.on('exit', (status, signal) => end(status ?? 128 + constants.signals[signal]));

function end(status, problem) {
  let summary;
  try {
    summary = JSON.parse(readFileSync(env.KEEL_TEST_SUMMARY, 'utf8'));
  } catch {
    say(problem ?? `vitest ended with status ${status} and no result`);
  }
  rmSync(folder, { recursive: true, force: true });
  if (summary) process.stdout.write(`${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped\n`);
  process.exitCode = status !== 0 ? status : summary === undefined || summary.failed > 0 ? 1 : 0;
}

function take(flag) {
  const at = args.indexOf(flag);
  if (at < 0) return false;
  args.splice(at, 1);
  return true;
}
