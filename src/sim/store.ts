import { assert } from '../util/assert.js';
import type {
  Disk,
  IoCallback,
  IoError,
  KvBatch,
  KvOpenOptions,
  KvRange,
  KvRow,
  KvScan,
  KvSnapshot,
  KvStore,
  KvStores,
} from '../util/env.js';
import type { Rng } from '../util/rng.js';
import type { SimOp, SimRow } from './store-rows.js';
import { SimRows } from './store-rows.js';

/** Times are [least, most] in virtual microseconds, each value in between equally likely. */
export interface SimLevelOptions {
  /** A log is switched when it holds more bytes than this. */
  readonly writeBufferBytes: number;
  readonly readUs: readonly [number, number];
  /** Append to the log, without sync. */
  readonly writeUs: readonly [number, number];
  readonly syncUs: readonly [number, number];
  /** From a switched log to a durable table. */
  readonly compactUs: readonly [number, number];
  /**
   * A synced write also fsyncs the folder, as our LevelDB store does. False is plain LevelDB: the name of a new log
   * is durable only with the next change of the MANIFEST.
   */
  readonly dirSync: boolean;
}

const DEFAULTS: SimLevelOptions = {
  writeBufferBytes: 16 << 10,
  readUs: [20, 200],
  writeUs: [10, 100],
  syncUs: [200, 4_000],
  compactUs: [1_000, 20_000],
  dirSync: true,
};

export type SimFault = 'open' | 'read' | 'write' | 'sync';

export interface SimLevelDeps {
  /** Calls `fn` after `delayUs` of virtual time; never within this call. */
  schedule(delayUs: number, fn: () => void): void;
  rng: Rng;
  /** The member's disk: it has the folders' names, so that listing, removing and losing them is its business. */
  disk: Disk;
  options?: Partial<SimLevelOptions>;
}

/** One log file. Batches up to `synced` are on the platter; so is its name, or not. */
interface Log {
  batches: SimOp[][];
  bytes: number;
  synced: number;
  nameDurable: boolean;
}

/** What one store folder is on disk. */
interface Folder {
  /** Rows in tables, durable. */
  tables: SimRows;
  /** Oldest first; more than one between a switch and the end of its compaction. */
  logs: Log[];
}

/**
 * LevelDB 1.20 in virtual time, as far as a program can tell (db_impl.cc):
 *
 * - a batch is one log record: it survives whole or not at all;
 * - only a synced write fsyncs the log, and only the current one: at a switch the old log is closed without an
 *   fsync, so a power cut may lose its end and keep the whole of the next log: a hole;
 * - a recovered log skips what does not read back and goes on behind it: another hole;
 * - the name of a new log is durable after an fsync of the folder, which LevelDB does only with the MANIFEST;
 * - a table is durable with its MANIFEST record, then its log goes; one compaction at a time, and a full buffer waits
 *   for the one before; opening writes all logs to tables;
 * - after a failed write or sync every later write fails;
 * - block checksums are not verified: rot is served as it is.
 */
export class SimLevel implements KvStores {
  readonly options: SimLevelOptions;
  readonly #deps: SimLevelDeps;
  readonly #folders = new Map<string, Folder>();
  readonly #open = new Map<string, SimStore>();
  #tokens = 0;
  #faults: { what: SimFault; code: string; after: number }[] = [];

  constructor(deps: SimLevelDeps) {
    this.#deps = deps;
    this.options = { ...DEFAULTS, ...deps.options };
  }

