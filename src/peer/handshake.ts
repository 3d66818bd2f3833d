import { hex, parseHex } from '../util/hex.js';
import { compareVersions } from '../util/versions.js';
import type { PeerIdentity } from './api.js';
import { packr } from './envelope.js';

/** Of this room's frames; another number is refused. */
export const PEER_PROTOCOL = 1;

export interface Hello {
  readonly protocol: number;
  readonly clusterId: bigint;
  /** 0n: not a member yet (it wants to join). */
  readonly from: bigint;
  /** 0n: whoever is there. */
  readonly to: bigint;
  readonly version: string;
  readonly minClusterVersion: string;
  readonly purpose: Purpose;
  /** Of the dialer; empty from one that does not say. */
  readonly peerUrls: readonly string[];
}

/** `link`: raft messages, proposals and questions. `snapshot`: one snapshot. `ask`: questions of one who is not a member. */
export type Purpose = 'link' | 'snapshot' | 'ask';

export interface Welcome {
  readonly memberId: bigint;
  readonly version: string;
}

export interface Refuse {
  readonly code: 'ERR_CLUSTER_MISMATCH' | 'ERR_MEMBER_MISMATCH' | 'ERR_REMOVED' | 'ERR_PROTOCOL' | 'ERR_VERSION';
  readonly message: string;
}

export function encodeHello(identity: PeerIdentity, to: bigint, purpose: Purpose): Buffer {
  const { clusterId, memberId, version, minClusterVersion, peerUrls = [] } = identity;
  const asking = purpose === 'ask';
  const fields = [
    PEER_PROTOCOL,
    asking ? '0' : hex(clusterId),
    hex(memberId),
    hex(to),
    version,
    minClusterVersion,
    purpose,
    peerUrls,
  ];
  return Buffer.from(packr.pack(fields));
}

/** Null if the bytes are no hello. */
export function decodeHello(payload: Buffer): Hello | null {
  const fields = unpackArray(payload, 7);
  if (fields === null) return null;
  const [protocol, cluster, from, to, version, minClusterVersion, purpose, peerUrls] = fields;
  const ids = [cluster, from, to].map((id) => (typeof id === 'string' ? parseHex(id) : undefined));
  if (typeof protocol !== 'number' || ids.includes(undefined)) return null;
  if (purpose !== 'link' && purpose !== 'snapshot' && purpose !== 'ask') return null;
  return {
    protocol,
    clusterId: ids[0] as bigint,
    from: ids[1] as bigint,
    to: ids[2] as bigint,
    version: String(version),
    minClusterVersion: String(minClusterVersion),
    purpose,
    peerUrls: Array.isArray(peerUrls) ? peerUrls.filter((url) => typeof url === 'string') : [],
  };
}

/** Why a dialer is not let in, or null. What it is told is also what both sides log. */
export function checkHello(
  hello: Hello | null,
  identity: PeerIdentity,
  removed: (id: bigint) => boolean,
): Refuse | null {
  if (hello === null) return { code: 'ERR_PROTOCOL', message: 'not a member of a keel cluster' };
  if (hello.protocol !== PEER_PROTOCOL) {
    return { code: 'ERR_PROTOCOL', message: `peer protocol ${hello.protocol}, this member speaks ${PEER_PROTOCOL}` };
  }
  if (hello.purpose === 'ask') return null;
  const version = checkVersions(hello, identity);
  if (version !== null) return { code: 'ERR_VERSION', message: `incompatible version: ${version}` };
  if (hello.clusterId !== identity.clusterId) {
    return {
      code: 'ERR_CLUSTER_MISMATCH',
      message: `cluster ID mismatch: this member is of cluster ${hex(identity.clusterId)}, not ${hex(hello.clusterId)}`,
    };
  }
  if (hello.to !== identity.memberId) {
    return {
      code: 'ERR_MEMBER_MISMATCH',
      message: `member ID mismatch: this is member ${hex(identity.memberId)}, not ${hex(hello.to)}`,
    };
  }
  if (removed(hello.from)) {
    return { code: 'ERR_REMOVED', message: `member ${hex(hello.from)} has been removed from the cluster` };
  }
  return null;
}

/** Each side must know the oldest cluster that the other can live with (wire spec 8). */
function checkVersions(remote: Hello, local: PeerIdentity): string | null {
  const about = `remote[${hex(remote.from)}]=${remote.version}, local=${local.version}`;
  if (compareVersions(remote.version, local.minClusterVersion) < 0) return `remote version is too low: ${about}`;
  if (compareVersions(remote.minClusterVersion, local.version) > 0) return `local version is too low: ${about}`;
  return null;
}

export function encodeWelcome(identity: PeerIdentity): Buffer {
  return Buffer.from(packr.pack([hex(identity.memberId), identity.version]));
}

export function decodeWelcome(payload: Buffer): Welcome | null {
  const fields = unpackArray(payload, 2);
  const id = typeof fields?.[0] === 'string' ? parseHex(fields[0]) : undefined;
  return id === undefined ? null : { memberId: id, version: String(fields?.[1]) };
}

export function encodeRefuse(refuse: Refuse): Buffer {
  return Buffer.from(packr.pack([refuse.code, refuse.message]));
}

export function decodeRefuse(payload: Buffer): Refuse | null {
  const fields = unpackArray(payload, 2);
  return fields === null ? null : { code: fields[0] as Refuse['code'], message: String(fields[1]) };
}

function unpackArray(payload: Buffer, length: number): unknown[] | null {
  try {
    const value: unknown = packr.unpack(payload);
    return Array.isArray(value) && value.length >= length ? value : null;
  } catch {
    return null; // not msgpack: told to the dialer as a protocol error
  }
}
