import { createHash } from 'node:crypto';

/** SHA-1 of the concatenated parts: 20 bytes. etcd derives member and cluster ids with it (wire spec 6.1). */
export function sha1(...parts: (Buffer | string)[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** SHA-256 in pieces. */
export class Sha256 {
  readonly #hash = createHash('sha256');

  update(piece: Buffer): void {
    this.#hash.update(piece);
  }

  /** 32 bytes. Once, last. */
  digest(): Buffer {
    return this.#hash.digest();
  }
}

/** SHA-256 of the concatenated parts: 32 bytes. */
export function sha256(...parts: (Buffer | string)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
