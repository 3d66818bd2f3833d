import { AuthStore, makeTokens } from '../auth/index.js';
import { Lessor, readLeases } from '../lease/index.js';
import type { MvccStore } from '../mvcc/index.js';
import { openMvcc } from '../mvcc/index.js';
import { linkTimes, NetPeerHub } from '../peer/index.js';
import { MUTANTS, Raft } from '../raft/index.js';
import type { StoredBackend } from '../storage/backend/index.js';
import { openBackend, readKeelFile } from '../storage/backend/index.js';
import type { WalOpened, WalOptions } from '../storage/wal/index.js';
import { Wal, WalError } from '../storage/wal/index.js';
import type { Env } from '../util/env.js';
import { hex } from '../util/hex.js';
import { compareVersions, ETCD_VERSION, MIN_CLUSTER_VERSION } from '../util/versions.js';
import { entryWire } from '../wire/index.js';
import { Alarms } from './alarms.js';
import { bootstrapNew } from './bootstrap.js';
import { findCheckpoint } from './checkpoint-file.js';
import { parseConfState } from './conf-changes.js';
import type { MemberConfig } from './config.js';
import { ConfigError, validate } from './config.js';
import { logFolder, storeFolder } from './damage.js';
import { makeMemberFolder, refuseForeignFolder } from './folder.js';
import { forceNewCluster } from './force-new-cluster.js';
import { IndexCheckpoint } from './index-checkpoint.js';
import { joinExisting, refuseReborn } from './join.js';
import { Member } from './member.js';
import { Membership } from './membership.js';
import type { Attempt } from './repair.js';
import { mayReplaceLog, openRepairing, othersIn } from './repair.js';
import { loadTables } from './tables.js';

type OpenCallback = (err: Error | null, member: Member | null) => void;

/** Who we are and what the log holds. */
interface Opened {
  readonly backend: StoredBackend;
  readonly log: WalOpened<Wal>;
}

/**
 * Opens a member's folder, or makes it, and puts the member together. Nothing listens and nothing ticks yet:
 * `Member.start` begins that. On an error everything that was opened is closed again.
 *
 *   <data-dir>/member/wal    the log (etcd's format)
 *   <data-dir>/member/keel   the backend; its lock is the member's lock, and is taken first
 */
export function openMember(env: Env, config: MemberConfig, cb: OpenCallback): void {
  try {
    validate(config);
    refuseForeignFolder(env.disk, config.dataDir);
    makeMemberFolder(env.disk, config.dataDir);
  } catch (err) {
    env.timers.defer(() => cb(err as Error, null));
    return;
  }
  openRepairing(env, config, (attempt, done) => openFolder(env, config, attempt, done), cb);
}

function openFolder(env: Env, config: MemberConfig, attempt: Attempt, cb: OpenCallback): void {
  const { tuning } = config;
  const options = { flushMs: tuning.flushIntervalMs, flushBytes: tuning.flushBytes, mutants: tuning.mutants };
  openBackend(env, `${config.dataDir}/member/keel`, options, (err, backend) => {
    if (err !== null || backend === null) return cb(err, null);
    const fail = (error: Error): void => backend.close(() => cb(error, null));
    attempt.others = othersIn(backend.confState, backend.owner?.memberId);
    try {
      openLog(env, config, attempt, backend, (logError, opened) => {
        if (logError !== null || opened === null) return fail(logError ?? new Error('no log'));
        assemble(env, config, opened, (assembleError, member) => {
          if (assembleError === null) return cb(null, member);
          opened.log.wal.close(() => fail(assembleError));
        });
      });
    } catch (error) {
      fail(error as Error);
    }
  });
}

