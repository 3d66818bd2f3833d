/** Bytes behind the common prefix that are taken as one number. */
const WINDOW = 6;

/**
 * A key about half way between two, as byte strings go: gte < key < lt.
 * @returns null if there is none that this finds
 */
export function middleKey(gte: Buffer, lt: Buffer): Buffer | null {
  let same = 0;
  while (same < gte.length && same < lt.length && gte[same] === lt[same]) same++;
  const low = number(gte, same);
  const high = number(lt, same);
  const mid = Math.floor((low + high) / 2);
  if (mid <= low || mid >= high) return null;
  const key = Buffer.alloc(same + WINDOW);
  lt.copy(key, 0, 0, same);
  key.writeUIntBE(mid, same, WINDOW);
  return key;
}

function number(key: Buffer, from: number): number {
  let n = 0;
  for (let i = from; i < from + WINDOW; i++) n = n * 256 + (key[i] ?? 0);
  return n;
}
