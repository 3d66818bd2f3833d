/** One member's configuration after flags, variables and files have been read. Times in ms, sizes in bytes. */
export interface MemberConfig {
  readonly name: string;
  readonly dataDir: string;
  /** name=url list of a new or existing cluster. */
  readonly initialCluster: readonly InitialMember[];
  readonly initialClusterToken: string;
  readonly initialClusterState: 'new' | 'existing';
  readonly listenPeerUrls: readonly string[];
  readonly advertisePeerUrls: readonly string[];
  readonly advertiseClientUrls: readonly string[];
  /** default 100 */
  readonly heartbeatMs: number;
  /** default 1000; at least 5 heartbeats, at most 50,000 */
  readonly electionMs: number;
  /** Advances the clock of a new follower so that it campaigns sooner after a start; default true */
  readonly initialElectionTickAdvance: boolean;
  readonly preVote: boolean;
  /** Entries between log compactions; default 10,000 */
  readonly snapshotCount: number;
  /** Entries kept in the log behind a compaction for slow followers; default 5,000 */
  readonly snapshotCatchUpEntries: number;
  readonly maxWals: number;
  /** 0: 2 GiB; negative: none */
  readonly quotaBackendBytes: number;
  readonly maxRequestBytes: number;
  readonly maxTxnOps: number;
  readonly autoCompactionMode: 'periodic' | 'revision';
  /** Periodic: ms; revision: a count. 0: off. */
  readonly autoCompactionRetention: number;
  /** Revisions a compaction slice visits, and the pause between slices. */
  readonly compactionBatchLimit: number;
  readonly compactionSleepMs: number;
  readonly watchProgressNotifyMs: number;
  /** Before it serves, a member compares its keys with its peers', and does not start if they differ. */
  readonly initialCorruptCheck: boolean;
  /** The leader compares the members' keys this often, ms; 0: never. */
  readonly corruptCheckMs: number;
  /** The leader compares what the members' compactions left, every compactHashCheckMs. */
  readonly compactHashCheck: boolean;
  readonly compactHashCheckMs: number;
  /** The leader logs what is left of long leases, so that they do not begin anew with the next leader. */
  readonly leaseCheckpoint: boolean;
  readonly strictReconfigCheck: boolean;
  readonly maxLearners: number;
  /** The leader makes voters of learners that have caught up; default false */
  readonly autoPromote: boolean;
  /** A cluster of this member alone, out of what it has, at its next start */
  readonly forceNewCluster: boolean;
  /**
   * A damaged log or store: `repair` sets it aside and has it rebuilt from the log or by the peers, where that is safe;
   * `stop` leaves everything as it is. Default repair
   */
  readonly onDiskDamage: 'repair' | 'stop';
  /** Highest cluster version this member proposes, so that an older etcd can read the log; null: its own. */
  readonly clusterVersionMax: string | null;
  /** `simple`, or `jwt,...` (auth/token-options.ts) */
  readonly authToken: string;
  /** ms that a simple token lives without being used; default 300,000 */
  readonly authTokenTtlMs: number;
  /** 4 to 31; default 10 */
  readonly bcryptCost: number;
  /** A file for the audit log; '' is none (default) */
  readonly auditLogPath: string;
  /** A request whose apply takes longer is logged, ms; default 100 */
  readonly warningApplyMs: number;
  /** A unary call that takes longer is logged, ms; default 300 */
  readonly warningUnaryMs: number;
  /** An open watcher ends when its user may no longer read what it watches; default false, as in etcd */
  readonly authRecheckWatches: boolean;
  readonly tuning: MemberTuning;
}

export interface InitialMember {
  readonly name: string;
  readonly peerUrls: readonly string[];
}

/** Constants that the simulator draws anew for each seed. */
export interface MemberTuning {
  readonly walSegmentBytes: number;
  /** The backend is flushed when it is this old or this big. */
  readonly flushIntervalMs: number;
  readonly flushBytes: number;
  readonly maxAppendBytes: number;
  readonly maxInflightMessages: number;
  /** Bytes that may wait in the connection to a peer; behind them raft messages are dropped, and sent again later. */
  readonly peerPendingBytesMax: number;
  readonly maxCommittedBytesPerReady: number;
  /** committed - applied above which proposals are refused (etcd: 5,000) */
  readonly maxApplyGap: number;
  /** Proposals of this member's clients that are not applied yet, and their bytes, above which more are refused. */
  readonly maxPendingProposals: number;
  readonly maxPendingBytes: number;
  readonly readIndexRetryMs: number;
  readonly leaseCheckMs: number;
  /** Leases revoked in a second at most (etcd: 1,000) */
  readonly leaseRevokeRate: number;
  /** ms between two checkpoints of a lease (etcd: 5 minutes) */
  readonly leaseCheckpointMs: number;
  /** Entries between two points at which the members' states are compared. */
  readonly stateHashEvery: number;
  /** ms between two comparisons; 0: never */
  readonly stateHashCheckMs: number;
  readonly valueCacheBytes: number;
  /** A watch response of a watcher that asked for fragments stays below it. */
  readonly watchFragmentBytes: number;
  /** An index checkpoint is written when a restart would have to read so many rows beside the last one, */
  readonly checkpointRows: number;
  /** and it is quiet, or this long after the last, ms. */
  readonly checkpointIntervalMs: number;
  /** Bugs put back on purpose (reliability spec, part 1). */
  readonly mutants: ReadonlySet<string>;
}

