/** The real kubectl as a judge of patches: it can apply one to a file without any server. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Named by the environment only: builds of kubectl differ in corners of JSON patch, and the one on the path may be any.
 * Undefined: tests that need it are skipped.
 */
export const kubectl = process.env.KEEL_TEST_KUBECTL_BIN;

export type LocalPatchType = 'json' | 'merge' | 'strategic';

/** @returns the patched object, or the message of the refusal */
export function patchLocally(
  object: unknown,
  type: LocalPatchType,
  patch: unknown,
): { object: unknown } | { error: string } {
  const folder = mkdtempSync(join(tmpdir(), 'keel-patch-'));
  try {
    const file = join(folder, 'object.json');
    writeFileSync(file, JSON.stringify(object));
    const args = ['patch', '--local', '-f', file, `--type=${type}`, '-p', JSON.stringify(patch), '-o', 'json'];
    const out = execFileSync(kubectl!, [...args, '--kubeconfig=/dev/null'], { stdio: 'pipe', encoding: 'utf8' });
    return { object: JSON.parse(out) };
  } catch (error) {
    const text = (error as { stderr?: string }).stderr ?? '';
    return { error: text.replace(/^error: /, '') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
