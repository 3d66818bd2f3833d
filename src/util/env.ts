import type { Logger } from './log.js';
import type { Rng } from './rng.js';

/**
 * The environment of a member: everything that a deterministic program must not reach for by itself.
 * `src/env` implements it with the real machine, `src/sim` with a virtual one driven by a seed.
 *
 * Contract for both: a callback is never called before the call that took it has returned, and callbacks
 * run one at a time on the member's only thread. Nothing here returns a promise.
 */
export interface Env {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Draws for timeouts, ids and jitter. Never for anything replicated. */
  readonly rng: Rng;
  readonly disk: Disk;
  readonly stores: KvStores;
  readonly net: Net;
  readonly crypto: SlowCrypto;
  readonly log: Logger;
  /** Ends the member at once: a failed fsync, a broken invariant. In the real environment the process exits with 1. */
  fatal(err: Error): void;
}

export interface Clock {
  /** Milliseconds on a clock that never goes backwards, with fractions; its zero has no meaning. */
  now(): number;
  /** Unix time in milliseconds. May jump; never used for leases or timeouts. */
  wall(): number;
}

export type TimerHandle = unknown;

export interface Timers {
  /** Calls `fn` once, not before `delayMs` have passed. */
  set(delayMs: number, fn: () => void): TimerHandle;
  clear(handle: TimerHandle): void;
  /** Calls `fn` when the input that is ready now has been handled (the end of the event loop's turn). Used to batch. */
  defer(fn: () => void): void;
}

/** Error of a disk or store operation; `code` is the system's (ENOSPC, EIO, ENOENT) or one of ours. */
export interface IoError extends Error {
  readonly code: string;
}

export type IoCallback = (err: Error | null) => void;

/**
 * A file system. The synchronous calls are for opening, recovery and rare changes of files;
 * they throw an error with a `code`. The queued calls of DiskFile are the hot path.
 */
export interface Disk {
  mkdirp(dir: string): void;
  /** Names in a directory, sorted; empty if the directory does not exist. */
  list(dir: string): string[];
  /** Size in bytes, or -1 if there is no such file. */
  size(path: string): number;
  isDirectory(path: string): boolean;
  /** At most `length` bytes from `offset`; fewer at the end of the file. Queued writes may be missing. */
  read(path: string, offset: number, length: number): Buffer;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  removeTree(dir: string): void;
  /** Makes creations, renames and removals of names in `dir` durable. */
  fsyncDir(dir: string): void;
  /** Opens for reading and writing; creates if `create`. File mode 0600. */
  open(path: string, options: { create: boolean }): DiskFile;
  /** Bytes free on the file system of `dir`. */
  free(dir: string): number;
}

/**
 * An open file. Queued operations of all files of one Disk run one after the other in the order of their calls, off the
 * main thread, and their callbacks come in the same order. A sync may be held back while further operations
 * of the same file are waiting, so that one fdatasync serves several.
 * After a failed operation the file takes nothing any more, and every later callback brings the same error: an fsync
 * is never retried.
 */
export interface DiskFile {
  readonly path: string;
  /** Length in bytes once everything queued has run. */
  readonly size: number;
  /** Queued. The buffers belong to the file until the next sync or flush has called back. */
  write(offset: number, chunks: readonly Buffer[]): void;
  /** Queued. Sets the length, filling with zeros (preallocation, cutting a tail). */
  truncate(length: number): void;
  /**
   * Queued. Calls back when every operation on this file queued before is on the platter (fdatasync), or with the first
   * error. Where it succeeded and a note is given, the note is written before the callback, without a sync of its own;
   * of notes of syncs that were served by one fdatasync only the last may be written.
   */
  sync(cb: IoCallback, note?: SyncNote): void;
  /** Queued. Writes without durability have been handed to the system when it calls back. */
  flushed(cb: IoCallback): void;
  /** Queued. Gives the file another name in the same directory. */
  rename(to: string): void;
  /** Queued. Makes the names in the file's directory durable, its own among them. */
  syncDir(): void;
  /** Queued. If `other` has failed by then, this file fails with the same error. */
  after(other: DiskFile): void;
  /** Queued. */
  close(cb?: IoCallback): void;
  /** For recovery only, while nothing is queued on the file: as write, truncate and sync, at once. */
  writeSync(offset: number, chunk: Buffer): void;
  truncateSync(length: number): void;
  syncSync(): void;
}

/** Something small that says how far another file has been synced. An error of its write breaks `file` only. */
export interface SyncNote {
  readonly file: DiskFile;
  readonly offset: number;
  readonly bytes: Buffer;
}

