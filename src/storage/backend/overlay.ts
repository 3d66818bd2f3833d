import { assert } from '../../util/assert.js';
import type { LayerRow } from './layer.js';
import { Layer, mergeRuns } from './layer.js';

/** The rows that are in memory only: those of the flush under way, and over them what was written since it began. */
export class Overlay {
  #active = new Layer();
  #flushing: Layer | null = null;

  /** Bytes in memory, roughly. */
  get bytes(): number {
    return this.#active.bytes + (this.#flushing === null ? 0 : this.#flushing.bytes);
  }

  /** Bytes that no flush has taken yet. */
  get activeBytes(): number {
    return this.#active.bytes;
  }

  get flushing(): boolean {
    return this.#flushing !== null;
  }

  /** A row with the value null is known to be deleted; undefined says that the store must be asked. */
  find(bucket: number, id: string): LayerRow | undefined {
    const row = this.#active.find(bucket, id);
    return row !== undefined || this.#flushing === null ? row : this.#flushing.find(bucket, id);
  }

  set(bucket: number, id: string, value: Buffer | null): void {
    this.#active.set(bucket, id, value);
  }

  /** Copies of the rows with gte <= id < lt, deletions among them, in order. */
  range(bucket: number, gte: string, lt: string): LayerRow[] {
    const active = this.#active.range(bucket, gte, lt);
    return this.#flushing === null ? active : mergeRuns(active, this.#flushing.range(bucket, gte, lt));
  }

  /** Begins a flush: its rows, which stay readable until `thaw`. */
  freeze(): Layer {
    assert(this.#flushing === null, 'one flush at a time');
    this.#flushing = this.#active;
    this.#active = new Layer();
    return this.#flushing;
  }

  /** The flush is durable: its rows are the store's now. */
  thaw(): void {
    this.#flushing = null;
  }

  /** Forgets what no flush has taken. */
  drop(): void {
    this.#active = new Layer();
  }
}
