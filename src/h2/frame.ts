/**
 * A frame (RFC 9113 section 4.1):
 *
 *   length (24)  type (8)  flags (8)  R (1) stream id (31)  payload (length)
 */
export const FRAME_HEAD_BYTES = 9;

export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

export const Flag = {
  END_STREAM: 0x1,
  ACK: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** What every client sends first (section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Largest value of a window, an increment and a stream id. */
export const INT31_MAX = 0x7fff_ffff;
/** The window of a connection, and of its streams until SETTINGS say otherwise (section 6.9.2). */
export const WINDOW_DEFAULT = 65_535;
/** Bounds of SETTINGS_MAX_FRAME_SIZE (section 6.5.2). */
export const FRAME_BYTES_DEFAULT = 16_384;
export const FRAME_BYTES_MAX = (1 << 24) - 1;

/** Writes a frame's head. @returns where its payload begins */
export function putFrameHead(
  out: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  out[at] = length >>> 16;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = flags;
  return putUint32(out, at + 5, streamId);
}

/** @returns the position behind it */
export function putUint32(out: Buffer, at: number, value: number): number {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
  return at + 4;
}

export function uint32(buf: Buffer, at: number): number {
  return ((buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!) >>> 0;
}

/** 31 bits, the reserved one left out. */
export function uint31(buf: Buffer, at: number): number {
  return ((buf[at]! & 0x7f) << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!;
}

export function uint16(buf: Buffer, at: number): number {
  return (buf[at]! << 8) | buf[at + 1]!;
}
