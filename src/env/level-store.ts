import { close as closeFd, fsync, mkdirSync, open as openFd } from 'node:fs';
import { dirname } from 'node:path';
import { ClassicLevel } from 'classic-level';
import type {
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
import { verifyTables } from './level-tables.js';
import { middleKey } from './middle-key.js';

/** Sizes in bytes; the defaults follow a member with some millions of keys. */
export interface LevelOptions {
  /** Rows in memory, and in the log, before LevelDB writes a table. Up to two of them live at once. */
  readonly writeBufferSize: number;
  /** Uncompressed blocks kept for point reads. */
  readonly cacheSize: number;
  readonly maxFileSize: number;
  /** Large for scans: a scan of history is what a restart and a lagging watcher do. */
  readonly blockSize: number;
  /** How much one `next` of a scan may carry between threads. */
  readonly scanBytesMax: number;
  /** Ranges are compacted in pieces of about this size: a close waits for one piece only. */
  readonly compactBytesMax: number;
}

export const LEVEL_DEFAULTS: LevelOptions = {
  writeBufferSize: 32 << 20,
  cacheSize: 64 << 20,
  maxFileSize: 16 << 20,
  blockSize: 16 << 10,
  scanBytesMax: 4 << 20,
  compactBytesMax: 32 << 20,
};

/** A row larger than a piece would be halved for ever. */
const HALVINGS_MAX = 60;

type Level = ClassicLevel<Buffer, Buffer>;

/** KvStores on classic-level, which bundles LevelDB 1.20. */
export class LevelStores implements KvStores {
  readonly #options: LevelOptions;

  constructor(options: Partial<LevelOptions> = {}) {
    this.#options = { ...LEVEL_DEFAULTS, ...options };
  }

  open(dir: string, options: KvOpenOptions, cb: (err: Error | null, store: KvStore | null) => void): void {
    this.#open(dir, options.create).then(
      (store) => later(() => cb(null, store)),
      (err: unknown) => later(() => cb(ioError(err, `open ${dir}`), null)),
    );
  }

  async #open(dir: string, create: boolean): Promise<LevelStore> {
    if (create) mkdirSync(dir, { recursive: true, mode: 0o700 });
    await verifyTables(dir);
    const o = this.#options;
    const db: Level = new ClassicLevel<Buffer, Buffer>(dir, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      createIfMissing: create,
      // Values are small messages that compress well; Snappy is a small part of what a flush costs.
      compression: true,
      writeBufferSize: o.writeBufferSize,
      cacheSize: o.cacheSize,
      maxFileSize: o.maxFileSize,
      blockSize: o.blockSize,
    });
    await db.open();
    try {
      const fd = await new Promise<number>((resolve, reject) =>
        openFd(dir, 'r', (err, n) => (err === null ? resolve(n) : reject(err))),
      );
      const store = new LevelStore(db, fd, o);
      // A new store's own name is in the parent folder; the names in `dir` are made durable with each synced batch.
      if (create) await fsyncDir(dirname(dir));
      await new Promise<void>((resolve, reject) => fsync(fd, (err) => (err === null ? resolve() : reject(err))));
      return store;
    } catch (err) {
      await db.close();
      throw err;
    }
  }
}

class LevelStore implements KvStore {
  readonly #db: Level;
  /** The store's folder, open for fsync. */
  readonly #dirFd: number;
  readonly #options: LevelOptions;
  readonly #key = Object.freeze({ keyEncoding: 'buffer', valueEncoding: 'buffer' } as const);
  #writes: (() => Promise<void>)[] = [];
  #closing = false;
  /** What a close waits for. */
  #children = 0;
  #closeNow: (() => void) | null = null;

  constructor(db: Level, dirFd: number, options: LevelOptions) {
    this.#db = db;
    this.#dirFd = dirFd;
    this.#options = options;
  }

  getSync(key: Buffer): Buffer | undefined {
    try {
      return this.#db.getSync(key, this.#key) as Buffer | undefined;
    } catch (err) {
      throw ioError(err, 'read');
    }
  }

