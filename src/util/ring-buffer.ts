import { assert } from './assert.js';

/**
 * A first-in, first-out queue on an array whose length is a power of two. `shift` costs the same at any depth,
 * where Array.prototype.shift moves 60,000 elements at 60,000 deep.
 *
 *        head            head + length
 *          v                  v
 *   . . . [a  b  c  d  e  f] . . .      positions are taken modulo the array's length
 */
export class RingBuffer<T> {
  #slots: (T | undefined)[];
  #mask: number;
  /** 0 <= #head < #slots.length */
  #head = 0;
  /** 0 <= #length <= #slots.length */
  #length = 0;

  /** @param capacity how many elements fit before it grows; rounded up to a power of two */
  constructor(capacity = 16) {
    let size = 1;
    while (size < capacity) size *= 2;
    this.#slots = new Array<T | undefined>(size).fill(undefined);
    this.#mask = size - 1;
  }

  get length(): number {
    return this.#length;
  }

  push(value: T): void {
    if (this.#length > this.#mask) this.#grow();
    this.#slots[(this.#head + this.#length) & this.#mask] = value;
    this.#length++;
  }

  /** Puts a value in front, as the next one that `shift` gives. */
  unshift(value: T): void {
    if (this.#length > this.#mask) this.#grow();
    this.#head = (this.#head - 1) & this.#mask;
    this.#slots[this.#head] = value;
    this.#length++;
  }

  /** Takes the oldest; undefined if there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const value = this.#slots[this.#head];
    this.#slots[this.#head] = undefined; // or the queue keeps it alive
    this.#head = (this.#head + 1) & this.#mask;
    this.#length--;
    return value;
  }

  /** Takes the newest; undefined if there is none. */
  pop(): T | undefined {
    if (this.#length === 0) return undefined;
    this.#length--;
    const position = (this.#head + this.#length) & this.#mask;
    const value = this.#slots[position];
    this.#slots[position] = undefined;
    return value;
  }

  /** The oldest; undefined if there is none. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#slots[this.#head];
  }

  /** The newest; undefined if there is none. */
  last(): T | undefined {
    return this.#length === 0 ? undefined : this.#slots[(this.#head + this.#length - 1) & this.#mask];
  }

  /** @param index 0 is the oldest; 0 <= index < length */
  at(index: number): T {
    assert(index >= 0 && index < this.#length, () => `ring buffer: index ${index} of ${this.#length}`);
    return this.#slots[(this.#head + index) & this.#mask] as T;
  }

  clear(): void {
    this.#slots.fill(undefined);
    this.#head = 0;
    this.#length = 0;
  }

  /** From the oldest to the newest. The queue must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#length; i++) yield this.#slots[(this.#head + i) & this.#mask] as T;
  }

  #grow(): void {
    const old = this.#slots;
    const size = old.length * 2;
    const slots = new Array<T | undefined>(size).fill(undefined);
    for (let i = 0; i < this.#length; i++) slots[i] = old[(this.#head + i) & this.#mask];
    this.#slots = slots;
    this.#mask = size - 1;
    this.#head = 0;
  }
}
