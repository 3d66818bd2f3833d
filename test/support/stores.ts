import { describe } from 'vitest';
import type { StoreKind } from './binaries.js';
import { missing, sayIfMissing } from './binaries.js';

/** The stores that tests of the client and of keelctl run against: KEEL_CLIENT_STORES, a comma list; default both. */
function storesNamed(): StoreKind[] {
  return (process.env.KEEL_CLIENT_STORES ?? 'etcd,keel').split(',') as StoreKind[];
}

/** The kinds that this machine has; of the others it is said why not. */
export function storesHere(what: string): StoreKind[] {
  return storesNamed().filter((kind) => !sayIfMissing(what, kind));
}

/** One suite for each kind of store; a kind that this machine has not is a skipped suite that says why. */
export function describeStores(name: string, body: (kind: StoreKind) => void): void {
  for (const kind of storesNamed()) {
    const reason = missing(kind);
    if (reason === undefined) describe(`${name} (${kind})`, () => body(kind));
    else describe.skip(`${name} (${kind}): ${reason}`, () => body(kind));
  }
}
