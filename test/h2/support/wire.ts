import { HpackDecoder } from '../../../src/h2/hpack/decoder.js';
import type { Field } from '../../../src/h2/hpack/field.js';

/** Frames as a client writes them, right or wrong; its own numbers, so that the server's cannot hide a mistake. */
export const T = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;
export const F = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 0x20 } as const;
export const E = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface Frame {
  type: number;
  flags: number;
  id: number;
  payload: Buffer;
}

export function frame(type: number, flags: number, id: number, payload: Buffer | string = Buffer.alloc(0)): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'hex') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, body]);
}

export function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
}

export const settings = (...pairs: [number, number][]): Buffer =>
  frame(
    T.SETTINGS,
    0,
    0,
    Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 255]), u32(value)]))),
  );
export const settingsAck = frame(T.SETTINGS, F.ACK, 0);
export const ping = (opaque = '0000000000000000'): Buffer => frame(T.PING, 0, 0, opaque);
export const reset = (id: number, code = 8): Buffer => frame(T.RST_STREAM, 0, id, u32(code));
export const windowUpdate = (id: number, by: number): Buffer => frame(T.WINDOW_UPDATE, 0, id, u32(by));
export const data = (id: number, payload: Buffer | string, end = false): Buffer =>
  frame(T.DATA, end ? F.END_STREAM : 0, id, payload);

/** A gRPC message with its head. */
export function message(body: Buffer | string, flag = 0): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return Buffer.concat([Buffer.from([flag]), u32(bytes.length), bytes]);
}

export type Header = readonly [string, string];

export const GRPC_HEADERS: readonly Header[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/t.T/Echo'],
  [':authority', 'here'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

/** The usual request, with some headers replaced, added, or (undefined) left out. */
export function request(over: Record<string, string | undefined> = {}): Header[] {
  const all = new Map<string, string | undefined>(GRPC_HEADERS);
  for (const [name, value] of Object.entries(over)) all.set(name, value);
  return [...all].filter((header): header is [string, string] => header[1] !== undefined);
}

/** A header block of literals without indexing and without Huffman. */
export function block(headers: readonly Header[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([prefixed(bytes.length), bytes]);
}

function prefixed(length: number): Buffer {
  if (length < 127) return Buffer.from([length]);
  const out = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>= 7) out.push((rest & 127) | 128);
  out.push(rest);
  return Buffer.from(out);
}

export const headers = (id: number, list: readonly Header[] = GRPC_HEADERS, end = false): Buffer =>
  frame(T.HEADERS, F.END_HEADERS | (end ? F.END_STREAM : 0), id, block(list));

/** HEADERS and DATA of a whole unary call. */
export const call = (id: number, body = 'x', over: Record<string, string | undefined> = {}): Buffer =>
  Buffer.concat([headers(id, request(over)), data(id, message(body), true)]);

/** Reads what a server wrote, and its header blocks. */
export class FrameLog {
  readonly all: Frame[] = [];
  #rest = Buffer.alloc(0);
  readonly #decoder = new HpackDecoder(4096);
  #open: { head: Frame; parts: Buffer[] } | null = null;
  readonly #fields = new Map<Frame, Record<string, string>>();

  push(bytes: Buffer): void {
    let buf = Buffer.concat([this.#rest, bytes]);
    while (buf.length >= 9) {
      const length = buf.readUIntBE(0, 3);
      if (buf.length < 9 + length) break;
      const one = { type: buf[3]!, flags: buf[4]!, id: buf.readUInt32BE(5), payload: buf.subarray(9, 9 + length) };
      this.all.push(one);
      this.#gather(one);
      buf = buf.subarray(9 + length);
    }
    this.#rest = buf;
  }

  /** Header blocks, whose fields belong to their HEADERS frame. */
  #gather(one: Frame): void {
    if ((this.#open === null) === (one.type === T.CONTINUATION)) throw new Error('a block that is torn');
    if (one.type === T.HEADERS) this.#open = { head: one, parts: [] };
    if (this.#open === null) return;
    this.#open.parts.push(one.payload);
    if ((one.flags & F.END_HEADERS) === 0) return;
    const { head, parts } = this.#open;
    this.#open = null;
    const whole = Buffer.concat(parts);
    const fields: Field[] = [];
    if (this.#decoder.decode(whole, 0, whole.length, fields, 1 << 20) < 0) throw new Error('bad header block');
    this.#fields.set(head, Object.fromEntries(fields.map(({ name, value }) => [name, value])));
  }

  fields(of: Frame): Record<string, string> {
    return this.#fields.get(of) ?? {};
  }

  of(type: number, id?: number): Frame[] {
    return this.all.filter((one) => one.type === type && (id === undefined || one.id === id));
  }
}
