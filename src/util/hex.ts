/** Ids as etcd prints them: lower-case hexadecimal without leading zeros or prefix, 8e9e05c52164694d. */
export function hex(id: bigint | number): string {
  return id.toString(16);
}

/** As `hex`, padded to 16 digits (a lease id in etcdctl's output). */
export function hex16(id: bigint | number): string {
  return id.toString(16).padStart(16, '0');
}

/** @returns the unsigned 64-bit id that `text` spells in hexadecimal, or undefined if it spells none */
export function parseHex(text: string): bigint | undefined {
  if (!/^(0[xX])?[0-9a-fA-F]+$/.test(text)) return undefined;
  const id = BigInt(text.startsWith('0x') || text.startsWith('0X') ? text : `0x${text}`);
  return id < 1n << 64n ? id : undefined;
}
