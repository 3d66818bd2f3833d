import { BackendError } from '../storage/backend/index.js';
import { WalError } from '../storage/wal/index.js';
import type { Disk } from '../util/env.js';

/** What of a member's folder is damaged: its log, or the store that is kept of it. */
export type DamagedPart = 'log' | 'store';

export interface Damage {
  readonly part: DamagedPart;
  /** The file meant, or the folder where none is. */
  readonly file: string;
  /** Byte offset in the file, or -1. */
  readonly offset: number;
  readonly reason: string;
}

/** A member that cannot be opened, and what can be done about it. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
  readonly code = 'ERR_DAMAGED';
  readonly damage: Damage;

  constructor(damage: Damage, wayOut: string) {
    super(`damaged ${damage.part}: ${where(damage)}: ${damage.reason}; ${wayOut}`);
    this.damage = damage;
  }
}

export function where({ file, offset }: Damage): string {
  return offset < 0 ? file : `${file} at byte ${offset}`;
}

/**
 * Does this error say that bytes on the disk are not those that were written? A disk that fails to read or write (EIO,
 * ENOSPC, a failed fsync) has damaged nothing that we know of, and what is a matter of configuration has not either.
 */
export function damageOf(err: Error, dataDir: string): Damage | null {
  if (err instanceof WalError) {
    if (err.code !== 'ERR_WAL_ROT' && err.code !== 'ERR_WAL_MISSING' && err.code !== 'ERR_WAL_GAP') return null;
    return { part: 'log', file: err.file || logFolder(dataDir), offset: err.offset, reason: err.reason };
  }
  if (err instanceof BackendError) {
    if (err.code !== 'ERR_CORRUPT' && err.code !== 'ERR_HOLE') return null;
    return { part: 'store', file: storeFolder(dataDir), offset: -1, reason: err.message };
  }
  return null;
}

export function memberFolder(dataDir: string): string {
  return `${dataDir}/member`;
}

export function logFolder(dataDir: string): string {
  return `${dataDir}/member/wal`;
}

export function storeFolder(dataDir: string): string {
  return `${dataDir}/member/keel`;
}

/** Says that damage of a part was found while the member ran, so that it is set aside at the next start. */
export function notePath(dataDir: string, part: DamagedPart): string {
  return `${memberFolder(dataDir)}/${part}.damaged`;
}

/**
 * Writes down that a part is damaged; the member stops next. A start need not find it by itself: not every row is read
 * then, and a log that lost its end may look whole. A disk that does not take the note is found out in another way.
 */
export function noteDamage(disk: Disk, dataDir: string, part: DamagedPart, reason: string): void {
  try {
    const file = disk.open(notePath(dataDir, part), { create: true });
    file.truncateSync(0);
    file.writeSync(0, Buffer.from(`${reason}\n`));
    file.syncSync();
    file.close();
    disk.fsyncDir(memberFolder(dataDir));
  } catch {
    // What is damaged fails its check whenever it is read again.
  }
}

export function readNote(disk: Disk, dataDir: string): Damage | null {
  for (const part of ['store', 'log'] as const) {
    const path = notePath(dataDir, part);
    const size = disk.size(path);
    if (size < 0) continue;
    const reason = disk.read(path, 0, Math.min(size, 4096)).toString().trim();
    const file = part === 'store' ? storeFolder(dataDir) : logFolder(dataDir);
    return { part, file, offset: -1, reason: reason || 'found while the member ran' };
  }
  return null;
}
