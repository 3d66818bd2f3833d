import { Varints } from './level-manifest.js';

/**
 * Uncompresses a block of Snappy's raw format (snappy/format_description.txt).
 * @returns null if it is not one
 */
export function unsnappy(input: Buffer): Buffer | null {
  const head = new Varints(input);
  const length = head.next();
  // A byte of input gives at most 64 bytes, or nearly so.
  if (head.overrun || length > 64 * input.length) return null;
  const out = Buffer.allocUnsafe(length);
  let at = head.pos;
  let to = 0;
  while (at < input.length) {
    const tag = input[at++] as number;
    if ((tag & 3) === 0) {
      let n = tag >> 2;
      if (n >= 60) {
        const extra = n - 59;
        if (at + extra > input.length) return null;
        n = input.readUIntLE(at, extra);
        at += extra;
      }
      n++;
      if (at + n > input.length || to + n > length) return null;
      input.copy(out, to, at, at + n);
      at += n;
      to += n;
      continue;
    }
    const offsetBytes = [0, 1, 2, 4][tag & 3] as number;
    if (at + offsetBytes > input.length) return null;
    const low = input.readUIntLE(at, offsetBytes);
    at += offsetBytes;
    const short = (tag & 3) === 1;
    const offset = short ? ((tag >> 5) << 8) | low : low;
    const n = short ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    if (offset === 0 || offset > to || to + n > length) return null;
    // Byte by byte: a copy may reach into what it writes.
    for (let i = 0; i < n; i++, to++) out[to] = out[to - offset] as number;
  }
  return to === length ? out : null;
}
