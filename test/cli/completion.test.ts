/** The scripts of `keelctl completion`, in the shells that this machine has. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEEL_PROGRAM, onPath } from '../support/binaries.js';
import { runKeelctl } from '../support/ctl.js';

const program = join(dirname(KEEL_PROGRAM), 'keelctl.js');
const shells = ['bash', 'zsh', 'fish', 'pwsh'] as const;

describe('scripts', () => {
  test.each(['bash', 'zsh', 'fish', 'powershell'])('%s: with descriptions and without', async (shell) => {
    const { code, out, err } = await runKeelctl({ args: ['completion', shell] });
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('keelctl');
    const bare = await runKeelctl({ args: ['completion', shell, '--no-descriptions'] });
    expect(bare.out).toBe(out.replaceAll('__complete ', '__completeNoDesc '));
    expect(bare.out).not.toBe(out);
  });

  test.each(shells.filter((shell) => shell !== 'pwsh'))('%s reads its script without an error', async (shell) => {
    if (onPath(shell) === undefined) return console.warn(`SKIPPED: no ${shell}`);
    const { out } = await runKeelctl({ args: ['completion', shell] });
    execFileSync(shell, ['-n'], { input: out });
  });
});

const missing = !existsSync(program) ? `${program} is not built` : onPath('bash') === undefined ? 'no bash' : undefined;

describe.skipIf(missing !== undefined)(`in bash${missing === undefined ? '' : `: ${missing}`}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'completion-'));
    const shim = join(folder, 'keelctl');
    writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
    chmodSync(shim, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What bash would offer for a line with the cursor at its end. */
  const offered = (line: string, verb = ''): string[] => {
    const script = `
      eval "$(keelctl completion bash ${verb})"
      COMP_LINE=$1 COMP_POINT=\${#1}
      _keelctl_complete
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const out = execFileSync('bash', ['-c', script, 'bash', line], { env, encoding: 'utf8' });
    return out.split('\n').filter((word) => word !== '');
  };

  test('one candidate alone', () => expect(offered('keelctl lease gr')).toEqual(['grant']));
  test('several, described', () =>
    expect(offered('keelctl --endpoints 127.0.0.1:1 l')).toEqual([
      'lease  (Lease related commands)',
      'lock   (Acquires a named lock)',
    ]));
  test('several, bare', () => expect(offered('keelctl l', '--no-descriptions')).toEqual(['lease', 'lock']));
  test('flags', () => expect(offered('keelctl get --cons')).toEqual(['--consistency']));
  test('nothing of ours', () => expect(offered('keelctl get key ')).toEqual([]));
});
