/** The pieces of ASN.1 DER (X.690) that certificates are made of. */

export const Tag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OID: 0x06,
  UTF8_STRING: 0x0c,
  SEQUENCE: 0x30,
  SET: 0x31,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
} as const;

export function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), body]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), body]);
}

export const sequence = (...parts: readonly Buffer[]): Buffer => der(Tag.SEQUENCE, ...parts);

/** `[n] EXPLICIT` */
export const explicit = (n: number, ...parts: readonly Buffer[]): Buffer => der(0xa0 | n, ...parts);

/** @param bytes big-endian, not negative */
export function integer(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const rest = bytes.subarray(start);
  return (rest[0] ?? 0) >= 0x80 ? der(Tag.INTEGER, Buffer.from([0]), rest) : der(Tag.INTEGER, rest);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [40 * first + second];
  for (const arc of rest) {
    const base128 = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) base128.unshift(0x80 | (left & 0x7f));
    bytes.push(...base128);
  }
  return der(Tag.OID, Buffer.from(bytes));
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5). Whole seconds. */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')}`;
  return text < '2050' ? der(Tag.UTC_TIME, Buffer.from(text.slice(2))) : der(Tag.GENERALIZED_TIME, Buffer.from(text));
}

export function utf8(text: string): Buffer {
  return der(Tag.UTF8_STRING, Buffer.from(text, 'utf8'));
}

export function bitString(bytes: Buffer, unusedBits = 0): Buffer {
  return der(Tag.BIT_STRING, Buffer.from([unusedBits]), bytes);
}

export function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** One element and where it ends. */
export interface Element {
  readonly tag: number;
  readonly body: Buffer;
  readonly end: number;
}

/** @throws Error for what is no DER */
export function readElement(bytes: Buffer, at: number): Element {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new Error('asn1: data truncated');
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4 || start + count > bytes.length) throw new Error('asn1: bad length');
    length = bytes.readUIntBE(start, count);
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) throw new Error('asn1: data truncated');
  return { tag, body: bytes.subarray(start, end), end };
}

/** @throws Error for what is no DER */
export function readAll(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes, at);
    elements.push(element);
    at = element.end;
  }
  return elements;
}
