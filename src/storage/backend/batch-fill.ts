import type { KvBatch, Timers } from '../../util/env.js';
import type { LayerRow } from './layer.js';
import { RowWriter } from './row.js';

/** A slice ends at this many bytes too. */
const SLICE_BYTES = 1 << 20;

/** Hands rows to a store's batch in slices, one a turn, so that a large flush does not hold up the loop. */
export class BatchFill {
  readonly #timers: Timers;
  readonly #sliceRows: number;
  readonly #writer = new RowWriter();

  /** @param sliceRows at most so many rows a turn */
  constructor(timers: Timers, sliceRows: number) {
    this.#timers = timers;
    this.#sliceRows = sliceRows;
  }

  /** One call at a time. `done` may be called at once. */
  fill(batch: KvBatch, rows: Iterator<LayerRow, void>, done: () => void): void {
    const writer = this.#writer;
    let bytes = 0;
    for (let n = 0; n < this.#sliceRows && bytes < SLICE_BYTES; n++) {
      const next = rows.next();
      if (next.done) return done();
      const { bucket, id, value } = next.value;
      if (value === null) {
        writer.setKey(bucket, id);
        batch.del(writer.key);
      } else {
        writer.set(bucket, id, value);
        batch.put(writer.key, writer.value);
        bytes += value.length;
      }
    }
    this.#timers.defer(() => this.fill(batch, rows, done));
  }
}
