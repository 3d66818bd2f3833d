/**
 * Does `count` things in batches of 1, 2, 4, ...: what fails for all of them (a quota) is found out with one.
 * @returns how many came about, and the error of the first that failed
 */
export async function slowStart(
  count: number,
  act: (index: number) => Promise<void>,
): Promise<{ done: number; error: unknown }> {
  let done = 0;
  for (let at = 0, batch = 1; at < count; at += batch, batch *= 2) {
    batch = Math.min(batch, count - at);
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => act(at + i)));
    done += results.filter((r) => r.status === 'fulfilled').length;
    const failed = results.find((r) => r.status === 'rejected');
    if (failed !== undefined) return { done, error: failed.reason };
  }
  return { done, error: null };
}
