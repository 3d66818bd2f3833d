import type { MemberApi } from '../server/index.js';
import type { ResponseHeader } from '../wire/index.js';
import { makeResponseHeader } from '../wire/index.js';

/**
 * The header of an answer (etcd semantics §2). `revision` is that of the operation for KV, the store's current one for
 * Lease and Maintenance, and 0 for Cluster.
 */
export function headerOf(member: MemberApi, revision: number): ResponseHeader {
  return makeResponseHeader(member.clusterId, member.memberId, revision, member.raftTerm);
}
