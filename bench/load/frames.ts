/**
 * The little of HTTP/2 and gRPC that a load generator needs (RFC 9113, RFC 7541): requests whose bytes are made once
 * and repeated, and a reader that only tells messages and ends of streams apart.
 */
export const FRAME_HEADER_BYTES = 9;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;

/** @returns one frame with its header */
export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const out = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(out, 0, payload.length, type, flags, stream);
  payload.copy(out, FRAME_HEADER_BYTES);
  return out;
}

export function writeFrameHeader(
  out: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): void {
  out[at] = length >>> 16;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = flags;
  out.writeUInt32BE(stream, at + 5);
}

/** What we announce: streams may send us all they like (no window of ours is ever in the way). */
export function clientSettings(): Buffer {
  const payload = Buffer.alloc(12);
  payload.writeUInt16BE(4, 0); // SETTINGS_INITIAL_WINDOW_SIZE
  payload.writeUInt32BE(0x7fffffff, 2);
  payload.writeUInt16BE(2, 6); // SETTINGS_ENABLE_PUSH
  payload.writeUInt32BE(0, 8);
  return frame(SETTINGS, 0, 0, payload);
}

export function windowUpdate(stream: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes, 0);
  return frame(WINDOW_UPDATE, 0, stream, payload);
}

/** The length-prefixed, uncompressed form of one message. */
export function grpcMessage(body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(5 + body.length);
  out[0] = 0;
  out.writeUInt32BE(body.length, 1);
  body.copy(out, 5);
  return out;
}

/**
 * Header blocks of one connection. A path's first block enters its fields into the peer's dynamic table, later ones
 * are six bytes of indices, as any real client would have it.
 */
export class HeaderBlocks {
  readonly #authority: string;
  /** Fields in the order they were entered; the newest has index 62. */
  readonly #entered: string[] = [];

  constructor(authority: string) {
    this.#authority = authority;
  }

  block(path: string): Buffer {
    return Buffer.concat([
      Buffer.from([0x83, 0x86]), // :method POST, :scheme http
      this.#field(':path', 4, path),
      this.#field(':authority', 1, this.#authority),
      this.#field('content-type', 31, 'application/grpc'),
      this.#field('te', 0, 'trailers'),
    ]);
  }

  /** Would this path's block be the short one? Then it may be made once and kept. */
  settled(path: string): boolean {
    return this.#entered.includes(`:path=${path}`);
  }

  #field(name: string, staticIndex: number, value: string): Buffer {
    const known = this.#entered.indexOf(`${name}=${value}`);
    if (known >= 0) return Buffer.from([0x80 | (62 + this.#entered.length - 1 - known)]);
    this.#entered.push(`${name}=${value}`);
    const text = (s: string) => Buffer.concat([Buffer.from([s.length]), Buffer.from(s, 'latin1')]);
    if (staticIndex > 0) return Buffer.concat([Buffer.from([0x40 | staticIndex]), text(value)]);
    return Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
  }
}
