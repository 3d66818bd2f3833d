import { dirname } from 'node:path';
import { encodeRevision } from '../mvcc/index.js';
import type { StoredBackend } from '../storage/backend/index.js';
import { Bucket, openBackend } from '../storage/backend/index.js';
import type { BboltReader } from '../storage/bbolt/index.js';
import { bucketNumber, fileStatus, mustKnownVersion, mustReadable } from '../storage/bbolt/index.js';
import { Wal } from '../storage/wal/index.js';
import type { Env } from '../util/env.js';
import { hex } from '../util/hex.js';
import { STORAGE_VERSION } from '../util/versions.js';
import { ConfChange, entryWire } from '../wire/index.js';
import type { Bootstrap } from './bootstrap.js';
import { bootstrapNew } from './bootstrap.js';
import { confStateJson } from './conf-changes.js';
import type { InitialMember, MemberConfig } from './config.js';
import { ConfigError, memberDefaults } from './config.js';
import { MemberRecord } from './member-record.js';
import { walSnapshot } from './wal-snapshot.js';

export interface RestoreOptions {
  /** Must be empty, or not there. */
  readonly dataDir: string;
  readonly name: string;
  readonly initialCluster: readonly InitialMember[];
  readonly initialClusterToken: string;
  readonly advertisePeerUrls: readonly string[];
  /**
   * Added to the newest revision, which is then marked compacted: who watches from a revision that a client had seen
   * before hears that it is gone. 0: neither.
   */
  readonly bumpRevision: number;
}

export interface Restored {
  readonly memberId: bigint;
  readonly clusterId: bigint;
  readonly members: readonly MemberRecord[];
  /** The newest revision, bumped if that was asked for. */
  readonly revision: number;
  /** Buckets that etcd has not, which were left out. */
  readonly skipped: readonly string[];
}

type RestoreCallback = (err: Error | null, restored: Restored | null) => void;

/** What the new cluster has of its own. */
const OWN_META = new Set(['consistent_index', 'term', 'confState', 'storageVersion']);
const OWN_BUCKETS = new Set(['members', 'members_removed', 'cluster']);
const SCHEDULED_COMPACT = Buffer.from('scheduledCompactRev');

/** Rows put in one turn, and their bytes. */
const SLICE_ROWS = 1000;
const SLICE_BYTES = 1 << 20;

/**
 * Makes a member's folder of a database file of etcd's: a new logical cluster of the initial members that has the
 * file's keys, revisions, leases, users, roles and alarms (etcd operations §5.6). Its log has one configuration change a
 * member, committed in term 1, and its applied index is the last of them. Each member of the new cluster is restored
 * from the same file with the same initial cluster.
 *
 * The file is read once to check it before anything is written, which blocks. The folder is made beside its place and
 * gets its name, `<data-dir>/member`, when it is complete and durable.
 */
export function restoreMember(env: Env, options: RestoreOptions, reader: BboltReader, cb: RestoreCallback): void {
  let plan: Plan;
  try {
    plan = makePlan(options, reader);
    mustBeEmpty(env, options.dataDir);
  } catch (err) {
    return env.timers.defer(() => cb(err as Error, null));
  }
  const making = makingFolder(options.dataDir);
  const fail = (err: Error): void => {
    env.disk.removeTree(making);
    cb(err, null);
  };
  try {
    env.disk.removeTree(making);
    env.disk.mkdirp(making);
  } catch (err) {
    return env.timers.defer(() => fail(err as Error));
  }
  writeRows(env, making, plan, reader, (rowsError) => {
    if (rowsError !== null) return fail(rowsError);
    writeLog(env, making, plan, (logError) => {
      if (logError !== null) return fail(logError);
      try {
        env.disk.fsyncDir(making);
        env.disk.rename(making, `${options.dataDir}/member`);
        env.disk.fsyncDir(options.dataDir);
        env.disk.fsyncDir(dirname(options.dataDir));
      } catch (err) {
        return fail(err as Error);
      }
      cb(null, plan);
    });
  });
}

interface Plan extends Restored {
  readonly boot: Bootstrap;
  readonly confState: { readonly voters: bigint[]; readonly learners: bigint[] };
  readonly bump: number;
}

/** @throws ConfigError, BboltError */
function makePlan(options: RestoreOptions, reader: BboltReader): Plan {
  const { name, dataDir, initialCluster, initialClusterToken, advertisePeerUrls, bumpRevision } = options;
  const names = { name, dataDir, initialCluster, initialClusterToken, advertisePeerUrls };
  const config: MemberConfig = { ...memberDefaults(name), ...names };
  const boot = bootstrapNew(config);
  const status = fileStatus(reader);
  mustKnownVersion(status.version, STORAGE_VERSION);
  const skipped: string[] = [];
  for (const bucket of reader.buckets()) {
    if (bucketNumber(bucket.name) === 0) skipped.push(bucket.name);
    else for (const [key, value] of bucket.rows()) mustReadable(bucket.name, key, value);
  }
  const revision = status.revision + bumpRevision;
  if (!Number.isSafeInteger(revision)) throw new ConfigError(`the revision would be beyond 2^53: ${revision}`);
  const members = boot.entries.map((entry) => MemberRecord.parse(ConfChange.decode(entry.data).context.toString()));
  return {
    memberId: boot.memberId,
    clusterId: boot.clusterId,
    members,
    revision,
    skipped,
    boot,
    confState: { voters: members.map((member) => member.id), learners: [] },
    bump: bumpRevision,
  };
}