function openLog(
  env: Env,
  config: MemberConfig,
  attempt: Attempt,
  backend: StoredBackend,
  cb: (err: Error | null, opened: Opened | null) => void,
): void {
  const dir = `${config.dataDir}/member/wal`;
  const log = Wal.exists(env.disk, dir)
    ? reopenLog(env, config, backend, dir)
    : replaceLog(env, config, attempt, backend);
  if (log !== null) {
    const unborn = log.hardState === null && log.entries.length === 0 && backend.appliedIndex === 0;
    if (unborn && config.initialClusterState === 'new') return writeBootstrap(config, backend, log, cb);
    if (!config.forceNewCluster) return cb(null, { backend, log });
    return forceNewCluster(env, backend, log, config.advertisePeerUrls, (err, alone) => {
      if (alone !== null) cb(null, { backend, log: alone });
      else log.wal.close(() => cb(err, null));
    });
  }
  if (backend.appliedIndex > 0) {
    throw new ConfigError(`${dir} is missing, but the store beside it is at index ${backend.appliedIndex}`);
  }
  if (config.initialClusterState === 'new') {
    const { memberId, clusterId } = bootstrapNew(config);
    return refuseReborn(env, config, memberId, (reborn) => {
      if (reborn !== null) return cb(reborn, null);
      try {
        const made = createLog(env, config, backend, dir, { nodeId: memberId, clusterId });
        writeBootstrap(config, backend, made, cb);
      } catch (error) {
        cb(error as Error, null);
      }
    });
  }
  joinExisting(env, config, (err, identity) => {
    if (err !== null || identity === null) return cb(err, null);
    try {
      cb(null, { backend, log: createLog(env, config, backend, dir, identity) });
    } catch (error) {
      cb(error as Error, null);
    }
  });
}

function walOptions(config: MemberConfig): WalOptions {
  const { walSegmentBytes: segmentBytes, mutants } = config.tuning;
  return { segmentBytes, maxWals: config.maxWals, mutants, keepEntries: config.snapshotCatchUpEntries };
}

function createLog(
  env: Env,
  config: MemberConfig,
  backend: StoredBackend,
  dir: string,
  identity: { nodeId: bigint; clusterId: bigint },
): WalOpened<Wal> {
  const wal = Wal.create(env.disk, dir, identity, walOptions(config));
  backend.adopt({ memberId: identity.nodeId, clusterId: identity.clusterId });
  return {
    wal,
    metadata: identity,
    hardState: null,
    entries: [],
    older: [],
    snapshots: [],
    cut: null,
    uncertain: false,
  };
}

/**
 * Where a log was and is gone, it is begun anew behind what the store has, with the vote withheld.
 * @returns null where there was none
 */
function replaceLog(env: Env, config: MemberConfig, attempt: Attempt, backend: StoredBackend): WalOpened<Wal> | null {
  const dir = logFolder(config.dataDir);
  const promise = Wal.promise(env.disk, dir);
  if (promise === null) return null;
  if (!mayReplaceLog(config, attempt)) throw new WalError('ERR_WAL_MISSING', 'the log is gone', dir);
  mustOwn(backend, promise.metadata, dir);
  const from = { index: backend.appliedIndex, term: backend.appliedTerm };
  const log = Wal.replace(env.disk, dir, from, walOptions(config));
  env.log.warn('began a new log in place of one that is gone', {
    'applied-index': from.index,
    term: log.hardState?.term ?? 0,
  });
  return log;
}

/** Log and store are those of one member. */
function mustOwn(backend: StoredBackend, { nodeId, clusterId }: WalOpened<Wal>['metadata'], dir: string): void {
  const { owner } = backend;
  if (owner === undefined) {
    backend.adopt({ memberId: nodeId, clusterId });
  } else if (owner.memberId !== nodeId || owner.clusterId !== clusterId) {
    throw new ConfigError(
      `${dir} belongs to member ${hex(nodeId)} of cluster ${hex(clusterId)}, the store beside it to member ${hex(owner.memberId)} of cluster ${hex(owner.clusterId)}`,
    );
  }
}

