import { RingBuffer } from '../../util/ring-buffer.js';
import type { Field } from './field.js';

/** The dynamic table of one direction (RFC 7541 section 2.3.2): the newest entry has the smallest index. */
export class DynamicTable {
  readonly #entries = new RingBuffer<Field>(32);
  /** Bytes; <= #sizeMax */
  #size = 0;
  #sizeMax: number;
  /** Moves whenever an index may have come to mean another field. */
  generation = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get count(): number {
    return this.#entries.length;
  }

  get size(): number {
    return this.#size;
  }

  get sizeMax(): number {
    return this.#sizeMax;
  }

  /** @param index 0 is the newest @returns undefined: there is none */
  at(index: number): Field | undefined {
    const { length } = this.#entries;
    return index < length ? this.#entries.at(length - 1 - index) : undefined;
  }

  /** A field larger than the table empties it, which is no error (section 4.4). */
  insert(field: Field): void {
    this.generation++;
    this.#shrinkTo(this.#sizeMax - field.size);
    if (field.size > this.#sizeMax) return;
    this.#entries.push(field);
    this.#size += field.size;
  }

  resize(sizeMax: number): void {
    this.generation++;
    this.#sizeMax = sizeMax;
    this.#shrinkTo(sizeMax);
  }

  /** @returns the index of an equal field, 0 for the newest; -1: there is none */
  find(name: string, value: string): number {
    const { length } = this.#entries;
    for (let i = 0; i < length; i++) {
      const field = this.#entries.at(length - 1 - i);
      if (field.name === name && field.value === value) return i;
    }
    return -1;
  }

  #shrinkTo(size: number): void {
    while (this.#size > size) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) break;
      this.#size -= oldest.size;
    }
  }
}
