/** The real kubectl as a judge of patches: it can apply one to a file without any server. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function findKubectl(): string | undefined {
  const named = process.env.KEEL_TEST_KUBECTL_BIN;
  try {
    execFileSync(named ?? 'kubectl', ['version', '--client'], { stdio: 'ignore' });
    return named ?? 'kubectl';
  } catch (error) {
    // A name that was given must be right; without one there may be no kubectl here.
    if (named !== undefined) throw error;
    return undefined;
  }
}

/** Undefined: there is none, and tests that need it are skipped. */
export const kubectl = findKubectl();

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
