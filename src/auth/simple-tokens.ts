import type { TokenEvents } from './types.js';

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
export class SimpleTokens implements TokenEvents {
  /** In the order of `until`: what is used goes to the end. */
  readonly #holders = new Map<string, Holder>();
  readonly #byUser = new Map<string, Set<string>>();
  readonly #ttlMs: number;

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  get size(): number {
    return this.#holders.size;
  }

  assign(username: string, token: string, now: number): void {
    this.#drop(token);
    this.#holders.set(token, { username, until: now + this.#ttlMs });
    let tokens = this.#byUser.get(username);
    if (tokens === undefined) this.#byUser.set(username, (tokens = new Set()));
    tokens.add(token);
  }

  /** Whose token it is; it lives on from now. */
  use(token: string, now: number): string | null {
    const holder = this.#holders.get(token);
    if (holder === undefined || holder.until <= now) return null;
    this.#holders.delete(token);
    holder.until = now + this.#ttlMs;
    this.#holders.set(token, holder);
    return holder.username;
  }

  /** Whose token it is, for who only writes it down. */
  peek(token: string): string | null {
    return this.#holders.get(token)?.username ?? null;
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

/** Random bytes that `tokenPrefix` may need; more than enough of them fall within the letters. */
export const PREFIX_BYTES = 64;

/** @param random PREFIX_BYTES bytes that nobody can guess */
export function tokenPrefix(random: Buffer): string {
  let prefix = '';
  for (const byte of random) {
    // 208 = 4 x 52: each letter as likely as the others.
    if (byte >= 208) continue;
    prefix += LETTERS[byte % LETTERS.length];
    if (prefix.length === PREFIX_LETTERS) return prefix;
  }
  return prefix.padEnd(PREFIX_LETTERS, 'k');
}

/** The index behind the dot; null for what is no simple token. */
export function tokenIndex(token: string): number | null {
  const match = /^[^.]*\.(\d{1,20})$/.exec(token);
  return match === null ? null : Number(match[1]);
}
