import type { SlowCrypto, TokenSigner } from '../util/env.js';
import type { Rng } from '../util/rng.js';
import { sha256 } from '../util/sha.js';

const HASH_US = 50_000;

/** Passwords and tokens of the simulated machine: as slow as real ones, cheap to compute, and the same for a seed. */
export function simCrypto(rng: Rng, schedule: (us: number, fn: () => void) => void): SlowCrypto {
  const hashOf = (password: string, salt: string): string =>
    `$sim$${salt}$${sha256(Buffer.from(`${salt}${password}`))
      .toString('hex')
      .slice(0, 16)}`;
  return {
    bcryptHash: (password, cost, cb) =>
      schedule(HASH_US, () => cb(null, hashOf(password, `${cost}.${rng.below(1 << 30)}`))),
    bcryptCompare: (password, hash, cb) =>
      schedule(HASH_US, () => cb(null, hash !== '' && hashOf(password, hash.split('$')[2] ?? '') === hash)),
    randomBytes: (length) => Buffer.from(Array.from({ length }, () => rng.below(256))),
    tokenSigner: (method, _publicKey, privateKey): TokenSigner => {
      const sign = (input: Buffer): Buffer => sha256(Buffer.concat([privateKey ?? Buffer.alloc(0), input]));
      return { method, sign, verify: (input, signature) => sign(input).equals(signature) };
    },
  };
}
