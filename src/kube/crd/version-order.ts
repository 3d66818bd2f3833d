/** `v2 > v1 > v10beta1 > v3alpha2 > foo`: which version of a group clients prefer. Source: kubernetes version priority. */

const FORM = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const STAGES: Readonly<Record<string, number>> = { alpha: 0, beta: 1, '': 2 };

/** Negative when `a` is preferred to `b`. */
export function compareVersions(a: string, b: string): number {
  const left = FORM.exec(a);
  const right = FORM.exec(b);
  if (left === null || right === null) {
    if (left !== null) return -1;
    if (right !== null) return 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return (
    STAGES[right[2] ?? '']! - STAGES[left[2] ?? '']! ||
    Number(right[1]) - Number(left[1]) ||
    Number(right[3] ?? 0) - Number(left[3] ?? 0)
  );
}