  open(dir: string, { create }: KvOpenOptions, cb: (err: Error | null, store: KvStore | null) => void): void {
    const epoch = this.#epoch;
    this.after(this.options.readUs, () => {
      if (epoch !== this.#epoch) return;
      const err = this.fault('open') ?? (this.#open.has(dir) ? ioError('ERR_LOCKED', `${dir} is open`) : null);
      if (err !== null) return cb(err, null);
      let folder: Folder | undefined;
      try {
        folder = this.#find(dir) ?? (create ? this.#create(dir) : undefined);
      } catch (diskError) {
        return cb(diskError as Error, null);
      }
      if (folder === undefined) return cb(ioError('ERR_MISSING', `there is no store in ${dir}`), null);
      // Recovery: what the logs hold goes to tables, and the MANIFEST is fsynced with the folder.
      folder.tables = rowsOf(folder);
      folder.logs = [newLog(true)];
      const store = new SimStore(this, folder, () => this.#open.delete(dir));
      this.#open.set(dir, store);
      cb(null, store);
    });
  }

  /** The machine loses power: programs end, and of each folder only what is durable remains, and some of the rest. */
  crash(): void {
    this.kill();
    for (const folder of this.#folders.values()) this.#losePower(folder);
  }

  /** The process ends at once; what it had handed to the system stays. */
  kill(): void {
    this.#epoch++;
    for (const store of this.#open.values()) store.die();
    this.#open.clear();
    this.#faults = [];
  }
  #epoch = 0;

  #losePower(folder: Folder): void {
    const { rng } = this.#deps;
    for (const log of folder.logs) {
      if (!log.nameDurable && rng.chance(1, 2)) {
        log.batches = [];
        continue;
      }
      const unsynced = log.batches.splice(log.synced);
      let kept: SimOp[][];
      switch (rng.below(4)) {
        case 0:
          kept = [];
          break;
        case 1:
          kept = unsynced;
          break;
        case 2:
          kept = unsynced.slice(0, rng.below(unsynced.length + 1));
          break;
        default:
          kept = unsynced.filter(() => rng.chance(1, 2));
      }
      for (const batch of kept) log.batches.push(batch);
      log.synced = log.batches.length;
      log.nameDurable = true;
    }
  }

  /** The (`after` + 1)-th next operation of this kind fails, once; the store that it hits stays broken for writes. */
  failNext(what: SimFault, code: string, after = 0): void {
    this.#faults.push({ what, code, after });
  }

  /** Takes back what was set and has not happened. */
  clearFaults(): void {
    this.#faults = [];
  }

  /** Flips one bit of a random row under `prefix` in the folder, silently. @returns the row's key, if there is one */
  rot(dir: string, prefix: Buffer = Buffer.alloc(0)): Buffer | undefined {
    const { rng } = this.#deps;
    const some = this.#rowsOf(dir).filter(
      (row) => row.key.subarray(0, prefix.length).equals(prefix) && row.value.length > 0,
    );
    if (some.length === 0) return undefined;
    const row = rng.pick(some);
    const flipped = Buffer.from(row.value);
    const at = rng.below(flipped.length);
    flipped[at] = flipped[at]! ^ (1 << rng.below(8));
    row.value = flipped;
    return row.key;
  }

  /**
   * Changes the stored value of a random row under `prefix`, silently, whether the store is open or not.
   * @param change given the value, and that of another row there
   * @returns the row's key, if there is one
   */
  damage(dir: string, prefix: Buffer, change: (value: Buffer, other: Buffer) => Buffer): Buffer | undefined {
    const { rng } = this.#deps;
    const some = this.#rowsOf(dir).filter((row) => row.key.subarray(0, prefix.length).equals(prefix));
    if (some.length === 0) return undefined;
    const at = rng.below(some.length);
    const row = some[at]!;
    row.value = change(Buffer.from(row.value), Buffer.from(some[(at + 1) % some.length]!.value));
    return row.key;
  }

  /** Keys of a folder's rows as the next open would find them without a crash; for tests. */
  peek(dir: string): Buffer[] {
    return this.#rowsOf(dir).map((row) => row.key);
  }

  /** What `peek` has found, as it is stored. */
  value(dir: string, key: Buffer): Buffer | undefined {
    const folder = this.#find(dir);
    return folder === undefined ? undefined : rowsOf(folder).get(key);
  }

  #rowsOf(dir: string): readonly SimRow[] {
    const folder = this.#find(dir);
    return folder === undefined ? [] : [...rowsOf(folder)];
  }

  /** @internal */
  after([least, most]: readonly [number, number], fn: () => void): void {
    this.#deps.schedule(this.#deps.rng.between(least, most), fn);
  }

  /** @internal */
  fault(what: SimFault): IoError | null {
    const i = this.#faults.findIndex((f) => f.what === what);
    if (i < 0) return null;
    const f = this.#faults[i]!;
    if (f.after-- > 0) return null;
    this.#faults.splice(i, 1);
    return ioError(f.code, `injected failure of ${what}`);
  }

  /** A folder's CURRENT names its state here; a folder that is removed, or whose name is lost, is gone with it. */
  #find(dir: string): Folder | undefined {
    const { disk } = this.#deps;
    const path = `${dir}/CURRENT`;
    const size = disk.size(path);
    return size < 0 ? undefined : this.#folders.get(disk.read(path, 0, size).toString());
  }

  #create(dir: string): Folder {
    const { disk } = this.#deps;
    const token = `store-${++this.#tokens}`;
    const folder: Folder = { tables: SimRows.EMPTY, logs: [] };
    disk.mkdirp(dir);
    const file = disk.open(`${dir}/CURRENT`, { create: true });
    file.writeSync(0, Buffer.from(token));
    file.syncSync();
    file.close();
    disk.fsyncDir(dir);
    disk.fsyncDir(dir.slice(0, dir.lastIndexOf('/')));
    this.#folders.set(token, folder);
    return folder;
  }
}

