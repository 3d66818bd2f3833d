import type { Disk, IoCallback } from '../../util/env.js';
import type { WalEntry, WalHardState, WalIdentity, WalOpened, WalOptions, WalPoint, WalSnapshot } from './types.js';

/**
 * The write-ahead log of one member, in etcd's format (DESIGN.md).
 *
 * Calls are queued: several saves may be in flight, their callbacks come in the order of the calls, each with the first
 * error of the log or null. After an error the log takes nothing any more: the owner stops the member (`Env.fatal`).
 */
export class Wal {
  /** True if `dir` holds a log. */
  static exists(_disk: Disk, _dir: string): boolean {
    throw new Error('not yet');
  }

  /**
   * Makes an empty log; the folder and its first segment are durable on return.
   * @throws WalError ERR_WAL_EXISTS; an IoError of the disk
   */
  static create(_disk: Disk, _dir: string, _identity: WalIdentity, _options: WalOptions = {}): Wal {
    throw new Error('not yet');
  }

  /**
   * Reads the log behind `from` (entries up to and including `from.index` are skipped), repairs a torn tail, and makes
   * everything that it returns durable. `from` is the backend's applied index and term; {0, 0} reads all.
   * @throws WalError ERR_WAL_MISSING, ERR_WAL_ROT, ERR_WAL_GAP; an IoError of the disk
   */
  static open(_disk: Disk, _dir: string, _from: WalPoint, _options: WalOptions = {}): WalOpened<Wal> {
    throw new Error('not yet');
  }

  /**
   * Appends entries and then the hard state, in one write. An entry may replace one of the same or a higher index; all
   * behind it fall away then. The entries' `wire` belongs to the log until the callback.
   * @param hardState null: unchanged
   * @param sync true where entries, term or vote changed: the callback then means that all is durable. False: that
   *   the system has it.
   */
  save(_hardState: WalHardState | null, _entries: readonly WalEntry[], _sync: boolean, _cb: IoCallback): void {
    throw new Error('not yet');
  }

  /** Records that the log is no longer needed up to `snapshot.index`, or was replaced by a snapshot there. Synced. */
  saveSnapshot(_snapshot: WalSnapshot, _cb: IoCallback): void {
    throw new Error('not yet');
  }

  /** Deletes whole segments that hold nothing above `index`, but keeps at least `maxWals` of them. */
  release(_index: number): void {
    throw new Error('not yet');
  }

  /** Syncs what is queued and closes the files. Calls back once, with the log's first error or null. */
  close(_cb: IoCallback): void {
    throw new Error('not yet');
  }

  /** Why the log takes nothing any more, or null. */
  get failed(): Error | null {
    return null;
  }
}
