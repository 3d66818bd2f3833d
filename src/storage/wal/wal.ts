import { dirname, join } from 'node:path';
import { assert } from '../../util/assert.js';
import type { Disk, DiskFile, IoCallback } from '../../util/env.js';
import { RingBuffer } from '../../util/ring-buffer.js';
import type { Entry, HardState, Metadata, WalSnapshot } from '../../wire/index.js';
import { EMPTY, entryWire, WalRecordType, WalSnapshot as WalSnapshotCodec } from '../../wire/index.js';
import type { Tail } from './create.js';
import { createFolder, fsyncUpwards } from './create.js';
import { WalEncoder } from './encoder.js';
import { WalError } from './errors.js';
import type { SegmentName } from './format.js';
import { isTemporary, segmentName, segmentsAmong } from './format.js';
import { encodeBoth, encodeMark, encodePromise, markPath, readMark, slotOffset } from './mark.js';
import { WalMutant } from './mutants.js';
import { readLog, removeTemporary } from './open.js';
import type { WalOpened, WalOptions, WalPoint, WalPromise } from './types.js';

const SEGMENT_BYTES = 64_000_000;
const WALS_MAX = 5;
const REWRITE_BYTES = 1 << 20;
/** Marks up to this one are of a creation that may not have come to its end. */
const CREATION_COUNTER = 1;
const NO_MUTANTS: ReadonlySet<string> = new Set();

/**
 * The write-ahead log of one member, in etcd's format (DESIGN.md).
 *
 * Calls are queued: several saves may be in flight, their callbacks come in the order of the calls, each with the first
 * error of the log or null. After an error the log takes nothing any more: the owner stops the member (`Env.fatal`).
 *
 *   wal/0000000000000003-00000000000186a1.wal   #file: [ records ............ | zeros up to segmentBytes ]
 *                                                                             ^ #offset
 *   wal/4.tmp                                   #next: empty, of full length; named when #file is full
 *   wal.synced                                  #mark: how far #file has been synced
 */
export class Wal {
  /** True if `dir` holds a log. */
  static exists(disk: Disk, dir: string): boolean {
    return segmentsAmong(disk.list(dir)).length > 0;
  }

  /**
   * Makes an empty log; the folder and its first segment are durable on return. What an earlier creation left behind at
   * a crash is removed.
   * @param dir e.g. `<data-dir>/member/wal`; its parent is made as well
   * @throws WalError ERR_WAL_EXISTS; an IoError of the disk
   */
  static create(disk: Disk, dir: string, metadata: Metadata, options: WalOptions = {}): Wal {
    const mutants = options.mutants ?? NO_MUTANTS;
    if (Wal.exists(disk, dir)) throw new WalError('ERR_WAL_EXISTS', 'there is a log already', dir);
    const left = readMark(disk, dir);
    if (left !== null && left.counter > CREATION_COUNTER) {
      throw new WalError(
        'ERR_WAL_EXISTS',
        `the folder is gone or empty, but ${markPath(dir)} says that a log was written`,
        dir,
      );
    }
    for (const name of disk.list(dir)) {
      if (!isTemporary(name)) throw new WalError('ERR_WAL_EXISTS', `the folder is not empty: ${name}`, dir);
    }
    const tail = createFolder(disk, dir, {
      metadata,
      markCounter: 0,
      from: { index: 0, term: 0 },
      hardState: null,
      uncertain: false,
      segmentBytes: options.segmentBytes ?? SEGMENT_BYTES,
      mutants,
    });
    return new Wal(disk, dir, options, tail);
  }

  /**
   * What is known of a log from its mark alone: whose it is, and term and vote; null if no mark can be read, or it is that
   * of a log that nothing was ever written to. Good whatever became of the log itself.
   */
  static promise(disk: Disk, dir: string): WalPromise | null {
    const mark = readMark(disk, dir);
    if (mark === null || mark.counter <= CREATION_COUNTER) return null;
    return { metadata: mark.metadata, term: mark.term, vote: mark.vote };
  }

  /** True if the log is sound and holds every entry since the first, so that all state can be rebuilt from it. */
  static isComplete(disk: Disk, dir: string): boolean {
    try {
      const { replay } = readLog(disk, dir, { index: 0, term: 0 }, NO_MUTANTS);
      return replay.gap === 0 && replay.entries[0]?.index === 1;
    } catch (err) {
      if (err instanceof WalError) return false;
      throw err;
    }
  }

