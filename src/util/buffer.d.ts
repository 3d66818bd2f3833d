/**
 * Methods of Node's Buffer that @types/node leaves out. `latin1Slice` and `latin1Write` are what `toString('latin1')`
 * and `write(s, 'latin1')` come to after they have looked up the encoding; for a short key that look-up is 15-20 %.
 */
declare global {
  interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {
    latin1Slice(start?: number, end?: number): string;
    utf8Slice(start?: number, end?: number): string;
    /** @returns bytes written */
    latin1Write(text: string, offset?: number, length?: number): number;
    /** @returns bytes written */
    utf8Write(text: string, offset?: number, length?: number): number;
  }
}

export {};
