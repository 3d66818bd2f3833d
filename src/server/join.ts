import { ask } from '../peer/index.js';
import type { Env } from '../util/env.js';
import { ETCD_VERSION, MIN_CLUSTER_VERSION } from '../util/versions.js';
import type { MemberConfig } from './config.js';
import { ConfigError } from './config.js';

/** What a member answers to the question `members`: who the cluster is. Ids in hexadecimal. */
export interface MembersAnswer {
  readonly clusterId: string;
  readonly members: readonly { readonly id: string; readonly name: string; readonly peerUrls: string[] }[];
}

const TIMEOUT_MS = 5000;

/**
 * Finds out who a member is that joins an existing cluster: its peers know it by its peer URLs, since it was added
 * before it was started (operations spec 1.4, "existing").
 */
export function joinExisting(
  env: Env,
  config: MemberConfig,
  cb: (err: Error | null, identity: { nodeId: bigint; clusterId: bigint } | null) => void,
): void {
  const urls = config.initialCluster
    .filter((member) => member.name !== config.name)
    .flatMap((member) => member.peerUrls);
  const nobody = { clusterId: 0n, memberId: 0n, version: ETCD_VERSION, minClusterVersion: MIN_CLUSTER_VERSION };
  ask(env, nobody, urls, { kind: 'members', body: {}, timeoutMs: TIMEOUT_MS }, (err, body) => {
    if (err !== null) {
      return cb(new ConfigError(`cannot fetch cluster info from peer urls: ${urls.join(',')}: ${err.message}`), null);
    }
    const { clusterId, members } = body as MembersAnswer;
    const wanted = [...config.advertisePeerUrls].sort().join(',');
    const own = members.find((member) => [...member.peerUrls].sort().join(',') === wanted);
    if (own === undefined) {
      return cb(new ConfigError(`the cluster has no member with the peer URLs ${wanted}; add it first`), null);
    }
    cb(null, { nodeId: BigInt(`0x${own.id}`), clusterId: BigInt(`0x${clusterId}`) });
  });
}
