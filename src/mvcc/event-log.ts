import { assert } from '../util/assert.js';
import { RingBuffer } from '../util/ring-buffer.js';
import type { Change } from './change.js';

/**
 * The changes of the last revisions, without a gap up to the store's newest: a watcher that is a little behind (its
 * list was answered a moment ago, its socket was full for a moment) catches up from here at once, without the store.
 */
export class EventLog {
  readonly #revisionsMax: number;
  readonly #bytesMax: number;
  #revisions = new RingBuffer<readonly Change[]>();
  #bytes = 0;
  /** The main revision of the first one, or of the one that comes next if there is none. */
  #first: number;

  /** @param currentRev of the store; the log begins after it */
  constructor(revisionsMax: number, bytesMax: number, currentRev: number) {
    this.#revisionsMax = revisionsMax;
    this.#bytesMax = bytesMax;
    this.#first = currentRev + 1;
  }

  get first(): number {
    return this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(main: number, changes: readonly Change[]): void {
    assert(main === this.#first + this.#revisions.length, 'event log: not the next revision');
    this.#revisions.push(changes);
    for (const change of changes) this.#bytes += change.bytes;
    while (
      this.#revisions.length > this.#revisionsMax ||
      (this.#bytes > this.#bytesMax && this.#revisions.length > 0)
    ) {
      for (const change of this.#revisions.shift() as readonly Change[]) this.#bytes -= change.bytes;
      this.#first++;
    }
  }

  /** @param main first <= main <= the store's newest */
  at(main: number): readonly Change[] {
    return this.#revisions.at(main - this.#first);
  }
}
