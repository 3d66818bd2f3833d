import { Wal } from '../storage/wal/index.js';
import type { Disk, Env } from '../util/env.js';
import { parseConfState } from './conf-changes.js';
import type { MemberConfig } from './config.js';
import type { Damage, DamagedPart } from './damage.js';
import { DamageError, damageOf, logFolder, memberFolder, notePath, readNote, storeFolder, where } from './damage.js';
import type { Member } from './member.js';

type OpenCallback = (err: Error | null, member: Member | null) => void;

/** What one attempt to open a folder has found out, for the next one. */
export interface Attempt {
  /** The store's configuration names voters beside us; null: no store has said so. */
  others: boolean | null;
}

const STOP = 'it was left as it is (--on-disk-damage=stop); move it away to have it repaired from the peers';
const ALONE =
  'a cluster of one voter has no peers to repair it from: restore it from a snapshot (keelutl snapshot restore)';
const VOTE =
  'and wal.synced cannot be read, so that nobody knows what this member has voted for: remove it from the cluster, empty its data folder and add it again';
const AGAIN = 'and what took its place is damaged too: is the disk failing?';

/**
 * Opens a member; what proves to be damaged is set aside, and the member goes on without it, to be caught up by its peers
 * (DESIGN.md, "Damaged disks"). Each part is replaced once at most.
 */
export function openRepairing(
  env: Env,
  config: MemberConfig,
  open: (attempt: Attempt, cb: OpenCallback) => void,
  cb: OpenCallback,
): void {
  const replaced = new Set<DamagedPart>();
  const again = (): void => {
    let noted: Damage | null;
    try {
      noted = readNote(env.disk, config.dataDir);
    } catch (err) {
      return cb(err as Error, null);
    }
    if (noted !== null) return repair(noted, { others: null });
    const attempt: Attempt = { others: null };
    open(attempt, (err, member) => {
      const damage = err === null ? null : damageOf(err, config.dataDir);
      if (damage === null) cb(err, member);
      else repair(damage, attempt);
    });
  };
  const repair = (damage: Damage, attempt: Attempt): void => {
    try {
      const parts = plan(env.disk, config, damage, attempt, replaced);
      if (typeof parts === 'string') return cb(new DamageError(damage, parts), null);
      setAside(env, config.dataDir, parts, damage);
      for (const part of parts) replaced.add(part);
    } catch (err) {
      return cb(err as Error, null);
    }
    env.timers.defer(again);
  };
  env.timers.defer(again);
}

/** @returns the parts to do without, or why nothing can be done */
function plan(
  disk: Disk,
  config: MemberConfig,
  damage: Damage,
  attempt: Attempt,
  replaced: ReadonlySet<DamagedPart>,
): readonly DamagedPart[] | string {
  const log = logFolder(config.dataDir);
  if (config.onDiskDamage === 'stop') return STOP;
  if (replaced.has(damage.part)) return AGAIN;
  // All that the store has is in the log, if that goes back to the first entry: then it takes nobody's help.
  if (damage.part === 'store' && Wal.isComplete(disk, log)) return ['store'];
  if (config.forceNewCluster || !(attempt.others ?? config.initialCluster.length > 1)) return ALONE;
  if (Wal.promise(disk, log) === null) return VOTE;
  return damage.part === 'log' ? ['log'] : ['store', 'log'];
}

/** Does the configuration of an open store name voters beside us? Null: it has none yet. */
export function othersIn(confState: Buffer | undefined, own: bigint | undefined): boolean | null {
  const { voters } = parseConfState(confState);
  return voters.length === 0 ? null : voters.some((id) => id !== own);
}

/** May a log that is gone be begun anew, as the second half of its repair? */
export function mayReplaceLog(config: MemberConfig, attempt: Attempt): boolean {
  return config.onDiskDamage === 'repair' && (attempt.others ?? config.initialCluster.length > 1);
}

/**
 * Moves parts of the folder to member/damaged-<n>, for whoever wants to look, or wants them back. A crash in between leaves
 * a folder with less in it, which the next start goes on to repair.
 */
function setAside(env: Env, dataDir: string, parts: readonly DamagedPart[], damage: Damage): void {
  const { disk } = env;
  const member = memberFolder(dataDir);
  const aside = `${member}/${nextName(disk.list(member))}`;
  disk.mkdirp(aside);
  const text = {
    'wall-ms': env.clock.wall(),
    part: damage.part,
    where: where(damage),
    reason: damage.reason,
  };
  bestEffort(() => write(disk, `${aside}/REASON`, Buffer.from(`${JSON.stringify(text)}\n`)));
  if (parts.includes('log')) {
    const mark = `${logFolder(dataDir)}.synced`;
    // A copy: the mark stays where it is, as it has our vote.
    bestEffort(() => write(disk, `${aside}/wal.synced`, disk.read(mark, 0, Math.max(0, disk.size(mark)))));
    if (disk.isDirectory(logFolder(dataDir))) disk.rename(logFolder(dataDir), `${aside}/wal`);
  }
  if (parts.includes('store') && disk.isDirectory(storeFolder(dataDir))) {
    disk.rename(storeFolder(dataDir), `${aside}/keel`);
  }
  // The new names first: a note that goes sooner than what it is about would be forgotten.
  disk.fsyncDir(aside);
  disk.fsyncDir(member);
  for (const part of parts) if (disk.size(notePath(dataDir, part)) >= 0) disk.unlink(notePath(dataDir, part));
  disk.fsyncDir(member);
  env.log.error('damaged data was set aside; this member is repaired from its log or from its peers', {
    caller: 'server/repair.ts',
    damaged: damage.part,
    file: damage.file,
    offset: damage.offset,
    reason: damage.reason,
    'set-aside': parts.join(' and '),
    to: aside,
  });
}

function nextName(names: readonly string[]): string {
  const used = names.map((name) => Number(/^damaged-(\d+)$/.exec(name)?.[1] ?? 0));
  return `damaged-${Math.max(0, ...used) + 1}`;
}

function write(disk: Disk, path: string, bytes: Buffer): void {
  const file = disk.open(path, { create: true });
  try {
    file.writeSync(0, bytes);
    file.syncSync();
  } finally {
    file.close();
  }
}

/** For what only a reader misses: a full disk must not keep a member from being repaired. */
function bestEffort(fn: () => void): void {
  try {
    fn();
  } catch {
    // Said in the log as well.
  }
}
