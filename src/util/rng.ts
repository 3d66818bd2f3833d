/**
 * A seeded generator of pseudo-random integers: sfc32 (a small fast chaotic generator with 96 bits of state and a
 * 32-bit counter, so no cycle is shorter than 2^32), on 32-bit integer operations only. The same seed gives the
 * same numbers on every machine and every V8: nothing here goes through Math.log, Math.pow or a float.
 *
 * Not for secrets.
 */
export class Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;
  /** Where this stream comes from; `split` derives from it, not from the numbers drawn so far. */
  readonly #key: number;
  readonly #key2: number;

  /** @param seed any safe integer >= 0; all of its 53 bits count */
  constructor(seed: number);
  /** @internal used by split: the two halves of a derived seed. */
  constructor(low: number, high: number);
  constructor(low: number, high?: number) {
    if (high === undefined) {
      if (!Number.isSafeInteger(low) || low < 0) throw new RangeError(`a seed is an integer from 0 to 2^53-1: ${low}`);
      this.#key = low | 0;
      this.#key2 = Math.floor(low / 0x1_0000_0000) | 0;
    } else {
      this.#key = low | 0;
      this.#key2 = high | 0;
    }
    this.#a = mix(this.#key);
    this.#b = mix(this.#key2 ^ 0x5bd1e995);
    this.#c = mix(this.#a ^ this.#key2);
    this.#counter = 1;
    // Neighbouring seeds start from neighbouring states: 15 rounds let every bit reach every other.
    for (let i = 0; i < 15; i++) this.u32();
  }

  /** @returns an integer, 0 <= n < 2^32 */
  u32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    this.#c |= 0;
    return t >>> 0;
  }

  /** @returns an integer, 0 <= k < n, each equally likely. @param n an integer, 1 <= n <= 2^32 */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x1_0000_0000) throw new RangeError(`below(${n})`);
    // Numbers at and above the largest multiple of n would favour the small remainders: draw again.
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % n);
    let x = this.u32();
    while (x >= limit) x = this.u32();
    return x % n;
  }

  /** @returns an integer, low <= k <= high */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in `numerator` of `denominator` cases; 0 of n is never, n of n always. Always draws one number or more. */
  chance(numerator: number, denominator: number): boolean {
    return this.below(denominator) < numerator;
  }

  /** One element of a non-empty array. */
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** Shuffles in place (Fisher-Yates) and returns the array. */
  shuffle<T>(array: T[]): T[] {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const x = array[i] as T;
      array[i] = array[j] as T;
      array[j] = x;
    }
    return array;
  }

  /** Fills `into` with random bytes. */
  fill(into: Uint8Array): void {
    let word = 0;
    for (let i = 0; i < into.length; i++) {
      if ((i & 3) === 0) word = this.u32();
      into[i] = word & 0xff;
      word >>>= 8;
    }
  }

  /**
   * A stream of its own, named by `label`. It depends on this stream's seed and the label only, not on what was
   * drawn so far: a new consumer of random numbers in one place leaves those of every other place as they were.
   */
  split(label: string | number): Rng {
    const text = typeof label === 'number' ? `#${label}` : label;
    let low = mix(this.#key ^ 0x9e3779b9);
    let high = mix(this.#key2 ^ 0x85ebca6b);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      low = mix(low ^ code);
      high = mix((high + Math.imul(code, 0x27d4eb2f)) | 0) ^ low;
    }
    return new Rng(low, mix(high ^ text.length));
  }
}

/** MurmurHash3's 32-bit finalizer: a bijection in which every input bit flips every output bit about half the time. */
function mix(x: number): number {
  let h = (x + 0x6d2b79f5) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