  /**
   * Begins anew at `from` a log that is gone or was set aside. Term and vote are kept by its mark; entries that were
   * acknowledged are lost, hence the log is `uncertain` (WalOpened) until a leader has caught the member up.
   * @throws WalError ERR_WAL_EXISTS, ERR_WAL_MISSING where there is no promise; an IoError of the disk
   */
  static replace(disk: Disk, dir: string, from: WalPoint, options: WalOptions = {}): WalOpened<Wal> {
    if (Wal.exists(disk, dir)) throw new WalError('ERR_WAL_EXISTS', 'there is a log already', dir);
    const mark = readMark(disk, dir);
    const promise = Wal.promise(disk, dir);
    if (mark === null || promise === null) {
      throw new WalError('ERR_WAL_MISSING', `term and vote are not known: ${markPath(dir)} cannot be read`, dir);
    }
    const { metadata, vote } = promise;
    const term = Math.max(promise.term, from.term);
    const hardState = term === 0 ? null : { term, vote: term === promise.term ? vote : 0n, commit: from.index };
    // Without a term nothing was ever acknowledged.
    const uncertain = mark.uncertain || term > 0;
    const tail = createFolder(disk, dir, {
      metadata,
      markCounter: mark.counter + 1,
      from,
      hardState,
      uncertain,
      segmentBytes: options.segmentBytes ?? SEGMENT_BYTES,
      mutants: options.mutants ?? NO_MUTANTS,
    });
    const wal = new Wal(disk, dir, options, tail);
    return { wal, metadata, hardState, entries: [], older: [], snapshots: [], cut: null, uncertain };
  }

  /**
   * Reads the log behind `from` (entries up to and including `from.index` are skipped), repairs a torn tail, and makes
   * everything that it returns durable. `from` is the backend's applied index and term; {0, 0} reads all. Where
   * the backend is ahead of the log, or of another history than its end, the log goes on from the backend.
   * @throws WalError ERR_WAL_MISSING, ERR_WAL_ROT, ERR_WAL_GAP; an IoError of the disk
   */
  static open(disk: Disk, dir: string, from: WalPoint, options: WalOptions = {}): WalOpened<Wal> {
    const mutants = options.mutants ?? NO_MUTANTS;
    const found = readLog(disk, dir, from, mutants, options.keepEntries ?? 0);
    const { replay, segments, cut } = found;
    const fresh = replay.settle();
    if (replay.gap > 0) {
      const reason = `the log goes on behind a snapshot at ${replay.gap}, and the state is at ${from.index}`;
      throw new WalError('ERR_WAL_GAP', reason, dir);
    }
    removeTemporary(disk, dir);

    const last = segments[segments.length - 1]!;
    const file = disk.open(join(dir, last.name), { create: false });
    const mark = disk.open(markPath(dir), { create: true });
    let { offset, crc } = found;
    let counter = found.mark?.counter ?? CREATION_COUNTER;
    const promise = encodePromise(replay.hardState, found.metadata);
    const setMark = (): void => {
      mark.writeSync(0, encodeBoth(counter + 1, last.sequence, offset, crc, found.uncertain, promise));
      mark.syncSync();
      counter += 2;
    };
    // What was read may still be in the system's cache alone, and so may names. From here on it counts as durable.
    const known = found.mark !== null && found.mark.sequence === last.sequence ? found.mark.offset : 0;
    rewrite(disk, file, known, offset);
    file.syncSync();
    fsyncUpwards(disk, dir);
    // That something was cut without a mark must not be forgotten by a crash behind the repair.
    if (found.uncertain) {
      setMark();
      disk.fsyncDir(dirname(dir));
    }
    if (cut !== null) {
      const size = file.size;
      file.truncateSync(offset);
      file.truncateSync(size);
    }
    if (fresh) {
      const encoder = new WalEncoder(crc);
      const bytes = WalSnapshotCodec.encode({ index: from.index, term: Math.max(from.term, 1) });
      encoder.begin(WalEncoder.room(bytes.length));
      encoder.record(WalRecordType.SNAPSHOT, bytes);
      const frame = Buffer.concat(encoder.finish());
      file.writeSync(offset, frame);
      offset += frame.length;
      crc = encoder.crc;
    }
    if (cut !== null || fresh) file.syncSync();
    setMark();
    disk.fsyncDir(dirname(dir));

    const hs = replay.hardState;
    const hardState =
      hs === null ? null : { ...hs, commit: Math.max(from.index, Math.min(hs.commit, replay.lastIndex)) };
    const wal = new Wal(disk, dir, options, {
      file,
      offset,
      crc,
      segments,
      metadata: found.metadata,
      metadataBytes: found.metadataBytes,
      hardState,
      lastIndex: replay.lastIndex,
      mark,
      markCounter: counter,
      uncertain: found.uncertain,
    });
    return {
      wal,
      metadata: found.metadata,
      hardState,
      entries: replay.entries,
      older: replay.older,
      snapshots: replay.snapshots,
      cut,
      uncertain: found.uncertain,
    };
  }

