/** Names that a server looks at, as small integers, so that a header block is sorted without comparing strings. */
export const Name = {
  OTHER: 0,
  METHOD: 1,
  SCHEME: 2,
  AUTHORITY: 3,
  PATH: 4,
  /** A pseudo-header that no request may carry. */
  FOREIGN_PSEUDO: 5,
  HOST: 6,
  TE: 7,
  CONTENT_TYPE: 8,
  CONTENT_LENGTH: 9,
  GRPC_TIMEOUT: 10,
  GRPC_ENCODING: 11,
  /** `connection` and its like, which belong to HTTP/1.1 (RFC 9113 section 8.2.2). */
  HOP_BY_HOP: 12,
} as const;

const KINDS: ReadonlyMap<string, number> = new Map<string, number>([
  [':method', Name.METHOD],
  [':scheme', Name.SCHEME],
  [':authority', Name.AUTHORITY],
  [':path', Name.PATH],
  ['host', Name.HOST],
  ['te', Name.TE],
  ['content-type', Name.CONTENT_TYPE],
  ['content-length', Name.CONTENT_LENGTH],
  ['grpc-timeout', Name.GRPC_TIMEOUT],
  ['grpc-encoding', Name.GRPC_ENCODING],
  ['connection', Name.HOP_BY_HOP],
  ['proxy-connection', Name.HOP_BY_HOP],
  ['keep-alive', Name.HOP_BY_HOP],
  ['transfer-encoding', Name.HOP_BY_HOP],
  ['upgrade', Name.HOP_BY_HOP],
]);

/** What an entry costs beyond its characters (RFC 7541 section 4.1). */
const OVERHEAD_BYTES = 32;

/**
 * A header field, one char a byte. What can be said of it alone is said once, when it is made: most fields come out of
 * a table many times.
 */
export class Field {
  readonly name: string;
  readonly value: string;
  /** Bytes, as tables and header lists are measured. */
  readonly size: number;
  /** One of Name. */
  readonly kind: number;
  /** Name and value are such as RFC 9113 section 8.2.1 allows. */
  readonly valid: boolean;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
    this.size = name.length + value.length + OVERHEAD_BYTES;
    this.kind = KINDS.get(name) ?? (name.startsWith(':') ? Name.FOREIGN_PSEUDO : Name.OTHER);
    this.valid = isName(name) && isValue(value);
  }

  get isPseudo(): boolean {
    return this.kind >= Name.METHOD && this.kind <= Name.FOREIGN_PSEUDO;
  }
}

/** Visible ASCII without upper case; a colon only in front. */
function isName(name: string): boolean {
  if (name.length === 0) return false;
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c <= 0x20 || c >= 0x7f || (c >= 0x41 && c <= 0x5a) || (c === 0x3a && i > 0)) return false;
  }
  return name !== ':';
}

/** No NUL, CR or LF anywhere, no space or tab at either end. */
function isValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c <= 13 && (c === 0 || c === 10 || c === 13)) return false;
  }
  return !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(value.length - 1));
}

function isBlank(c: number): boolean {
  return c === 0x20 || c === 0x09;
}
