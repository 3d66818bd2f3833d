import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Compiles a few modules of src/, and what they import, into a folder of their own, for tests that need a program in a
 * child process but not a whole build. No type checks.
 * @param files below src/, e.g. `storage/wal/index.ts`
 * @returns the folder, laid out as dist/, and a function that removes it
 */
export function compile(files: readonly string[]): { dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'keel-compiled-'));
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  const config = {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions: { noCheck: true, declaration: false, sourceMap: false, rootDir: join(root, 'src'), outDir: dir },
    include: [],
    files: files.map((f) => join(root, 'src', f)),
  };
  const path = join(dir, 'tsconfig.json');
  writeFileSync(path, JSON.stringify(config));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', path], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`tsc: ${stdout}${stderr}`);
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