  readonly #disk: Disk;
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #maxWals: number;
  readonly #mutants: ReadonlySet<string>;
  readonly #ids: Metadata;
  readonly #metadata: Buffer;
  readonly #encoder: WalEncoder;
  #file: DiskFile;
  /** Sequence of #file. */
  #sequence: number;
  /** Where the next frame goes in #file. */
  #offset: number;
  #next: DiskFile | null = null;
  readonly #mark: DiskFile;
  #markCounter: number;
  #uncertain: boolean;
  /** Term, vote and ids as a mark has them. */
  #promise: Buffer;
  /** Oldest first; the last may not have its name yet. */
  readonly #segments: SegmentName[];
  /** How many of #segments are durable with their names. */
  #settledSegments: number;
  #hardState: HardState | null;
  /** Newer than #hardState by its commit index alone, and not written yet. */
  #deferred: HardState | null = null;
  /** Index of the newest entry, or of a snapshot that replaced the log. */
  #lastIndex: number;
  /** Callbacks owed, in order; null: one of our own. */
  readonly #pending = new RingBuffer<IoCallback | null>();
  #failed: WalError | null = null;
  #closed = false;

  private constructor(disk: Disk, dir: string, options: WalOptions, tail: Tail) {
    this.#disk = disk;
    this.#dir = dir;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#maxWals = Math.max(1, options.maxWals ?? WALS_MAX);
    this.#mutants = options.mutants ?? NO_MUTANTS;
    this.#ids = tail.metadata;
    this.#metadata = tail.metadataBytes;
    this.#encoder = new WalEncoder(tail.crc);
    this.#file = tail.file;
    this.#segments = tail.segments;
    this.#settledSegments = tail.segments.length;
    this.#sequence = tail.segments[tail.segments.length - 1]!.sequence;
    this.#offset = tail.offset;
    this.#hardState = tail.hardState;
    this.#lastIndex = tail.lastIndex;
    this.#mark = tail.mark;
    this.#markCounter = tail.markCounter;
    this.#uncertain = tail.uncertain;
    this.#promise = encodePromise(tail.hardState, tail.metadata);
  }

  /** Why the log takes nothing any more, or null. */
  get failed(): WalError | null {
    return this.#failed;
  }

