/**
 * CRC-32C (Castagnoli): the checksum of etcd's WAL records and of our stored values (RFC 3720 appendix B.4).
 * Polynomial 0x1edc6f41, here bit-reversed; initial value and final xor are all ones, so a running checksum
 * continues across pieces: crc32c(b, crc32c(a)) is that of a and b in a row, as Go's crc32.Update has it.
 *
 * Eight bytes a step ("slicing by 8"): TABLE[k * 256 + x] is what byte x contributes from k bytes further back.
 */
const POLYNOMIAL = 0x82f63b78;

const TABLE = buildTable();

function buildTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let x = 0; x < 256; x++) {
    let crc = x;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[x] = crc;
  }
  for (let k = 1; k < 8; k++) {
    for (let x = 0; x < 256; x++) {
      const previous = table[(k - 1) * 256 + x]!;
      table[k * 256 + x] = (previous >>> 8) ^ table[previous & 0xff]!;
    }
  }
  return table;
}

/** @returns the checksum of `buf` as an unsigned 32-bit number, continuing from `seed` */
export function crc32c(buf: Uint8Array, seed = 0): number {
  return update(seed, buf, 0, buf.length);
}

/**
 * Continues a running checksum over buf[start, end).
 * @param crc what an earlier call returned, or 0 at the start
 * @returns an unsigned 32-bit number
 */
export function update(crc: number, buf: Uint8Array, start: number, end: number): number {
  const t = TABLE;
  let c = ~crc;
  let i = start;
  for (const last = end - 8; i <= last; i += 8) {
    c ^= buf[i]! | (buf[i + 1]! << 8) | (buf[i + 2]! << 16) | (buf[i + 3]! << 24);
    c =
      t[1792 + (c & 0xff)]! ^
      t[1536 + ((c >>> 8) & 0xff)]! ^
      t[1280 + ((c >>> 16) & 0xff)]! ^
      t[1024 + (c >>> 24)]! ^
      t[768 + buf[i + 4]!]! ^
      t[512 + buf[i + 5]!]! ^
      t[256 + buf[i + 6]!]! ^
      t[buf[i + 7]!]!;
  }
  for (; i < end; i++) c = t[(c ^ buf[i]!) & 0xff]! ^ (c >>> 8);
  return ~c >>> 0;
}
