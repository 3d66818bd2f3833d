/** keelctl and keelutl start from few files: what a command alone needs is loaded when it is called. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAst } from 'vitest/node';
import { KEEL_PROGRAM, keelBuilt } from '../support/binaries.js';

const cli = dirname(KEEL_PROGRAM);

/** Every file that is read before the first line runs, and the packages among them. */
function loadedAtStart(entry: string): { files: string[]; packages: string[]; bytes: number } {
  const files = [entry];
  const packages = new Set<string>();
  let bytes = 0;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    bytes += text.length;
    for (const node of parseAst(text).body as { type: string; source?: { value: string } | null }[]) {
      const from = /^(Import|Export(Named|All))Declaration$/.test(node.type) ? node.source?.value : undefined;
      if (from === undefined || from.startsWith('node:')) continue;
      if (!from.startsWith('.')) packages.add(from);
      else if (!files.includes(join(dirname(file), from))) files.push(join(dirname(file), from));
    }
  }
  return { files, packages: [...packages], bytes };
}

describe.skipIf(!keelBuilt())('packed programs', () => {
  test.each([
    ['keelctl', 25, 350_000],
    ['keelutl', 20, 260_000],
  ])('%s', (name, filesMax, bytesMax) => {
    const { files, packages, bytes } = loadedAtStart(join(cli, `${name}.js`));
    expect(packages).toEqual([]);
    expect(files.length).toBeLessThan(filesMax);
    expect(bytes).toBeLessThan(bytesMax);
  });

  test('bring grpc-js along', () => {
    expect(existsSync(join(cli, 'packed', 'grpc-js.cjs'))).toBe(true);
    const chunks = readdirSync(join(cli, 'packed')).filter((name) => name.endsWith('.js'));
    const text = chunks.map((name) => readFileSync(join(cli, 'packed', name), 'utf8')).join('\n');
    expect(text.match(/\([`'"]\.\/grpc-js\.cjs[`'"]\)/g)).toHaveLength(1);
  });
});
