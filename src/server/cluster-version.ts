import type { PeerHub } from '../peer/index.js';
import { clusterVersionOf, ETCD_VERSION } from '../util/versions.js';
import type { Membership } from './membership.js';

const CHECK_MS = 4000;

/** The leader's look at what its members run: decides the cluster's version, and raises it when all have moved on. */
export class ClusterVersionMonitor {
  readonly #hub: PeerHub;
  readonly #membership: Membership;
  readonly #max: string | null;
  #next = 0;

  /** @param max the highest version to decide on; null: our own */
  constructor(hub: PeerHub, membership: Membership, max: string | null) {
    this.#hub = hub;
    this.#membership = membership;
    this.#max = max;
  }

  /** The next check comes at once: this member has begun to lead. */
  reset(): void {
    this.#next = 0;
  }

  /** @returns the version to propose, or null */
  check(memberId: bigint, decided: string | null, now: number): string | null {
    if (now < this.#next) return null;
    const versions: string[] = [];
    for (const member of this.#membership.all()) {
      const version = member.id === memberId ? ETCD_VERSION : this.#hub.versionOf(member.id);
      // One that was never seen may be older than all others.
      if (version === null) return null;
      versions.push(version);
    }
    this.#next = now + CHECK_MS;
    const wanted = clusterVersionOf(versions, this.#max);
    return wanted === decided ? null : wanted;
  }
}
