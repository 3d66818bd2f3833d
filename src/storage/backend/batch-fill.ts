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
  fill(batch: KvBatch, runs: readonly LayerRow[][], done: () => void, from = 0, at = 0): void {
    const writer = this.#writer;
    let rows = this.#sliceRows;
    let bytes = 0;
    let run = from;
    let i = at;
    for (; run < runs.length; run++, i = 0) {
      const list = runs[run]!;
      for (; i < list.length && rows > 0 && bytes < SLICE_BYTES; i++, rows--) {
        const { bucket, id, value } = list[i]!;
        if (value === null) {
          writer.setKey(bucket, id);
          batch.del(writer.key);
        } else {
          writer.set(bucket, id, value);
          batch.put(writer.key, writer.value);
          bytes += value.length;
        }
      }
      if (i < list.length) break;
    }
    if (run >= runs.length) return done();
    this.#timers.defer(() => this.fill(batch, runs, done, run, i));
  }
}
