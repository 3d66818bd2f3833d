import { assert } from '../../util/assert.js';
import { CODE_BITS, CODES, END_OF_STRING } from './huffman-code.js';

/**
 * The decoder walks the code's tree four bits at a time. An entry for (inner node, four bits):
 *
 *   bit 0-7   the node that is reached          bit 16   a symbol ends within the four bits
 *   bit 8-15  the symbol                        bit 17   there is no such code, or it is the end of the string
 *
 * The shortest code has five bits, so at most one symbol ends in four.
 */
const EMITS = 1 << 16;
const FAILS = 1 << 17;
const { table: TABLE, mayEnd: MAY_END } = buildTable();

function buildTable(): { table: Int32Array; mayEnd: Uint8Array } {
  // Inner nodes in order of creation; a child is an inner node's number, or ~symbol.
  const children: [number, number][] = [[0, 0]];
  for (let symbol = 0; symbol <= END_OF_STRING; symbol++) {
    let node = 0;
    for (let bit = CODE_BITS[symbol]! - 1; bit >= 0; bit--) {
      const side = (CODES[symbol]! >>> bit) & 1;
      if (bit === 0) {
        children[node]![side] = ~symbol;
      } else {
        if (children[node]![side] === 0) children[node]![side] = children.push([0, 0]) - 1;
        node = children[node]![side]!;
      }
    }
  }
  assert(children.length === 256, 'the tree of 257 symbols has 256 inner nodes');
  const table = new Int32Array(children.length * 16);
  for (let from = 0; from < children.length; from++) {
    for (let nibble = 0; nibble < 16; nibble++) table[from * 16 + nibble] = step(children, from, nibble);
  }
  // Up to seven bits of the end's code, all ones, may fill the last byte (RFC 7541 section 5.2).
  const mayEnd = new Uint8Array(children.length);
  for (let node = 0, depth = 0; depth < 8; depth++) {
    mayEnd[node] = 1;
    node = children[node]![1]!;
  }
  return { table, mayEnd };
}

function step(children: readonly [number, number][], from: number, nibble: number): number {
  let node = from;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const child = children[node]![(nibble >> bit) & 1]!;
    if (child >= 0) {
      node = child;
    } else {
      if (~child === END_OF_STRING) return FAILS;
      emitted = EMITS | (~child << 8);
      node = 0;
    }
  }
  return emitted | node;
}

/** Most bytes that so many coded bytes may become. */
export function decodedBytesMax(codedBytes: number): number {
  return Math.floor((codedBytes * 8) / 5);
}

/**
 * Decodes buf[start, end) into `out`, which has room for decodedBytesMax.
 * @returns bytes written; -1: not a Huffman-coded string
 */
export function huffmanDecode(buf: Buffer, start: number, end: number, out: Buffer): number {
  let node = 0;
  let written = 0;
  for (let i = start; i < end; i++) {
    const byte = buf[i]!;
    const high = TABLE[(node << 4) | (byte >> 4)]!;
    if (high >= EMITS) {
      if (high >= FAILS) return -1;
      out[written++] = high >> 8;
    }
    const low = TABLE[((high & 0xff) << 4) | (byte & 15)]!;
    if (low >= EMITS) {
      if (low >= FAILS) return -1;
      out[written++] = low >> 8;
    }
    node = low & 0xff;
  }
  return MAY_END[node] === 1 ? written : -1;
}

/** Bytes that a latin1 string takes when coded. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += CODE_BITS[text.charCodeAt(i) & 0xff]!;
  return (bits + 7) >> 3;
}

/** Codes a latin1 string into `out` from `at`. @returns the position behind it */
export function huffmanEncode(text: string, out: Buffer, at: number): number {
  let pos = at;
  // The low `count` bits of `held` wait for a whole byte; codes have up to 30 bits, so they are taken in two halves.
  let held = 0;
  let count = 0;
  const take = (value: number, bits: number): void => {
    held = (held << bits) | value;
    count += bits;
    while (count >= 8) {
      count -= 8;
      out[pos++] = held >>> count;
    }
    held &= (1 << count) - 1;
  };
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 0xff;
    const bits = CODE_BITS[symbol]!;
    const code = CODES[symbol]!;
    if (bits > 16) {
      take(code >>> 16, bits - 16);
      take(code & 0xffff, 16);
    } else {
      take(code, bits);
    }
  }
  if (count > 0) take((1 << (8 - count)) - 1, 8 - count);
  return pos;
}
