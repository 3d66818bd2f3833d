import type { RangeResult } from '../mvcc/index.js';
import type { MemberApi } from '../server/index.js';
import { RingBuffer } from '../util/ring-buffer.js';
import { encodeRangeResponse, encodeRangeRows } from '../wire/index.js';
import type { UnaryCall } from './call.js';
import { headerOf } from './header.js';

/** Rows, and bytes of them, that one turn encodes. */
const SLICE_ROWS = 2000;
const SLICE_BYTES = 1 << 20;

/** Whether a range's answer is too much for one turn. */
export function isLarge(rows: readonly Buffer[]): boolean {
  if (rows.length > SLICE_ROWS) return true;
  let bytes = 0;
  for (let i = 0; i < rows.length; i++) bytes += (rows[i] as Buffer).length;
  return bytes > SLICE_BYTES;
}

interface Work {
  readonly call: UnaryCall;
  readonly result: RangeResult;
  readonly parts: Buffer[];
  at: number;
}

/** Large answers in the making, one after the other, a slice a turn: the fewer at once, the less memory they take. */
export class Slicer {
  readonly #defer: (fn: () => void) => void;
  readonly #queue = new RingBuffer<Work>(4);
  #running = false;

  constructor(defer: (fn: () => void) => void) {
    this.#defer = defer;
  }

  /** No further large answer is wanted for now. */
  get isFull(): boolean {
    return this.#queue.length > 1;
  }

  reply(member: MemberApi, result: RangeResult, call: UnaryCall): void {
    this.#queue.push({
      call,
      result,
      parts: [encodeRangeResponse(headerOf(member, result.revision), [], false, 0)],
      at: 0,
    });
    if (this.#running) return;
    this.#running = true;
    this.#defer(this.#turn);
  }

  readonly #turn = (): void => {
    const work = this.#queue.peek() as Work;
    if (work.call.isOver || this.#slice(work)) {
      this.#queue.shift();
      const { more, count } = work.result;
      work.parts.push(encodeRangeResponse(null, [], more, count));
      work.call.replyParts(work.parts);
    }
    this.#running = this.#queue.length > 0;
    if (this.#running) this.#defer(this.#turn);
  };

  /** @returns whether all rows are there */
  #slice(work: Work): boolean {
    const { kvs } = work.result;
    const from = work.at;
    const stop = Math.min(from + SLICE_ROWS, kvs.length);
    for (let bytes = 0; work.at < stop && bytes < SLICE_BYTES; work.at++) bytes += (kvs[work.at] as Buffer).length;
    work.parts.push(encodeRangeRows(kvs, from, work.at));
    return work.at === kvs.length;
  }
}
