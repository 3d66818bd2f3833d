/**
 * What was charged to quotas for objects that are on their way into the store. A recount that misses such an object
 * would give its charge back, and the quota would be overdrawn.
 */
import type { KubeObject } from '../machinery/object.js';
import type { Amounts } from './resource-amounts.js';
import { add, NONE } from './resource-amounts.js';

/** A write that takes longer has failed without saying so. */
const LOST_MS = 30_000;

export class PendingCharges {
  readonly #now: () => number;
  /** By the uid of the object; oldest first. */
  readonly #charges = new Map<
    string,
    { readonly quotas: readonly string[]; readonly amounts: Amounts; readonly at: number }
  >();

  /** @param now ms */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @param quotas namespace and name of each that was charged */
  add(uid: string, quotas: readonly string[], amounts: Amounts): void {
    this.#forgetLost();
    this.#charges.set(uid, { quotas, amounts, at: this.#now() });
  }

  /** It was written and seen, or is not going to be. */
  settle({ metadata }: KubeObject): void {
    if (this.#charges.size > 0) this.#charges.delete(metadata.uid ?? '');
  }

  /** @param counted uids of objects that are in the store */
  of(quota: string, counted: ReadonlySet<string>): Amounts {
    this.#forgetLost();
    let sum = NONE;
    for (const [uid, { quotas, amounts }] of this.#charges) {
      if (quotas.includes(quota) && !counted.has(uid)) sum = add(sum, amounts);
    }
    return sum;
  }

  #forgetLost(): void {
    const before = this.#now() - LOST_MS;
    for (const [uid, { at }] of this.#charges) {
      if (at > before) return;
      this.#charges.delete(uid);
    }
  }
}