  getMany(keys: Buffer[], cb: (err: Error | null, values: (Buffer | undefined)[]) => void): void {
    this.#db.getMany(keys, this.#key).then(
      (values) => later(() => cb(null, values)),
      (err: unknown) => later(() => cb(ioError(err, 'read'), [])),
    );
  }

  newBatch(): KvBatch {
    const batch = this.#db.batch();
    return {
      put: (key, value) => void batch.put(key, value),
      del: (key) => void batch.del(key),
      write: ({ sync }, cb) => {
        this.#children++;
        this.#writes.push(() =>
          batch.write({ sync }).then(
            // LevelDB switches to a new log without making its name durable: only a change of the MANIFEST does.
            // A batch in a log that has no name is lost with it, however often it was fsynced.
            () => (sync ? fsync(this.#dirFd, (err) => this.#written(err, cb)) : later(() => this.#written(null, cb))),
            (err: unknown) => later(() => this.#written(err, cb)),
          ),
        );
        if (this.#writes.length === 1) void this.#writes[0]!();
      },
    };
  }

  /** One write after the other: handed over together, the pool's threads would race for LevelDB's queue. */
  #written(err: unknown, cb: IoCallback): void {
    this.#writes.shift();
    if (this.#writes.length > 0) void this.#writes[0]!();
    cb(err === null ? null : ioError(err, 'write'));
    this.#childClosed();
  }

  scan(range: KvRange): KvScan {
    return this.#iterate(range, {});
  }

  snapshot(): KvSnapshot {
    const snapshot = this.#db.snapshot();
    this.#children++;
    let open = true;
    return {
      scan: (range) => this.#iterate(range, { snapshot }),
      close: () => {
        if (!open) return;
        open = false;
        snapshot.close().then(
          () => this.#childClosed(),
          () => this.#childClosed(),
        );
      },
    };
  }

  #iterate(range: KvRange, more: { snapshot?: ReturnType<Level['snapshot']> }): KvScan {
    const iterator = this.#db.iterator<Buffer, Buffer>({
      gte: range.gte,
      lt: range.lt,
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      // A scan passes by once; it must not push out what point reads use.
      fillCache: false,
      highWaterMarkBytes: this.#options.scanBytesMax,
      ...more,
    });
    this.#children++;
    let open = true;
    return {
      next: (n, cb) => {
        iterator.nextv(n).then(
          (rows) => later(() => cb(null, rows as KvRow[])),
          (err: unknown) => later(() => cb(ioError(err, 'scan'), [])),
        );
      },
      close: () => {
        if (!open) return;
        open = false;
        iterator.close().then(
          () => this.#childClosed(),
          () => this.#childClosed(),
        );
      },
    };
  }

  compactRange(gte: Buffer, lt: Buffer, cb: IoCallback): void {
    this.#children++;
    this.#compact(gte, lt).then(
      () => later(() => this.#compacted(null, cb)),
      (err: unknown) => later(() => this.#compacted(ioError(err, 'compact'), cb)),
    );
  }

  #compacted(err: Error | null, cb: IoCallback): void {
    this.#childClosed();
    cb(err);
  }

  /** LevelDB cannot be stopped within a call, and some gigabytes take a minute. */
  async #compact(gte: Buffer, lt: Buffer): Promise<void> {
    const pieces: [gte: Buffer, lt: Buffer, depth: number][] = [[gte, lt, 0]];
    for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
      if (this.#closing) throw Object.assign(new Error('the store is closing'), { code: 'ERR_CLOSED' });
      const [from, to, depth] = piece;
      const mid = depth < HALVINGS_MAX ? middleKey(from, to) : null;
      const bytes = mid === null ? 0 : await this.#db.approximateSize(from, to, this.#key);
      if (mid !== null && bytes > this.#options.compactBytesMax)
        pieces.push([mid, to, depth + 1], [from, mid, depth + 1]);
      else await this.#db.compactRange(from, to, this.#key);
    }
  }

  /** classic-level would close open iterators under their readers; a pinned reader is to finish first. */
  close(cb: IoCallback): void {
    if (this.#closing) throw new Error('closed twice');
    this.#closing = true;
    this.#closeNow = () => {
      this.#db.close().then(
        () => closeFd(this.#dirFd, () => cb(null)),
        (err: unknown) => closeFd(this.#dirFd, () => cb(ioError(err, 'close'))),
      );
    };
    if (this.#children === 0) this.#closeNow();
  }

  #childClosed(): void {
    this.#children--;
    if (this.#children === 0 && this.#closeNow !== null) this.#closeNow();
  }
}

/** Leaves the promise behind: what the callback throws is the event loop's to report, not a rejection. */
function later(fn: () => void): void {
  process.nextTick(fn);
}

function fsyncDir(dir: string): Promise<void> {
  return new Promise((resolve, reject) => {
    openFd(dir, 'r', (err, fd) => {
      if (err !== null) return reject(err);
      fsync(fd, (syncErr) => closeFd(fd, () => (syncErr === null ? resolve() : reject(syncErr))));
    });
  });
}

/** LevelDB reports a system error by its text alone: the texts of glibc's strerror that matter here. */
const TEXTS: readonly (readonly [text: string, code: string])[] = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Read-only file system', 'EROFS'],
  ['Permission denied', 'EACCES'],
  ['Too many open files', 'EMFILE'],
  ['No such file or directory', 'ENOENT'],
];

/** A table is mapped into memory; LevelDB gives EINVAL for a block that its index places behind the file's end. */
const SHORT_TABLE = /^IO error: .*\.(ldb|sst): Invalid argument/;

function ioError(err: unknown, doing: string): IoError {
  const inner = innermost(err);
  const message = inner.message;
  let code = inner.code ?? 'EIO';
  if (code === 'LEVEL_LOCKED') code = 'ERR_LOCKED';
  else if (code === 'LEVEL_CORRUPTION' || /^Corruption: /.test(message) || SHORT_TABLE.test(message))
    code = 'ERR_CORRUPT';
  else if (/does not exist \(create_if_missing is false\)/.test(message)) code = 'ERR_MISSING';
  else if (code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN') code = 'ERR_CLOSED';
  else if (!/^(E[A-Z]+|ERR_[A-Z]+)$/.test(code)) code = TEXTS.find(([text]) => message.includes(text))?.[1] ?? 'EIO';
  const text = code === 'ERR_LOCKED' ? `another process has it open (${message})` : message;
  return Object.assign(new Error(`${doing}: ${text}`, { cause: err }), { code });
}

/** "Database failed to open" and the like carry what happened in their cause. */
function innermost(err: unknown): Error & { code?: string } {
  let e = err as Error & { code?: string };
  while (e.cause instanceof Error) e = e.cause as Error & { code?: string };
  return e instanceof Error ? e : new Error(String(err));
}
