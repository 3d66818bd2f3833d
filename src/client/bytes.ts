/** A key or value: text stands for its UTF-8 bytes. */
export type Bytes = string | Uint8Array;

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const ASCII = /^[\x00-\x7f]*$/;

/** @returns the bytes as the wire's latin1 string, one char a byte */
export function toKey(bytes: Bytes): string {
  if (typeof bytes === 'string') {
    return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'utf8').latin1Slice();
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice();
}

export function fromKey(key: string): Buffer {
  return Buffer.from(key, 'latin1');
}

/** @returns a view, not a copy: the caller leaves the bytes alone until its call has returned */
export function toBuffer(bytes: Bytes): Buffer {
  if (typeof bytes === 'string') return Buffer.from(bytes, 'utf8');
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The range end that stands for "to the end of the key space". */
export const OPEN_END = '\0';

/** @returns the first key after all keys that begin with `prefix`; OPEN_END if there is none */
export function prefixEnd(prefix: string): string {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const byte = prefix.charCodeAt(i);
    if (byte < 0xff) return prefix.slice(0, i) + String.fromCharCode(byte + 1);
  }
  return OPEN_END;
}

/** Which keys are meant, beside the key itself. At most one of the three. */
export interface KeyRange {
  /** key <= k < rangeEnd, bytewise. */
  readonly rangeEnd?: Bytes;
  /** All keys that begin with the key; the empty key means all. */
  readonly prefix?: boolean;
  /** All keys from the key on. */
  readonly fromKey?: boolean;
}

/** @returns key and range end as the wire has them (etcd semantics, section 3.1) */
export function resolveRange(key: Bytes, range: KeyRange): { key: string; rangeEnd: string } {
  const k = toKey(key);
  const named = Number(range.rangeEnd !== undefined) + Number(range.prefix === true) + Number(range.fromKey === true);
  if (named > 1) throw new TypeError('at most one of rangeEnd, prefix and fromKey');
  if (range.prefix) return k === '' ? { key: '\0', rangeEnd: OPEN_END } : { key: k, rangeEnd: prefixEnd(k) };
  if (range.fromKey) return { key: k === '' ? '\0' : k, rangeEnd: OPEN_END };
  return { key: k, rangeEnd: range.rangeEnd === undefined ? '' : toKey(range.rangeEnd) };
}
