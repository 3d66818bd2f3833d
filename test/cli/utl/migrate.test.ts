import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMember } from '../../../src/index.js';
import { nullLogger } from '../../../src/util/log.js';
import { runKeelutl } from '../../support/utl.js';

describe('keelutl migrate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keel-migrate-'));
  const dataDir = join(folder, 'data');
  beforeAll(async () => {
    const member = await startMember({
      config: { dataDir, listenPeerUrls: [] },
      listenClientUrls: ['http://127.0.0.1:0'],
      logger: nullLogger,
    });
    await member.ready;
    await member.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    [[], 1, 'required flag(s) "data-dir", "target-version" not set'],
    [['--data-dir', dataDir], 1, 'required flag(s) "target-version" not set'],
    [['--data-dir', dataDir, '--target-version', '3'], 128, 'wrong target version format, expected "X.Y", got "3"'],
    [['--data-dir', dataDir, '--target-version', '3.4'], 128, 'target version "3.4" not supported. Minimal "3.5"'],
    [['--data-dir', dataDir, '--target-version', '3.5'], 4, 'use "keelutl snapshot save" and restore the file there'],
    [['--data-dir', join(folder, 'none'), '--target-version', '3.6'], 1, 'is not the data folder of a keel member'],
    [['--data-dir', dataDir, '--target-version', '3.6'], 0, 'storage version up-to-date'],
  ])('%j', async (args, status, text) => {
    const { code, out, err } = await runKeelutl(['migrate', ...args]);
    expect(out + err).toContain(text);
    expect(code).toBe(status);
  });
});

describe('keelutl completion', () => {
  test.each(['bash', 'zsh', 'fish', 'powershell'])('%s', async (shell) => {
    const { code, out } = await runKeelutl(['completion', shell]);
    expect(code).toBe(0);
    expect(out).toContain('keelutl');
    expect(out).not.toContain('keelctl');
  });

  test('knows the commands and their flags', async () => {
    const words = async (...args: string[]) =>
      (await runKeelutl(['__completeNoDesc', ...args])).out.split('\n').slice(0, -2);
    expect(await words('')).toEqual(['completion', 'defrag', 'hashkv', 'help', 'migrate', 'snapshot', 'version']);
    expect(await words('snapshot', 're')).toEqual(['restore']);
    expect(await words('snapshot', 'restore', '--data')).toEqual(['--data-dir']);
  });
});