function reopenLog(env: Env, config: MemberConfig, backend: StoredBackend, dir: string): WalOpened<Wal> {
  const from = { index: backend.appliedIndex, term: backend.appliedTerm };
  const marked = Wal.promise(env.disk, dir) !== null;
  const log = Wal.open(env.disk, dir, from, walOptions(config));
  mustOwn(backend, log.metadata, dir);
  // Fine with a log that is whole: then nothing was cut, and a new mark has been written.
  if (!marked && log.hardState !== null) env.log.warn('there was no readable mark beside the write-ahead log', { dir });
  env.log.info('opened the write-ahead log', {
    'applied-index': backend.appliedIndex,
    entries: log.entries.length,
    'last-index': log.entries.at(-1)?.index ?? backend.appliedIndex,
    'commit-index': log.hardState?.commit ?? 0,
    term: log.hardState?.term ?? 0,
  });
  if (log.cut !== null) {
    env.log.warn('cut a torn tail off the write-ahead log', {
      file: log.cut.file,
      offset: log.cut.offset,
      reason: log.cut.reason,
      uncertain: log.uncertain,
    });
  }
  return log;
}

/** Writes a new cluster's first entries; a crash before this leaves an empty log, and it is done at the next start. */
function writeBootstrap(
  config: MemberConfig,
  backend: StoredBackend,
  log: WalOpened<Wal>,
  cb: (err: Error | null, opened: Opened | null) => void,
): void {
  const { entries, hardState, memberId } = bootstrapNew(config);
  if (memberId !== log.metadata.nodeId) {
    throw new ConfigError(`${config.dataDir} belongs to member ${hex(log.metadata.nodeId)}, not ${hex(memberId)}`);
  }
  for (const entry of entries) entryWire(entry);
  log.wal.save(hardState, entries as never, true, (err) => {
    if (err !== null) return log.wal.close(() => cb(err, null));
    cb(null, { backend, log: { ...log, hardState, entries } });
  });
}

function assemble(env: Env, config: MemberConfig, opened: Opened, cb: OpenCallback): void {
  const { backend, log } = opened;
  const membership = new Membership(backend, config.tuning.mutants);
  const alarms = new Alarms(backend);
  const auth = new AuthStore(backend, { mutants: config.tuning.mutants });
  const { tuning } = config;
  const lessor = new Lessor(backend, {
    minTtl: Math.ceil((3 * config.electionMs) / 2 / 1000),
    checkpointMs: config.leaseCheckpoint ? tuning.leaseCheckpointMs : 0,
    mutants: tuning.mutants,
  });
  let store: MvccStore | null = null;
  // Compaction and watchers that catch up: a slice a turn.
  const step = (): void => {
    try {
      if (store?.step()) env.timers.defer(step);
    } catch (err) {
      env.fatal(err as Error);
    }
  };
  loadTables(backend, membership, alarms, auth, (tablesError, clusterVersion) => {
    if (tablesError !== null) return cb(tablesError, null);
    // A cluster that has moved on to a version which this build does not know cannot be served by it.
    if (clusterVersion !== null && compareVersions(clusterVersion, ETCD_VERSION) > 0) {
      const text = `invalid downgrade; server version is lower than determined cluster version: ${ETCD_VERSION} < ${clusterVersion}`;
      return cb(new ConfigError(text), null);
    }
    const known = membership.get(log.metadata.nodeId)?.name ?? '';
    if (known !== '' && known !== config.name) {
      const owner = `${hex(log.metadata.nodeId)} of cluster ${hex(log.metadata.clusterId)}`;
      return cb(
        new ConfigError(`${config.dataDir} belongs to member "${known}" (${owner}), not "${config.name}"`),
        null,
      );
    }
    const folder = storeFolder(config.dataDir);
    const storeName = (): string | undefined => readKeelFile(env.disk, folder)?.store;
    const { flushedIndex: index, flushedTerm: term } = backend;
    const options = {
      leases: lessor,
      checkpoint: findCheckpoint(env, folder, storeName() ?? '', { index, term }),
      valueCacheBytes: tuning.valueCacheBytes,
      watchFragmentBytes: tuning.watchFragmentBytes,
      compactionSliceRows: config.compactionBatchLimit,
      compactionPause: pauseOf(env.timers, config.compactionSleepMs),
      mutants: tuning.mutants,
      wake: () => env.timers.defer(step),
      onError: (err: Error) => env.fatal(err),
    };
    openMvcc(backend, options, (mvccError, mvcc) => {
      if (mvccError !== null || mvcc === null) return cb(mvccError, null);
      store = mvcc;
      new IndexCheckpoint(env, folder, { backend, mvcc, storeName }, tuning);
      readLeases(backend, (leasesError, rows) => {
        if (leasesError !== null) return cb(leasesError, null);
        lessor.reset(backend, rows, mvcc.attachments(), env.clock.now());
        try {
          const { nodeId: memberId, clusterId } = log.metadata;
          const identity = {
            clusterId,
            memberId,
            version: ETCD_VERSION,
            minClusterVersion: MIN_CLUSTER_VERSION,
            peerUrls: config.advertisePeerUrls,
          };
          const hub = new NetPeerHub(env, identity, { ...linkTimes, pendingBytesMax: tuning.peerPendingBytesMax });
          const hardState = log.hardState ?? { term: 0, vote: 0n, commit: 0 };
          const raft = makeRaft(env, config, opened, hardState, backend);
          const member = new Member({
            env,
            config,
            clusterId,
            memberId,
            raft,
            wal: log.wal,
            backend,
            mvcc,
            lessor,
            membership,
            alarms,
            auth,
            tokens: makeTokens(config.authToken, config.authTokenTtlMs, env),
            hub,
            clusterVersion,
            commit: hardState.commit,
            uncertain: log.uncertain,
          });
          hub.handlers = member;
          cb(null, member);
        } catch (err) {
          cb(err as Error, null);
        }
      });
    });
  });
}

