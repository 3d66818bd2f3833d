/** Streams that are remembered: a power of two. */
const KEPT = 512;

export const Past = {
  /** Its number was passed over. */
  SKIPPED: 0,
  /** It was open, or is. */
  OPENED: 1,
  /** We ended it before the client did: frames of its may still be on their way. */
  RESET: 2,
  /** Too long ago to know. */
  FORGOTTEN: 3,
} as const;

/**
 * What became of a connection's latest streams, so that a frame that comes too late is told from one that may not come
 * (RFC 9113 section 5.1, closed).
 */
export class StreamHistory {
  readonly #past = new Uint8Array(KEPT);
  /** The largest id that was opened; 0: none. */
  lastId = 0;

  /** @param id odd, above lastId */
  open(id: number): void {
    for (let skipped = Math.max(this.lastId + 2, id - KEPT * 2) | 1; skipped < id; skipped += 2) {
      this.#past[slotOf(skipped)] = Past.SKIPPED;
    }
    this.#past[slotOf(id)] = Past.OPENED;
    this.lastId = id;
  }

  reset(id: number): void {
    if (this.#isKept(id)) this.#past[slotOf(id)] = Past.RESET;
  }

  /** @param id at most lastId */
  of(id: number): number {
    return this.#isKept(id) ? this.#past[slotOf(id)]! : Past.FORGOTTEN;
  }

  #isKept(id: number): boolean {
    return id > this.lastId - KEPT * 2;
  }
}

function slotOf(id: number): number {
  return (id >>> 1) & (KEPT - 1);
}
