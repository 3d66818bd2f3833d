import { RingBuffer } from '../util/ring-buffer.js';
import type { KeyEntry } from './key-entry.js';

const QUEUED = 1;
const HOT = 2;
/** What a Buffer costs besides its bytes. */
const OVERHEAD_BYTES = 128;

/**
 * The newest rows of keys, bounded in bytes. A row hangs on its entry (`entry.value`), so a hit costs no look-up. Who
 * goes first is decided by second chance: the queue is in the order of arrival, and an entry read since it last came
 * to the front goes to the back once more.
 */
export class ValueCache {
  readonly #bytesMax: number;
  #bytes = 0;
  #queue = new RingBuffer<KeyEntry>();
  /** Entries in the queue without a row. */
  #dead = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(entry: KeyEntry): Buffer | null {
    entry.flags |= HOT;
    return entry.value;
  }

  /** The entry's newest row, in place of what it had. */
  set(entry: KeyEntry, row: Buffer): void {
    const old = entry.value;
    if (old !== null) this.#bytes -= old.length + OVERHEAD_BYTES;
    entry.value = row;
    this.#bytes += row.length + OVERHEAD_BYTES;
    if ((entry.flags & QUEUED) === 0) {
      entry.flags = QUEUED;
      this.#queue.push(entry);
    } else if (old === null) {
      this.#dead--;
    }
    while (this.#bytes > this.#bytesMax) this.#evict();
  }

  drop(entry: KeyEntry): void {
    if (entry.value === null) return;
    this.#bytes -= entry.value.length + OVERHEAD_BYTES;
    entry.value = null;
    this.#dead++;
    if (this.#dead > 1024 && this.#dead * 2 > this.#queue.length) this.#sweep();
  }

  #evict(): void {
    const entry = this.#queue.shift() as KeyEntry;
    if (entry.value === null) {
      this.#dead--;
      entry.flags = 0;
    } else if ((entry.flags & HOT) !== 0) {
      entry.flags = QUEUED;
      this.#queue.push(entry);
    } else {
      this.#bytes -= entry.value.length + OVERHEAD_BYTES;
      entry.value = null;
      entry.flags = 0;
    }
  }

  #sweep(): void {
    const kept = new RingBuffer<KeyEntry>(this.#queue.length - this.#dead);
    for (const entry of this.#queue) {
      if (entry.value === null) entry.flags = 0;
      else kept.push(entry);
    }
    this.#queue = kept;
    this.#dead = 0;
  }
}
