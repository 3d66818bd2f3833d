import type { RequestHead } from './request-head.js';

const SLOTS = 8;
/** A longer block is not likely to come again, and costs more to compare. */
const BLOCK_BYTES_MAX = 256;

/**
 * Requests by the bytes of their header blocks. A client that calls one method again and again sends the same few
 * indexes each time; as long as neither its table nor ours has moved, the same bytes mean the same request.
 */
export class HeadCache {
  readonly #blocks: (Buffer | null)[] = new Array<Buffer | null>(SLOTS).fill(null);
  readonly #heads: (RequestHead | null)[] = new Array<RequestHead | null>(SLOTS).fill(null);
  readonly #generations: number[] = new Array<number>(SLOTS).fill(0);

  find(buf: Buffer, start: number, end: number, generation: number): RequestHead | null {
    const slot = slotOf(buf, start, end);
    const block = this.#blocks[slot]!;
    if (block === null || this.#generations[slot] !== generation || block.length !== end - start) return null;
    for (let i = 0; i < block.length; i++) if (block[i] !== buf[start + i]) return null;
    return this.#heads[slot]!;
  }

  /** @param generation of the decoder's table, which this block has not moved */
  keep(buf: Buffer, start: number, end: number, generation: number, head: RequestHead): void {
    if (end - start > BLOCK_BYTES_MAX) return;
    const slot = slotOf(buf, start, end);
    this.#blocks[slot] = Buffer.from(buf.subarray(start, end));
    this.#heads[slot] = head;
    this.#generations[slot] = generation;
  }
}

function slotOf(buf: Buffer, start: number, end: number): number {
  let sum = end - start;
  // The bytes that tell one request of a client from the next: its path and what it adds at the end.
  for (let i = start; i < end && i < start + 6; i++) sum = (sum * 31 + buf[i]!) | 0;
  if (end > start) sum = (sum * 31 + buf[end - 1]!) | 0;
  return (sum ^ (sum >>> 7)) & (SLOTS - 1);
}