/**
 * Ordered byte-string stores with LevelDB's contract. Errors are IoErrors: ERR_LOCKED (another process has the folder),
 * ERR_CORRUPT (the store's own files do not read back), ERR_MISSING (`create` was not given), ENOSPC, EIO,
 * ERR_CLOSED.
 */
export interface KvStores {
  /** Opens or creates the store in folder `dir` and takes its lock. */
  open(dir: string, options: KvOpenOptions, cb: (err: Error | null, store: KvStore | null) => void): void;
}

export interface KvOpenOptions {
  /** Creates the folder and an empty store if there is none. */
  readonly create: boolean;
}

export interface KvStore {
  /** Blocks; only apply and recovery may call it. Throws an IoError. */
  getSync(key: Buffer): Buffer | undefined;
  /** The values at the moment of this call, in the order of `keys`. */
  getMany(keys: Buffer[], cb: (err: Error | null, values: (Buffer | undefined)[]) => void): void;
  /** An empty batch. It may be filled over many turns; nothing is visible before its write. */
  newBatch(): KvBatch;
  /** Rows with gte <= key < lt in key order, seen at the moment of this call. */
  scan(range: KvRange): KvScan;
  /** Pins what the store holds now. To be closed. */
  snapshot(): KvSnapshot;
  /** Reclaims the space of deleted rows in a range, and takes everything written so far out of the store's log. */
  compactRange(gte: Buffer, lt: Buffer, cb: IoCallback): void;
  /** No call may follow. Waits for operations under way and for open scans and snapshots. */
  close(cb: IoCallback): void;
}

export interface KvBatch {
  /** Copies both. */
  put(key: Buffer, value: Buffer): void;
  del(key: Buffer): void;
  /**
   * All or nothing. Becomes visible to reads some time before the callback. With `sync`, the batch and the names of the
   * store's files are durable when the callback comes; not so an earlier batch without `sync`, which a later one does
   * not carry along: LevelDB switches logs without an fsync of the old one. To be called once.
   */
  write(options: { sync: boolean }, cb: IoCallback): void;
}

export interface KvRange {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

export type KvRow = readonly [key: Buffer, value: Buffer];

export interface KvScan {
  /** Up to `n` more rows; an empty array is the end. One call at a time. */
  next(n: number, cb: (err: Error | null, rows: KvRow[]) => void): void;
  close(): void;
}

export interface KvSnapshot {
  scan(range: KvRange): KvScan;
  close(): void;
}

/** A stream network: TCP, or TLS. */
export interface Net {
  /** Address is `host:port`; port 0 picks a free one. */
  listen(
    address: string,
    onConn: (conn: Conn) => void,
    cb: (err: Error | null, listener: NetListener | null) => void,
  ): void;
  /** Of `tls://host:port`, TLS is spoken. The connection's `onOpen` or `onClose` is called later. */
  dial(address: string): Conn;
}

export interface NetListener {
  readonly address: string;
  close(cb?: () => void): void;
}

/** One connection. Handlers are plain fields, set by the owner before the turn ends. */
export interface Conn {
  readonly remote: string;
  onOpen: (() => void) | null;
  onData: ((chunk: Buffer) => void) | null;
  /** Called once. `err.code` is ECONNREFUSED, ECONNRESET …; null for an orderly end. */
  onClose: ((err: IoError | null) => void) | null;
  onDrain: (() => void) | null;
  /** Takes the buffers; false when more than the high-water mark is waiting: hold back until onDrain. */
  write(chunks: Buffer[]): boolean;
  readonly pendingBytes: number;
  destroy(): void;
}

/** Passwords, secrets and keys. Hashes take tens of milliseconds of CPU, and are made off the main thread. */
export interface SlowCrypto {
  bcryptHash(password: string, cost: number, cb: (err: Error | null, hash: string) => void): void;
  bcryptCompare(password: string, hash: string, cb: (err: Error | null, same: boolean) => void): void;
  /** Bytes that nobody can guess, unlike Env.rng's. */
  randomBytes(length: number): Buffer;
  /**
   * @param method `alg` of RFC 7518: RS256, PS512, ES256, HS256, EdDSA ...
   * @param publicKey PEM; null: taken from the private one. HS*: not used
   * @param privateKey PEM, or the secret of HS*; null: it only verifies
   * @throws Error for keys that cannot be used
   */
  tokenSigner(method: string, publicKey: Buffer | null, privateKey: Buffer | null): TokenSigner;
}

/** Signs and checks with keys that were read at the start. */
export interface TokenSigner {
  /** The only `alg` that is accepted. */
  readonly method: string;
  /** null where there is a public key alone. */
  sign(input: Buffer): Buffer | null;
  verify(input: Buffer, signature: Buffer): boolean;
}
