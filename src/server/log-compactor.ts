import type { Raft } from '../raft/index.js';
import type { StoredBackend } from '../storage/backend/index.js';
import type { Wal } from '../storage/wal/index.js';
import type { Logger } from '../util/log.js';
import { parseConfState } from './conf-changes.js';
import { walSnapshot } from './wal-snapshot.js';

export interface LogCompactorOptions {
  /** Entries applied between two compactions. */
  readonly snapshotCount: number;
  /** Entries that stay for members that lag. */
  readonly catchUpEntries: number;
  /** Bytes of entries in memory from which the log is cut more closely than that. */
  readonly logBytesMax: number;
}

/** Entries that stay however many bytes the log has. */
const CLOSE_CUT = 16;

/**
 * Cuts the raft log behind what is durable in the backend. First the flush, then the WAL's record of it, then memory
 * and old segments: at no moment does the disk miss an entry that the backend does not hold.
 */
export class LogCompactor {
  readonly #raft: Raft;
  readonly #backend: StoredBackend;
  readonly #wal: Wal;
  readonly #options: LogCompactorOptions;
  readonly #log: Logger;
  readonly #fatal: (err: Error) => void;
  #last: number;
  #busy = false;
  #stopped = false;

  constructor(parts: {
    raft: Raft;
    backend: StoredBackend;
    wal: Wal;
    options: LogCompactorOptions;
    log: Logger;
    fatal: (err: Error) => void;
  }) {
    this.#raft = parts.raft;
    this.#backend = parts.backend;
    this.#wal = parts.wal;
    this.#options = parts.options;
    this.#log = parts.log;
    this.#fatal = parts.fatal;
    this.#last = parts.backend.appliedIndex;
  }

  /** Called after each apply. */
  check(): void {
    if (this.#busy) return;
    const due = this.#backend.appliedIndex - this.#last >= this.#options.snapshotCount;
    if (!due && !this.#tooBig()) return;
    this.#busy = true;
    this.#backend.flush((flushError) => {
      if (this.#stopped) return;
      if (flushError !== null) return this.#fatal(flushError);
      const { flushedIndex: index, flushedTerm: term } = this.#backend;
      const confState = parseConfState(this.#backend.flushedConfState);
      this.#wal.saveSnapshot(walSnapshot({ index, term, confState }), (err) => {
        if (err !== null) return this.#fatal(err);
        if (this.#stopped) return;
        this.#cut(index);
        this.#busy = false;
      });
    });
  }

  /** The log is about to be closed: a flush that is under way stays a flush. */
  stop(): void {
    this.#stopped = true;
  }

  #tooBig(): boolean {
    const { logBytes, appliedIndex, firstIndex } = this.#raft;
    return logBytes > this.#options.logBytesMax && appliedIndex - firstIndex > 2 * CLOSE_CUT;
  }

  #cut(index: number): void {
    this.#last = index;
    // Half of it stays: a follower that is a moment behind must not need a snapshot each time.
    const half = Math.max(CLOSE_CUT, Math.ceil((index - this.#raft.firstIndex) / 2));
    const keep = this.#tooBig() ? Math.min(half, this.#options.catchUpEntries) : this.#options.catchUpEntries;
    const to = index - keep;
    if (to >= this.#raft.firstIndex) this.#raft.compact(to);
    this.#wal.release(index);
    this.#log.info('saved snapshot', { 'snapshot-index': index });
  }
}
