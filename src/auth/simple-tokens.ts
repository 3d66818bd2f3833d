import type { Clock, SlowCrypto } from '../util/env.js';
import type { Identity, TokenProvider } from './types.js';

interface Holder {
  readonly username: string;
  /** ms, monotonic: when it ends unless it is used before. */
  until: number;
}

/**
 * Simple tokens: `<16 letters>.<index>`, made by who is asked to authenticate and given to every member through the log;
 * the index is that of the entry that carried it, so that a member knows whether it should have heard of it. Each
 * member keeps them in memory for itself: use prolongs one, a restart forgets them all (etcd semantics §9.1).
 */
export class SimpleTokens implements TokenProvider {
  /** In the order of `until`: what is used goes to the end. */
  readonly #holders = new Map<string, Holder>();
  readonly #byUser = new Map<string, Set<string>>();
  readonly #ttlMs: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #crypto: Pick<SlowCrypto, 'randomBytes'>;

  constructor(ttlMs: number, clock: Pick<Clock, 'now'>, crypto: Pick<SlowCrypto, 'randomBytes'>) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#crypto = crypto;
  }

  get size(): number {
    return this.#holders.size;
  }

  indexOf(token: string): number | null {
    const match = /^[^.]*\.(\d{1,15})$/.exec(token);
    return match === null ? null : Number(match[1]);
  }

  prefix(): string {
    return tokenPrefix(this.#crypto.randomBytes(PREFIX_BYTES));
  }

  assign(username: string, prefix: string, index: number): string {
    const token = `${prefix}.${index}`;
    this.#drop(token);
    this.#holders.set(token, { username, until: this.#clock.now() + this.#ttlMs });
    let tokens = this.#byUser.get(username);
    if (tokens === undefined) this.#byUser.set(username, (tokens = new Set()));
    tokens.add(token);
    return token;
  }

  /** The token lives on from now. */
  identify(token: string, revision: number): Identity | null {
    const holder = this.#holders.get(token);
    const now = this.#clock.now();
    if (holder === undefined || holder.until <= now) return null;
    this.#holders.delete(token);
    holder.until = now + this.#ttlMs;
    this.#holders.set(token, holder);
    return { username: holder.username, revision };
  }

  tick(now: number): void {
    for (const [token, holder] of this.#holders) {
      if (holder.until > now) break;
      this.#drop(token);
    }
  }

  userInvalidated(name: string): void {
    for (const token of this.#byUser.get(name) ?? []) this.#holders.delete(token);
    this.#byUser.delete(name);
  }

  authDisabled(): void {
    this.#holders.clear();
    this.#byUser.clear();
  }

  #drop(token: string): void {
    const holder = this.#holders.get(token);
    if (holder === undefined) return;
    this.#holders.delete(token);
    const tokens = this.#byUser.get(holder.username);
    tokens?.delete(token);
    if (tokens?.size === 0) this.#byUser.delete(holder.username);
  }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const PREFIX_LETTERS = 16;

/** Random bytes for one prefix: many more of them than 16 fall within the letters. */
const PREFIX_BYTES = 64;

function tokenPrefix(random: Buffer): string {
  let prefix = '';
  for (const byte of random) {
    // 208 = 4 x 52: each letter as likely as the others.
    if (byte >= 208) continue;
    prefix += LETTERS[byte % LETTERS.length];
    if (prefix.length === PREFIX_LETTERS) return prefix;
  }
  throw new Error('these bytes are not random');
}
