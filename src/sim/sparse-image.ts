const PAGE_BYTES = 4096;

/** The bytes of a file, holes included: what was never written costs nothing and reads as zeros. */
export class SparseImage {
  #length = 0;
  #pages = new Map<number, Buffer>();

  get length(): number {
    return this.#length;
  }

  /** Bytes of pages that hold something. */
  get allocatedBytes(): number {
    return this.#pages.size * PAGE_BYTES;
  }

  clone(): SparseImage {
    const copy = new SparseImage();
    copy.#length = this.#length;
    for (const [at, page] of this.#pages) copy.#pages.set(at, Buffer.from(page));
    return copy;
  }

  /** @returns the bytes [offset, offset + length) as far as the file goes */
  read(offset: number, length: number): Buffer {
    const out = Buffer.alloc(Math.max(0, Math.min(length, this.#length - offset)));
    this.#walk(offset, out.length, (number, from, to, at) => {
      const page = this.#pages.get(number);
      if (page !== undefined) page.copy(out, at, from, to);
    });
    return out;
  }

  write(offset: number, bytes: Uint8Array): void {
    const first = Math.floor(offset / PAGE_BYTES);
    // Most writes lie within one page.
    if (offset + bytes.length <= (first + 1) * PAGE_BYTES) {
      if (bytes.length > 0) this.#page(first).set(bytes, offset - first * PAGE_BYTES);
    } else {
      this.#walk(offset, bytes.length, (number, from, to, at) =>
        this.#page(number).set(bytes.subarray(at, at + to - from), from),
      );
    }
    if (bytes.length > 0) this.#length = Math.max(this.#length, offset + bytes.length);
  }

  #page(number: number): Buffer {
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = Buffer.alloc(PAGE_BYTES);
      this.#pages.set(number, page);
    }
    return page;
  }

  truncate(length: number): void {
    if (length < this.#length) {
      const first = Math.ceil(length / PAGE_BYTES);
      for (const number of [...this.#pages.keys()]) if (number >= first) this.#pages.delete(number);
      this.#pages.get(first - 1)?.fill(0, length - (first - 1) * PAGE_BYTES);
    }
    this.#length = length;
  }

  /** How many bytes a write would add to allocatedBytes. */
  growth(offset: number, length: number): number {
    let bytes = 0;
    this.#walk(offset, length, (number) => {
      if (!this.#pages.has(number)) bytes += PAGE_BYTES;
    });
    return bytes;
  }

  #walk(offset: number, length: number, visit: (page: number, from: number, to: number, at: number) => void): void {
    for (let at = 0; at < length; ) {
      const number = Math.floor((offset + at) / PAGE_BYTES);
      const from = offset + at - number * PAGE_BYTES;
      const to = Math.min(PAGE_BYTES, from + length - at);
      visit(number, from, to, at);
      at += to - from;
    }
  }
}
