import type { CheckpointWalk, MvccStore } from '../mvcc/index.js';
import type { StoredBackend } from '../storage/backend/index.js';
import type { Disk, DiskFile, Env, TimerHandle } from '../util/env.js';
import type { Logger } from '../util/log.js';
import type { CheckpointHeader } from './checkpoint-file.js';
import { BLOCKS_AT, checkpointPath, frameOf, headerBytes, partPath } from './checkpoint-file.js';

/** A slice is written and synced before the next: the log waits in the same queue of the disk. */
const SLICE_BYTES = 256 << 10;
const SLICE_PAUSE_MS = 10;
const LOOK_MS = 1000;
/** Rows that come in a second while nothing much is going on. */
const QUIET_ROWS = 200;
/** Looks in a row that have to be quiet. */
const QUIET_LOOKS = 2;

export interface CheckpointTuning {
  /** Rows behind the last one from which another is worth its while. */
  readonly checkpointRows: number;
  /** Between two of them where it is never quiet, ms. */
  readonly checkpointIntervalMs: number;
}

/**
 * Writes the key index beside the store now and then, so that a restart reads the rows behind it alone: when it is quiet,
 * else at an interval. It is never needed: a crash at any point leaves the last one, or none, and a failure is logged and
 * tried again later.
 */
export class IndexCheckpoint {
  readonly #env: Env;
  readonly #disk: Disk;
  readonly #log: Logger;
  readonly #dir: string;
  readonly #backend: StoredBackend;
  readonly #mvcc: MvccStore;
  readonly #storeName: () => string | undefined;
  readonly #tuning: CheckpointTuning;
  #timer: TimerHandle | null = null;
  #busy = false;
  #rowsBefore: number;
  #quietLooks = 0;
  #lastAt: number;

  /** @param storeName of the store that is the current one */
  constructor(
    env: Env,
    dir: string,
    parts: { backend: StoredBackend; mvcc: MvccStore; storeName: () => string | undefined },
    tuning: CheckpointTuning,
  ) {
    this.#env = env;
    this.#disk = env.disk;
    this.#log = env.log.with({ caller: 'server/index-checkpoint.ts' });
    this.#dir = dir;
    this.#backend = parts.backend;
    this.#mvcc = parts.mvcc;
    this.#storeName = parts.storeName;
    this.#tuning = tuning;
    this.#rowsBefore = parts.mvcc.newRows;
    this.#lastAt = env.clock.now();
    parts.mvcc.onClose = () => {
      if (this.#timer !== null) env.timers.clear(this.#timer);
      this.#timer = null;
    };
    this.#arm();
  }

  #arm(): void {
    const everyMs = Math.min(LOOK_MS, this.#tuning.checkpointIntervalMs);
    this.#timer = this.#env.timers.set(everyMs, () => {
      this.#look();
      if (!this.#mvcc.closed) this.#arm();
    });
  }

  #look(): void {
    const rows = this.#mvcc.newRows;
    const quiet = rows - this.#rowsBefore < QUIET_ROWS;
    this.#rowsBefore = rows;
    this.#quietLooks = quiet ? this.#quietLooks + 1 : 0;
    if (this.#busy || rows < this.#tuning.checkpointRows) return;
    const due = this.#env.clock.now() - this.#lastAt >= this.#tuning.checkpointIntervalMs;
    if (due || this.#quietLooks >= QUIET_LOOKS) this.#begin();
  }

  #begin(): void {
    const store = this.#nameOfStore();
    const walk = store === undefined ? null : this.#mvcc.checkpoint();
    if (store === undefined || walk === null) return;
    this.#busy = true;
    let file: DiskFile;
    try {
      const path = partPath(this.#dir);
      if (this.#disk.size(path) >= 0) this.#disk.unlink(path);
      file = this.#disk.open(path, { create: true });
    } catch (err) {
      walk.close();
      return this.#over((err as Error).message);
    }
    new Writing(this.#env, file, walk, this.#mvcc, this.#backend, (header, done) => {
      if (header === null) return this.#over(done);
      const whole = { ...header, store };
      const failed = (problem: string): void => {
        file.close();
        this.#over(problem);
      };
      if (this.#nameOfStore() !== store) return failed('the store was replaced meanwhile');
      file.write(0, [headerBytes(whole)]);
      file.sync((err) => {
        if (err !== null) return failed(err.message);
        file.rename(checkpointPath(this.#dir, store));
        file.syncDir();
        file.sync((nameError) => {
          file.close();
          if (nameError !== null) return this.#over(nameError.message);
          this.#mvcc.checkpointed(header.rows);
          this.#rowsBefore = this.#mvcc.newRows;
          this.#over(null);
          this.#log.info('wrote an index checkpoint', { revision: header.revision, bytes: header.bytes });
        });
      });
    }).next();
  }

  /** Undefined where that cannot be read now: there will be no checkpoint then. */
  #nameOfStore(): string | undefined {
    try {
      return this.#storeName();
    } catch {
      return undefined;
    }
  }

  #over(problem: string | null): void {
    this.#busy = false;
    this.#lastAt = this.#env.clock.now();
    if (problem !== null) this.#log.warn('could not write an index checkpoint', { reason: problem });
  }
}

type Written = Omit<CheckpointHeader, 'store'> & { rows: number };

/** One checkpoint on its way to the disk. */
class Writing {
  readonly #env: Env;
  readonly #file: DiskFile;
  readonly #walk: CheckpointWalk;
  readonly #mvcc: MvccStore;
  readonly #backend: StoredBackend;
  readonly #cb: (written: Written | null, problem: string | null) => void;
  readonly #rows: number;
  #at = BLOCKS_AT;

  constructor(
    env: Env,
    file: DiskFile,
    walk: CheckpointWalk,
    mvcc: MvccStore,
    backend: StoredBackend,
    cb: (written: Written | null, problem: string | null) => void,
  ) {
    this.#env = env;
    this.#file = file;
    this.#walk = walk;
    this.#mvcc = mvcc;
    this.#backend = backend;
    this.#cb = cb;
    this.#rows = mvcc.newRows;
  }

  next(): void {
    if (this.#mvcc.closed || this.#walk.abandoned) return this.#fail(null);
    const block = this.#walk.next(SLICE_BYTES);
    if (block === null) return this.#flush();
    const frame = frameOf(block);
    this.#file.write(this.#at, [frame]);
    this.#at += frame.length;
    this.#file.sync((err) => {
      if (err !== null) return this.#fail(err.message);
      this.#env.timers.set(SLICE_PAUSE_MS, () => this.next());
    });
  }

  /** Its facts hold for a store that has at least all that the walk has seen. */
  #flush(): void {
    const { appliedIndex: applied, appliedTerm: term } = this.#backend;
    this.#walk.close();
    this.#backend.flush((err) => {
      if (err !== null || this.#walk.abandoned || this.#mvcc.closed) return this.#fail(null);
      const { revision, compacted } = this.#walk;
      this.#cb({ applied, term, revision, compacted, bytes: this.#at - BLOCKS_AT, rows: this.#rows }, null);
    });
  }

  #fail(problem: string | null): void {
    this.#walk.close();
    this.#file.close();
    this.#cb(null, problem);
  }
}
