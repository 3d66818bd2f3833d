import { ask } from '../peer/index.js';
import type { Env } from '../util/env.js';
import { hex } from '../util/hex.js';
import { compareVersions, ETCD_VERSION, MIN_CLUSTER_VERSION } from '../util/versions.js';
import type { MemberConfig } from './config.js';
import { ConfigError } from './config.js';

/** What a member answers to the question `members`: who the cluster is. Ids in hexadecimal. */
export interface MembersAnswer {
  readonly clusterId: string;
  /** Null: not decided yet. */
  readonly clusterVersion: string | null;
  readonly members: readonly {
    readonly id: string;
    readonly name: string;
    readonly peerUrls: string[];
    /** Empty: it has never been started. */
    readonly clientUrls: string[];
  }[];
}

const TIMEOUT_MS = 5000;

/** Why a member of this version cannot be one of a cluster of that version (operations spec 1.4), or null. */
function incompatible(clusterVersion: string | null): string | null {
  if (clusterVersion === null) return null;
  if (compareVersions(clusterVersion, MIN_CLUSTER_VERSION) < 0) {
    return `the running cluster version(${clusterVersion}) is lower than the minimal cluster version(${MIN_CLUSTER_VERSION}) supported`;
  }
  if (compareVersions(clusterVersion, ETCD_VERSION) > 0) {
    return `the running cluster version(${clusterVersion}) is higher than the maximum cluster version(${ETCD_VERSION}) supported`;
  }
  return null;
}

/**
 * Finds out who a member is that joins an existing cluster: its peers know it by its peer URLs, since it was added
 * before it was started (operations spec 1.4, "existing").
 */
export function joinExisting(
  env: Env,
  config: MemberConfig,
  cb: (err: Error | null, identity: { nodeId: bigint; clusterId: bigint } | null) => void,
): void {
  const wanted = [...config.advertisePeerUrls].sort().join(',');
  const urls = urlsOfOthers(config);
  let unknown: ConfigError | null = null;
  let unreachable = 'no URL to ask';
  // One that lags may not have heard of us yet, and may never, where our vote is needed for a majority: all are asked.
  const tryNext = (i: number): void => {
    const url = urls[i];
    if (url === undefined) {
      const fetch = `cannot fetch cluster info from peer urls: ${urls.join(',')}: ${unreachable}`;
      return cb(unknown ?? new ConfigError(fetch), null);
    }
    ask(env, NOBODY, [url], { kind: 'members', body: {}, timeoutMs: TIMEOUT_MS }, (err, body) => {
      if (err !== null) {
        unreachable = err.message;
        return tryNext(i + 1);
      }
      const { clusterId, members, clusterVersion } = body as MembersAnswer;
      const why = incompatible(clusterVersion);
      if (why !== null) {
        env.log.warn(why, { 'cluster-version': clusterVersion, 'server-version': ETCD_VERSION });
        return cb(new ConfigError('incompatible with current running cluster'), null);
      }
      const own = members.find((member) => [...member.peerUrls].sort().join(',') === wanted);
      if (own === undefined) {
        unknown = new ConfigError(`the cluster has no member with the peer URLs ${wanted}; add it first`);
        return tryNext(i + 1);
      }
      // Stricter than etcd: what it voted for is gone, as in refuseReborn.
      if (own.clientUrls.length > 0) return cb(new ConfigError(`member ${own.id} has already been bootstrapped`), null);
      cb(null, { nodeId: BigInt(`0x${own.id}`), clusterId: BigInt(`0x${clusterId}`) });
    });
  };
  if (urls.length > 0) return tryNext(0);
  env.timers.defer(() => tryNext(0));
}

/** Nobody may be there yet, and a new cluster's members start together: they are not waited for longer than this, ms. */
const REBORN_TIMEOUT_MS = 500;

/**
 * A folder that is empty, of a member that its peers have seen running: its log is gone, and with it what it voted for
 * and what it acknowledged. As a new member of a new cluster it could vote a second time; so it is refused, as etcd
 * refuses it (operations spec 1.4, "new").
 */
export function refuseReborn(env: Env, config: MemberConfig, memberId: bigint, cb: (err: Error | null) => void): void {
  const urls = urlsOfOthers(config);
  let left = urls.length;
  let settled = false;
  const settle = (err: Error | null): void => {
    if (settled) return;
    settled = true;
    cb(err);
  };
  if (left === 0) return settle(null);
  for (const url of urls) {
    ask(env, NOBODY, [url], { kind: 'members', body: {}, timeoutMs: REBORN_TIMEOUT_MS }, (err, body) => {
      left--;
      const members = err === null ? (body as MembersAnswer).members : [];
      const known = members.find((member) => member.id === hex(memberId));
      if (known !== undefined && known.clientUrls.length > 0) {
        settle(new ConfigError(`member ${hex(memberId)} has already been bootstrapped`));
      } else if (left === 0) settle(null);
    });
  }
}

const NOBODY = { clusterId: 0n, memberId: 0n, version: ETCD_VERSION, minClusterVersion: MIN_CLUSTER_VERSION };

function urlsOfOthers(config: MemberConfig): string[] {
  return config.initialCluster.filter((member) => member.name !== config.name).flatMap((member) => member.peerUrls);
}