/** How a compaction waits between its slices; null: not at all. */
function pauseOf(timers: Env['timers'], ms: number): ((resume: () => void) => void) | null {
  return ms > 0 ? (resume) => timers.set(ms, resume) : null;
}

function makeRaft(
  env: Env,
  config: MemberConfig,
  { log }: Opened,
  hardState: { term: number; vote: bigint; commit: number },
  backend: StoredBackend,
): Raft {
  const { tuning } = config;
  const { appliedIndex, appliedTerm } = backend;
  // A store that a snapshot was just swapped into may be ahead of the log, whose record of it was not written yet.
  const commit = Math.max(hardState.commit, appliedIndex);
  const [oldest, ...older] = log.older;
  const trace = env.log.enabled('debug') ? (text: string): void => env.log.debug(text, { caller: 'raft' }) : null;
  const raft: Raft = new Raft({
    id: log.metadata.nodeId,
    electionTicks: Math.round(config.electionMs / config.heartbeatMs),
    heartbeatTicks: 1,
    rng: env.rng,
    preVote: config.preVote,
    maxAppendBytes: tuning.maxAppendBytes,
    maxInflightMessages: tuning.maxInflightMessages,
    maxCommittedBytesPerReady: tuning.maxCommittedBytesPerReady,
    initial: {
      hardState: { ...hardState, term: Math.max(hardState.term, appliedTerm), commit },
      confState: parseConfState(backend.confState),
      // Raft's log reaches back behind what is applied, so that a member that lags a little needs no snapshot.
      snapshotIndex: oldest?.index ?? appliedIndex,
      snapshotTerm: oldest?.term ?? appliedTerm,
      entries: [...older, ...log.entries],
      applied: appliedIndex,
      withholdVote: log.uncertain,
    },
    snapshotSource: () => ({
      index: backend.appliedIndex,
      term: backend.appliedTerm,
      confState: raft.confState,
    }),
    tracer: trace,
    mutants: raftMutants(tuning.mutants),
  });
  return raft;
}

/** Raft knows its own mutants only, and refuses a name that it does not know. */
function raftMutants(all: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(MUTANTS.filter((name) => all.has(name)));
}
