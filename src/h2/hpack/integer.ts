/** Larger integers than this are no length or index that could be meant; they are refused (RFC 7541 section 5.1). */
const VALUE_MAX = 1 << 28;

/** Where `readInteger` leaves the position behind what it read. One reader at a time: nothing here is re-entrant. */
export const cursor = { pos: 0 };

/**
 * Reads an integer with an n-bit prefix (RFC 7541 section 5.1) at cursor.pos.
 * @param prefixMax 2^n - 1
 * @returns -1: it breaks off, or is out of bounds
 */
export function readInteger(buf: Buffer, end: number, prefixMax: number): number {
  let pos = cursor.pos;
  if (pos >= end) return -1;
  let value = buf[pos++]! & prefixMax;
  if (value === prefixMax) {
    let shift = 0;
    for (;;) {
      // A fifth byte could only be needed beyond the bound, or to spell zeros.
      if (pos >= end || shift > 28) return -1;
      const byte = buf[pos++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (value > VALUE_MAX) return -1;
      if (byte < 0x80) break;
      shift += 7;
    }
  }
  cursor.pos = pos;
  return value;
}

/** @param pattern the bits above the prefix @returns the position behind it */
export function writeInteger(out: Buffer, at: number, value: number, prefixMax: number, pattern: number): number {
  let pos = at;
  if (value < prefixMax) {
    out[pos++] = pattern | value;
    return pos;
  }
  out[pos++] = pattern | prefixMax;
  let rest = value - prefixMax;
  while (rest >= 0x80) {
    out[pos++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[pos++] = rest;
  return pos;
}
