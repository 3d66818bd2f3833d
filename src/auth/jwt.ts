import type { Clock, TokenSigner } from '../util/env.js';
import type { Identity, TokenProvider } from './types.js';

interface Verified extends Identity {
  /** Unix seconds. */
  readonly exp: number;
}

/** Tokens that were verified and may come again, so that a signature is checked once and not with every request. */
const REMEMBERED_MAX = 1000;

/**
 * JSON web tokens (RFC 7519) with etcd's claims: `username`, `revision` (the auth revision when it was made) and `exp`.
 * Every member with the key can check one, so nothing is kept but what has been verified.
 */
export class JwtTokens implements TokenProvider {
  readonly #signer: TokenSigner;
  readonly #ttlS: number;
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #verified = new Map<string, Verified>();

  constructor(signer: TokenSigner, ttlMs: number, clock: Pick<Clock, 'wall'>) {
    this.#signer = signer;
    this.#ttlS = ttlMs / 1000;
    this.#clock = clock;
  }

  /** A token says all by itself. */
  indexOf(): number {
    return 0;
  }

  prefix(): string {
    return '';
  }

  assign(username: string, _prefix: string, _index: number, revision: number, wanted: boolean): string | null {
    if (!wanted) return '';
    const exp = Math.floor(this.#clock.wall() / 1000 + this.#ttlS);
    const head = `${encode({ alg: this.#signer.method, typ: 'JWT' })}.${encode({ exp, revision, username })}`;
    const signature = this.#signer.sign(Buffer.from(head));
    return signature === null ? null : `${head}.${signature.toString('base64url')}`;
  }

  /** The revision is that of its making, whatever the present one is. */
  identify(token: string): Identity | null {
    let verified = this.#verified.get(token) ?? null;
    if (verified === null) {
      verified = this.#verify(token);
      if (verified === null) return null;
      if (this.#verified.size >= REMEMBERED_MAX) this.#verified.clear();
      this.#verified.set(token, verified);
    }
    if (this.#clock.wall() / 1000 < verified.exp) return verified;
    this.#verified.delete(token);
    return null;
  }

  /** Nothing was kept of who is gone, and the revision outdates the rest. */
  userInvalidated(): void {}

  authDisabled(): void {}

  tick(): void {}

  #verify(token: string): Verified | null {
    const parts = token.split('.');
    if (parts.length !== 3) return null;
    const [head, body, signature] = parts as [string, string, string];
    if (!BASE64URL.test(head) || !BASE64URL.test(body) || !BASE64URL.test(signature)) return null;
    // The header names the method, and what it names is never used: `none` and a public key as a secret are old tricks.
    if (decode(head)?.alg !== this.#signer.method) return null;
    if (!this.#signer.verify(Buffer.from(`${head}.${body}`), Buffer.from(signature, 'base64url'))) return null;
    const claims = decode(body);
    const { username, revision, exp } = claims ?? {};
    if (typeof username !== 'string' || username === '') return null;
    if (typeof revision !== 'number' || !(revision >= 0) || typeof exp !== 'number') return null;
    return { username, revision: Math.floor(revision), exp };
  }
}

const BASE64URL = /^[A-Za-z0-9_-]+$/;

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