/** Where a folder is made that is not complete. One that a crash left behind is in nobody's way. */
function makingFolder(dataDir: string): string {
  return `${dataDir}/member.restoring`;
}

/** @throws ConfigError in etcdutl's words */
export function mustBeEmpty(env: Pick<Env, 'disk'>, dataDir: string): void {
  if (env.disk.size(dataDir) >= 0 && !env.disk.isDirectory(dataDir)) throw notEmpty(dataDir);
  const names = env.disk.list(dataDir).filter((entry) => `${dataDir}/${entry}` !== makingFolder(dataDir));
  if (names.length > 0) throw notEmpty(dataDir);
}

function notEmpty(dataDir: string): ConfigError {
  return new ConfigError(`data-dir ${JSON.stringify(dataDir)} not empty or could not be read`);
}

function writeRows(env: Env, making: string, plan: Plan, reader: BboltReader, cb: (err: Error | null) => void): void {
  const owner = { memberId: plan.memberId, clusterId: plan.clusterId };
  openBackend(env, `${making}/keel`, { owner }, (openError, backend) => {
    if (openError !== null || backend === null) return cb(openError);
    let isOver = false;
    const fail = (err: Error): void => {
      if (isOver) return;
      isOver = true;
      backend.close(() => cb(err));
    };
    const rows = wantedRows(reader);
    const slice = (): void => {
      if (isOver) return;
      try {
        if (backend.full) {
          backend.onDrain = () => {
            backend.onDrain = null;
            slice();
          };
          return;
        }
        if (putSlice(backend, rows)) return env.timers.defer(slice);
        putOwn(backend, plan);
      } catch (err) {
        return fail(err as Error);
      }
      backend.flush((flushError) => {
        if (flushError !== null || isOver) return fail(flushError ?? new Error('restore: closed'));
        isOver = true;
        backend.close((closeError) => cb(closeError));
      });
    };
    backend.onError = fail;
    env.timers.defer(slice);
  });
}

/** @returns whether there may be more */
function putSlice(backend: StoredBackend, rows: Generator<readonly [Bucket, Buffer, Buffer]>): boolean {
  for (let count = 0, bytes = 0; count < SLICE_ROWS && bytes < SLICE_BYTES; count++) {
    const next = rows.next();
    if (next.done) {
      backend.endLocal();
      return false;
    }
    const [bucket, key, value] = next.value;
    // The file's buffers are views of whole pages: kept ones would hold those.
    backend.put(bucket, Buffer.from(key), Buffer.from(value), true);
    bytes += key.length + value.length;
  }
  backend.endLocal();
  return true;
}

function* wantedRows(reader: BboltReader): Generator<readonly [Bucket, Buffer, Buffer]> {
  for (const bucket of reader.buckets()) {
    const number = bucketNumber(bucket.name);
    if (number === 0 || OWN_BUCKETS.has(bucket.name)) continue;
    for (const [key, value] of bucket.rows()) {
      if (bucket.name === 'meta' && OWN_META.has(key.toString('latin1'))) continue;
      yield [number as Bucket, key, value];
    }
  }
}

/** The members, the bump, and where the log is. */
function putOwn(backend: StoredBackend, plan: Plan): void {
  for (const member of plan.members) {
    backend.put(Bucket.members, Buffer.from(hex(member.id)), Buffer.from(member.json()), true);
  }
  if (plan.bump > 0) {
    // As etcdutl has it: a row of no key at all, so that the newest revision is there to be found, and hashes agree.
    const revision = encodeRevision(plan.revision, 0, false);
    backend.put(Bucket.key, revision, Buffer.alloc(0), true);
    backend.put(Bucket.meta, SCHEDULED_COMPACT, revision);
  }
  backend.setConfState(Buffer.from(confStateJson(plan.confState)));
  const last = plan.boot.entries.at(-1)!;
  backend.setApplied(last.index, last.term);
}

function writeLog(env: Env, making: string, plan: Plan, cb: (err: Error | null) => void): void {
  const { entries } = plan.boot;
  let wal: Wal;
  try {
    wal = Wal.create(env.disk, `${making}/wal`, { nodeId: plan.memberId, clusterId: plan.clusterId });
  } catch (err) {
    return env.timers.defer(() => cb(err as Error));
  }
  const { index, term } = entries.at(-1)!;
  for (const entry of entries) entryWire(entry);
  // The vote is the first member's, as etcdutl has it: nobody may get another one in term 1.
  const hardState = { term, vote: plan.members[0]!.id, commit: index };
  wal.save(hardState, entries as never, true, (saveError) => {
    if (saveError !== null) return wal.close(() => cb(saveError));
    wal.saveSnapshot(walSnapshot({ index, term, confState: plan.confState }), (snapError) => {
      wal.close((closeError) => cb(snapError ?? closeError));
    });
  });
}
