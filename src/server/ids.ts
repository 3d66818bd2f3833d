import { sha1 } from '../util/sha.js';

/**
 * Member id: SHA-1 over the sorted peer URLs, then the cluster token; for a member added later the decimal
 * Unix seconds in place of the token. The first 8 bytes, big endian (wire spec 6.1).
 */
export function memberIdOf(peerUrls: readonly string[], token: string, addedAtSeconds: number | null = null): bigint {
  const sorted = [...peerUrls].sort();
  const tail = addedAtSeconds === null ? token : String(addedAtSeconds);
  return sha1(sorted.join(''), tail).readBigUInt64BE(0);
}

/** Cluster id: SHA-1 over the member ids, ascending, 8 bytes each. Fixed at bootstrap (wire spec 6.1). */
export function clusterIdOf(memberIds: readonly bigint[]): bigint {
  const sorted = [...memberIds].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const bytes = Buffer.alloc(8 * sorted.length);
  for (let i = 0; i < sorted.length; i++) bytes.writeBigUInt64BE(sorted[i] as bigint, 8 * i);
  return sha1(bytes).readBigUInt64BE(0);
}

const COUNTER_SPAN = 2 ** 8;
const TIME_SPAN = 2 ** 40;

/**
 * Ids of proposals: the member id's low 16 bits, then 40 bits of start time in ms, then a counter that carries into
 * them. The low 48 bits fit a number and are what the completion table is keyed by.
 */
export class RequestIds {
  readonly hi16: number;
  #low48: number;

  /** @param wallMs Unix time in ms at the start, so that a restarted member does not repeat ids */
  constructor(memberId: bigint, wallMs: number) {
    this.hi16 = Number(memberId & 0xffffn);
    this.#low48 = (Math.floor(wallMs) % TIME_SPAN) * COUNTER_SPAN;
  }

  next(): number {
    this.#low48 = (this.#low48 + 1) % (TIME_SPAN * COUNTER_SPAN);
    return this.#low48;
  }

  /** The whole id as etcd writes it. */
  full(low48: number): bigint {
    return (BigInt(this.hi16) << 48n) | BigInt(low48);
  }
}