export const defaultTuning: MemberTuning = {
  walSegmentBytes: 64_000_000,
  flushIntervalMs: 100,
  flushBytes: 4 << 20,
  maxAppendBytes: 1 << 20,
  maxInflightMessages: 512,
  peerPendingBytesMax: 128 << 20,
  maxCommittedBytesPerReady: 4 << 20,
  maxApplyGap: 5000,
  maxPendingProposals: 50_000,
  maxPendingBytes: 128 << 20,
  readIndexRetryMs: 500,
  leaseCheckMs: 500,
  leaseRevokeRate: 1000,
  leaseCheckpointMs: 300_000,
  stateHashEvery: 64,
  stateHashCheckMs: 5000,
  valueCacheBytes: 64 << 20,
  watchFragmentBytes: (1536 + 512) * 1024,
  checkpointRows: 20_000,
  checkpointIntervalMs: 120_000,
  mutants: new Set(),
};

const GiB = 2 ** 30;
/** etcd's default quota. */
export const defaultQuotaBytes = 2 * GiB;

/** A member's configuration with etcd's defaults (operations spec 1.2). */
export function memberDefaults(name = 'default'): MemberConfig {
  const peer = ['http://localhost:2380'];
  return {
    name,
    dataDir: `${name}.etcd`,
    initialCluster: [{ name, peerUrls: peer }],
    initialClusterToken: 'etcd-cluster',
    initialClusterState: 'new',
    listenPeerUrls: peer,
    advertisePeerUrls: peer,
    advertiseClientUrls: ['http://localhost:2379'],
    heartbeatMs: 100,
    electionMs: 1000,
    initialElectionTickAdvance: true,
    preVote: true,
    snapshotCount: 10_000,
    snapshotCatchUpEntries: 5000,
    maxWals: 5,
    quotaBackendBytes: 0,
    maxRequestBytes: 1_572_864,
    maxTxnOps: 128,
    autoCompactionMode: 'periodic',
    autoCompactionRetention: 0,
    compactionBatchLimit: 1000,
    compactionSleepMs: 10,
    watchProgressNotifyMs: 600_000,
    initialCorruptCheck: false,
    corruptCheckMs: 0,
    compactHashCheck: false,
    compactHashCheckMs: 60_000,
    leaseCheckpoint: false,
    strictReconfigCheck: true,
    maxLearners: 1,
    autoPromote: false,
    forceNewCluster: false,
    onDiskDamage: 'repair',
    clusterVersionMax: null,
    authToken: 'simple',
    authTokenTtlMs: 300_000,
    bcryptCost: 10,
    authRecheckWatches: false,
    auditLogPath: '',
    warningApplyMs: 100,
    warningUnaryMs: 300,
    tuning: defaultTuning,
  };
}

/** A configuration that cannot work. The message is etcd's where etcd has one. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'ERR_CONFIG';
}

/** Checks the bounds that the member relies on (operations spec 1.3); flags are checked by the cli. */
export function validate(config: MemberConfig): void {
  const { heartbeatMs: hb, electionMs: el } = config;
  if (!(hb > 0)) throw new ConfigError(`--heartbeat-interval must be >0 (set to ${hb}ms)`);
  if (!(el > 0)) throw new ConfigError(`--election-timeout must be >0 (set to ${el}ms)`);
  if (el < 5 * hb) {
    throw new ConfigError(`--election-timeout[${el}ms] should be at least as 5 times as --heartbeat-interval[${hb}ms]`);
  }
  if (el > 50_000) {
    throw new ConfigError(`--election-timeout[${el}ms] is too long, and should be set less than 50000ms`);
  }
  if (config.snapshotCount < 1) throw new ConfigError(`--snapshot-count must be >0 (set to ${config.snapshotCount})`);
  if (config.dataDir === '') throw new ConfigError('--data-dir must not be empty');
}

/** Bytes of quota in force; Infinity if there is none. */
export function quotaBytes(config: MemberConfig): number {
  if (config.quotaBackendBytes < 0) return Number.POSITIVE_INFINITY;
  return config.quotaBackendBytes === 0 ? defaultQuotaBytes : config.quotaBackendBytes;
}

/** ms a request may take: 5 s and twice the election timeout (semantics 1.3). */
export function requestTimeoutMs(config: MemberConfig): number {
  return 5000 + 2 * config.electionMs;
}