/** Something that changes the log, in order; calls `done` when the next may begin. */
type Job = (done: () => void) => void;

class SimStore implements KvStore {
  readonly #sim: SimLevel;
  readonly #folder: Folder;
  readonly #unlock: () => void;
  /** What a read sees; never changed in place. */
  #rows: SimRows;
  #jobs: Job[] = [];
  #working = false;
  #dead = false;
  #closing: IoCallback | null = null;
  #children = 0;
  #broken: IoError | null = null;

  constructor(sim: SimLevel, folder: Folder, unlock: () => void) {
    this.#sim = sim;
    this.#folder = folder;
    this.#unlock = unlock;
    this.#rows = folder.tables;
  }

  /** The process is gone: nothing that is under way calls back. */
  die(): void {
    this.#dead = true;
    this.#jobs = [];
  }

  getSync(key: Buffer): Buffer | undefined {
    this.#mustBeOpen();
    const err = this.#sim.fault('read');
    if (err !== null) throw err;
    return this.#rows.get(key);
  }

  getMany(keys: Buffer[], cb: (err: Error | null, values: (Buffer | undefined)[]) => void): void {
    this.#mustBeOpen();
    const rows = this.#rows;
    this.#children++;
    this.#after(this.#sim.options.readUs, () => {
      const err = this.#sim.fault('read');
      const values = err === null ? keys.map((key) => rows.get(key)) : [];
      this.#childClosed();
      cb(err, values);
    });
  }

  newBatch(): KvBatch {
    this.#mustBeOpen();
    const ops: SimOp[] = [];
    let bytes = 0;
    let written = false;
    return {
      put: (key, val) => {
        ops.push({ id: key.toString('latin1'), key: Buffer.from(key), value: Buffer.from(val) });
        bytes += key.length + val.length + 8;
      },
      del: (key) => {
        ops.push({ id: key.toString('latin1'), key: Buffer.from(key), value: null });
        bytes += key.length + 8;
      },
      write: ({ sync }, cb) => {
        this.#mustBeOpen();
        assert(!written, 'a batch is written once');
        written = true;
        this.#job((done) => this.#write(ops, bytes, sync, done, cb));
      },
    };
  }

  #write(ops: SimOp[], bytes: number, sync: boolean, done: () => void, cb: IoCallback): void {
    const { options } = this.#sim;
    this.#makeRoom(() => {
      this.#after(options.writeUs, () => {
        const finish = (err: IoError | null): void => {
          this.#broken ??= err;
          done();
          cb(err);
        };
        const err = this.#broken ?? this.#sim.fault('write');
        if (err !== null) return finish(err);
        const log = this.#log();
        log.batches.push(ops);
        log.bytes += bytes;
        this.#rows = this.#rows.with(ops);
        if (!sync) return finish(null);
        this.#after(options.syncUs, () => {
          const syncErr = this.#sim.fault('sync');
          if (syncErr !== null) return finish(syncErr);
          log.synced = log.batches.length;
          if (options.dirSync) for (const l of this.#folder.logs) l.nameDurable = true;
          finish(null);
        });
      });
    });
  }

  /** Switches the log when it is full; a switch waits for the compaction of the one before. */
  #makeRoom(then: () => void): void {
    if (this.#log().bytes <= this.#sim.options.writeBufferBytes) return then();
    this.#switch(then, () => {});
  }

  #switch(switched: () => void, compacted: () => void): void {
    const { logs } = this.#folder;
    if (logs.length > 1) {
      this.#after(this.#sim.options.writeUs, () => this.#switch(switched, compacted));
      return;
    }
    logs.push(newLog(false));
    // There is one older log only, and all of it has been applied.
    const rows = this.#rows;
    this.#after(this.#sim.options.compactUs, () => {
      logs.shift();
      this.#folder.tables = rows;
      // The MANIFEST is fsynced, and with it the folder.
      this.#log().nameDurable = true;
      compacted();
    });
    switched();
  }

  #log(): Log {
    return this.#folder.logs[this.#folder.logs.length - 1]!;
  }

  scan(range: KvRange): KvScan {
    this.#mustBeOpen();
    return this.#scan(this.#rows, range);
  }

  snapshot(): KvSnapshot {
    this.#mustBeOpen();
    const rows = this.#rows;
    this.#children++;
    let open = true;
    return {
      scan: (range) => {
        assert(open, 'the snapshot is closed');
        return this.#scan(rows, range);
      },
      close: () => {
        if (!open) return;
        open = false;
        this.#childClosed();
      },
    };
  }

  #scan(all: SimRows, { gte, lt }: KvRange): KvScan {
    const cursor = all.cursor(gte, lt);
    let open = true;
    this.#children++;
    return {
      next: (n, cb) => {
        this.#after(this.#sim.options.readUs, () => {
          if (!open) return cb(ioError('ERR_CLOSED', 'the scan is closed'), []);
          const err = this.#sim.fault('read');
          if (err !== null) return cb(err, []);
          const some: KvRow[] = [];
          while (some.length < n) {
            const row = cursor();
            if (row === undefined) break;
            some.push([Buffer.from(row.key), Buffer.from(row.value)]);
          }
          cb(null, some);
        });
      },
      close: () => {
        if (!open) return;
        open = false;
        this.#childClosed();
      },
    };
  }

  /** Rows need no reclaiming here; what counts is that the log's rows are in a table afterwards. */
  compactRange(_gte: Buffer, _lt: Buffer, cb: IoCallback): void {
    this.#mustBeOpen();
    this.#job((done) => this.#switch(done, () => cb(this.#broken)));
  }

  close(cb: IoCallback): void {
    this.#mustBeOpen();
    this.#closing = cb;
    this.#maybeClose();
  }

  #childClosed(): void {
    this.#children--;
    this.#maybeClose();
  }

  #maybeClose(): void {
    const cb = this.#closing;
    if (cb === null || this.#children > 0 || this.#working || this.#jobs.length > 0 || this.#dead) return;
    this.#after(this.#sim.options.writeUs, () => {
      this.#dead = true;
      this.#unlock();
      cb(null);
    });
  }

  #job(job: Job): void {
    this.#jobs.push(job);
    if (!this.#working) this.#work();
  }

  #work(): void {
    const job = this.#jobs.shift();
    this.#working = job !== undefined;
    if (job === undefined) return this.#maybeClose();
    job(() => this.#work());
  }

  #after(us: readonly [number, number], fn: () => void): void {
    this.#sim.after(us, () => {
      if (!this.#dead) fn();
    });
  }

  #mustBeOpen(): void {
    if (this.#dead || this.#closing !== null) throw ioError('ERR_CLOSED', 'the store is closed');
  }
}

/** Tables and logs together: what the next open would find, without a crash. */
function rowsOf({ tables, logs }: Folder): SimRows {
  let rows = tables;
  for (const log of logs) for (const batch of log.batches) rows = rows.with(batch);
  return rows;
}

function newLog(nameDurable: boolean): Log {
  return { batches: [], bytes: 0, synced: 0, nameDurable };
}

function ioError(code: string, message: string): IoError {
  return Object.assign(new Error(message), { code });
}
