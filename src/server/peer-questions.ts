import { failpoint } from '../util/failpoint.js';
import { hex } from '../util/hex.js';
import type { ServerError } from './errors.js';
import type { MembersAnswer } from './join.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { memberToWire } from './member-record.js';
import type { Membership } from './membership.js';
import type { Reconfiguration } from './reconfiguration.js';

const beforeServeHTTPLeaseRenew = failpoint('beforeServeHTTPLeaseRenew');
const beforeLookupWhenForwardLeaseTimeToLive = failpoint('beforeLookupWhenForwardLeaseTimeToLive');

export type PeerAnswer = (err: { code: string; message: string } | null, body: unknown) => void;

/** Answers what other members, or one that wants to join, may ask beside raft. */
export class PeerQuestions {
  readonly #clusterId: bigint;
  readonly #membership: Membership;
  readonly #leases: LeaseKeeper;
  readonly #changes: Reconfiguration;
  readonly #version: () => string | null;

  constructor(
    clusterId: bigint,
    membership: Membership,
    leases: LeaseKeeper,
    changes: Reconfiguration,
    version: () => string | null,
  ) {
    this.#clusterId = clusterId;
    this.#membership = membership;
    this.#leases = leases;
    this.#changes = changes;
    this.#version = version;
  }

  answer(kind: string, body: unknown, reply: PeerAnswer): void {
    const settle = (err: ServerError | null, value: unknown): void =>
      err === null ? reply(null, value) : reply({ code: err.code, message: err.message }, null);
    const { id, keys } = body as { id: string; keys?: boolean };
    switch (kind) {
      case 'members':
        return settle(null, {
          clusterId: hex(this.#clusterId),
          clusterVersion: this.#version(),
          members: this.#membership
            .all()
            .map((m) => ({ id: hex(m.id), name: m.name, peerUrls: m.peerUrls, clientUrls: m.clientUrls })),
        } satisfies MembersAnswer);
      case 'lease-renew':
        if (beforeServeHTTPLeaseRenew.on) beforeServeHTTPLeaseRenew.hit();
        return this.#leases.renew(BigInt(id), settle);
      case 'lease-ttl':
        return this.#leases.timeToLive(BigInt(id), keys === true, settle, beforeLookupWhenForwardLeaseTimeToLive);
      case 'conf-change':
        return this.#changes.taken(body, reply);
      case 'member-promote':
        return this.#changes.promote(BigInt(id), {
          ok: (members) => settle(null, members.map(memberToWire)),
          fail: (err) => settle(err, null),
        });
      default:
        reply({ code: 'ERR_UNKNOWN_REQUEST', message: `unknown request ${kind}` }, null);
    }
  }
}