  /**
   * Appends entries and then the hard state, in one write. An entry may replace one of the same or a higher index; all
   * behind it fall away then. The entries' bytes belong to the log until the callback.
   * @param hardState null: unchanged
   * @param sync true where entries, term or vote changed: the callback then means that all is durable. False: that
   *   the system has it.
   */
  save(hardState: HardState | null, entries: readonly Entry[], sync: boolean, cb: IoCallback): void {
    if (this.#refuse(cb)) return;
    const encoder = this.#encoder;
    const state = hardState ?? this.#deferred;
    this.#deferred = null;
    let room = state === null ? 0 : WalEncoder.stateRoom;
    let promised = false;
    for (let i = 0; i < entries.length; i++) room += WalEncoder.room(entryWire(entries[i]!).length);
    if (room > 0) {
      encoder.begin(room);
      for (let i = 0; i < entries.length; i++) {
        const entry = entries[i]!;
        assert(entry.index <= this.#lastIndex + 1, () => `wal: entry ${entry.index} behind ${this.#lastIndex}`);
        encoder.record(WalRecordType.ENTRY, entryWire(entry));
        this.#lastIndex = entry.index;
      }
      if (state !== null) {
        encoder.hardState(state);
        promised = this.#promises(state);
        this.#hardState = { term: state.term, vote: state.vote, commit: state.commit };
      }
      this.#append();
    }
    this.#finish(sync, cb, promised);
  }

  /**
   * Takes a hard state of which the commit index alone is new. It promises nothing, so it need not have a write of its own:
   * it goes with the next one, or with `saveDeferred`.
   */
  defer(hardState: HardState): void {
    this.#deferred = { term: hardState.term, vote: hardState.vote, commit: hardState.commit };
  }

  /** Hands to the system what `defer` was given and nothing has taken along since. */
  saveDeferred(cb: IoCallback): void {
    if (this.#deferred === null || this.#failed !== null || this.#closed) return;
    this.save(this.#deferred, [], false, cb);
  }

  /**
   * Records that the state is durable elsewhere up to `snapshot.index`: the log may be released below it. An index behind
   * the log's end, or of another term than its entry there, replaces the log: save the state first, this next,
   * and a hard state with that commit last. Synced.
   * @param replaces the log goes on at `snapshot.index + 1`, and what it holds behind that falls away
   */
  saveSnapshot(snapshot: WalSnapshot, cb: IoCallback, replaces = false): void {
    if (this.#refuse(cb)) return;
    const bytes = WalSnapshotCodec.encode(snapshot);
    this.#encoder.begin(WalEncoder.room(bytes.length) + WalEncoder.stateRoom);
    // A reader of etcd's takes no snapshot that the hard state before it does not reach.
    this.#takeDeferred();
    this.#encoder.record(WalRecordType.SNAPSHOT, bytes);
    if (replaces || snapshot.index > this.#lastIndex) this.#lastIndex = snapshot.index;
    this.#append();
    this.#finish(true, cb);
  }

  /** Deletes whole segments that hold nothing above `index`, but keeps at least `maxWals` of them. */
  release(index: number): void {
    if (this.#failed !== null || this.#closed) return;
    while (this.#settledSegments > this.#maxWals && this.#segments[1]!.index <= index) {
      // A name that comes back after a crash does no harm: open begins behind the last hole.
      this.#disk.unlink(join(this.#dir, this.#segments[0]!.name));
      this.#segments.shift();
      this.#settledSegments--;
    }
  }

  /** A leader has caught this member up: what an earlier crash may have cut off is no longer missed. */
  settle(): void {
    this.#uncertain = false;
  }

  /** Syncs what is queued and closes the files. Calls back once, with the log's first error or null. */
  close(cb: IoCallback): void {
    assert(!this.#closed, 'wal: closed twice');
    this.#closed = true;
    if (this.#failed === null && this.#deferred !== null) {
      this.#encoder.begin(WalEncoder.stateRoom);
      this.#takeDeferred();
      this.#append();
    }
    this.#expect(null);
    if (this.#failed === null) {
      this.#file.sync(this.#onDone, this.#note());
      this.#expect(null);
      this.#mark.sync(this.#onDone);
    } else this.#file.flushed(this.#onDone);
    const next = this.#next;
    if (next !== null) {
      next.close();
      this.#disk.unlink(next.path);
    }
    this.#file.close();
    this.#mark.close(() => cb(this.#failed));
  }

  #refuse(cb: IoCallback): boolean {
    if (this.#failed === null && !this.#closed) return false;
    assert(!this.#closed, 'wal: used after close');
    // The callback comes in its turn, and brings the error whatever the file says.
    this.#expect(cb);
    this.#file.flushed(this.#onDone);
    return true;
  }

  /** Puts what was deferred into the frame that is being written. */
  #takeDeferred(): void {
    if (this.#deferred === null) return;
    this.#encoder.hardState(this.#deferred);
    this.#hardState = this.#deferred;
    this.#deferred = null;
  }

  #append(): void {
    const bytes = this.#encoder.bytes;
    this.#file.write(this.#offset, this.#encoder.finish());
    this.#offset += bytes;
  }

  /** @returns whether term or vote are others than before */
  #promises(hardState: HardState): boolean {
    const before = this.#hardState;
    if (before !== null && before.term === hardState.term && before.vote === hardState.vote) return false;
    this.#promise = encodePromise(hardState, this.#ids);
    return true;
  }

  /** @param promised term or vote changed: they are to be in both slots of the mark before the callback */
  #finish(sync: boolean, cb: IoCallback, promised = false): void {
    if (sync && promised) {
      this.#expect(null);
      this.#file.sync(this.#onDone, this.#noteTwice());
      this.#expect(cb);
      this.#mark.sync(this.#onDone);
    } else {
      this.#expect(cb);
      if (sync) this.#file.sync(this.#onDone, this.#note());
      else this.#file.flushed(this.#onDone);
    }
    if (this.#offset >= this.#segmentBytes) this.#cut();
    else if (this.#next === null) this.#prepare();
  }

  #expect(cb: IoCallback | null): void {
    this.#pending.push(cb);
  }

  /** One for every sync and flush, so that no closure is made per save. */
  readonly #onDone = (err: Error | null): void => {
    if (err !== null && !this.#mutants.has(WalMutant.SYNC_RETRY)) this.#fail(err);
    const cb = this.#pending.shift();
    if (cb !== null && cb !== undefined) cb(this.#failed);
  };

  #fail(err: unknown): void {
    if (this.#failed !== null) return;
    const message = err instanceof Error ? err.message : String(err);
    this.#failed = new WalError('ERR_WAL_IO', message, this.#file.path, -1, err);
  }

  #note() {
    const counter = ++this.#markCounter;
    const { crc } = this.#encoder;
    const bytes = encodeMark(counter, this.#sequence, this.#offset, crc, this.#uncertain, this.#promise);
    return { file: this.#mark, offset: slotOffset(counter), bytes };
  }

  #noteTwice() {
    const counter = this.#markCounter + 1;
    this.#markCounter += 2;
    const { crc } = this.#encoder;
    const bytes = encodeBoth(counter, this.#sequence, this.#offset, crc, this.#uncertain, this.#promise);
    return { file: this.#mark, offset: 0, bytes };
  }

  /** Makes the next segment's file ahead, so that the cut has only to fill in its head and name it. */
  #prepare(): void {
    try {
      // Not the two names in turn that etcd has: the file of the cut before may not have been renamed yet.
      const path = join(this.#dir, `${this.#sequence + 1}.tmp`);
      this.#next = this.#disk.open(path, { create: true });
      this.#next.truncate(this.#segmentBytes);
      this.#expect(null);
      this.#next.sync(this.#onDone);
    } catch (err) {
      this.#fail(err);
    }
  }

  /**
   * Goes on in the next segment. All of it is queued, and in this order, so that after a crash anywhere the log reads to
   * where it was synced: the old segment to its end; the new one's head; its name; the mark in it.
   */
  #cut(): void {
    if (this.#next === null) this.#prepare();
    const next = this.#next;
    if (next === null) return;
    const old = this.#file;
    if (old.size > this.#offset) old.truncate(this.#offset);
    this.#expect(null);
    old.sync(this.#onDone);

    const sequence = this.#sequence + 1;
    const name = segmentName(sequence, this.#lastIndex + 1);
    const encoder = this.#encoder;
    encoder.begin(2 * WalEncoder.room(0) + WalEncoder.room(this.#metadata.length) + WalEncoder.stateRoom);
    encoder.record(WalRecordType.CRC, EMPTY);
    encoder.record(WalRecordType.METADATA, this.#metadata);
    if (this.#hardState !== null) encoder.hardState(this.#hardState);
    this.#file = next;
    this.#next = null;
    this.#sequence = sequence;
    this.#offset = 0;
    this.#append();
    this.#expect(null);
    next.sync(this.#onDone);
    // No name for a segment that continues what may not be there.
    next.after(old);
    old.close();
    next.rename(join(this.#dir, name));
    if (!this.#mutants.has(WalMutant.NO_DIR_SYNC)) next.syncDir();
    this.#segments.push({ name, sequence, index: this.#lastIndex + 1 });
    this.#expect(null);
    next.sync(this.#onDone, this.#note());
    // A segment may be deleted only when a durable mark is behind it.
    this.#expect(this.#onCut);
    this.#mark.sync(this.#onDone);
  }

  readonly #onCut = (err: Error | null): void => {
    if (err === null) this.#settledSegments++;
  };
}

/**
 * Writes bytes that no mark vouches for once more, before they are synced. Where the process ended over a failed fsync the
 * system may have dropped the pages, call them clean, and still show them: then an fsync alone would do nothing.
 */
function rewrite(disk: Disk, file: DiskFile, from: number, to: number): void {
  for (let at = from; at < to; at += REWRITE_BYTES) {
    file.writeSync(at, disk.read(file.path, at, Math.min(REWRITE_BYTES, to - at)));
  }
}
