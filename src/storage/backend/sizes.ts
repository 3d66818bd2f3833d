import type { Counters } from './counters.js';
import { INDEX_ROWS, INDEX_ROWS_BYTES } from './counters.js';
import { rowBytes } from './row.js';

/** etcd's sizes of the database, counted row by row: quota, alarms and Status move as etcd's do. */
export class Sizes {
  /** 20480 + the sum over rows of key + value + 16. */
  inUse: number;
  /** The high-water mark of `inUse` since the last defragmentation: etcd's file does not shrink by itself. */
  total: number;
  rowCount: number;

  constructor(c: Pick<Counters, 'sizeInUse' | 'size' | 'rowCount'>) {
    this.inUse = c.sizeInUse;
    this.total = c.size;
    this.rowCount = c.rowCount;
  }

  /** A row's value went from `old` bytes to `now` bytes; -1 is no row. */
  row(keyBytes: number, old: number, now: number): void {
    if (old >= 0) {
      this.inUse -= rowBytes(keyBytes, old);
      this.rowCount--;
    }
    if (now >= 0) {
      this.inUse += rowBytes(keyBytes, now);
      this.rowCount++;
    }
    if (this.inUse > this.total) this.total = this.inUse;
  }

  /** The first index was applied: from now on consistent_index and term are rows. */
  indexRows(): void {
    this.inUse += INDEX_ROWS_BYTES;
    this.rowCount += INDEX_ROWS;
    if (this.inUse > this.total) this.total = this.inUse;
  }
}
