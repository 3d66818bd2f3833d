import type * as Fs from 'node:fs';
import type * as Threads from 'node:worker_threads';

/**
 * What the two threads of a disk share. `slots` is a ring of SLOT_COUNT operations, SLOT_WIDTH numbers each; `data` is
 * a ring of bytes that the operations point into. Main fills a slot and moves TAIL; the worker runs it and moves HEAD.
 *
 *   control[TAIL]  operations published, modulo 2^32   written by main, waited on by the worker
 *   control[HEAD]  operations run                      written by the worker
 *   control[WANT]  1: main has more than fits and waits for a message when there is room
 *
 *   slot: op | file | a | b | position in data | bytes of data
 */
export interface DiskShared {
  readonly control: Int32Array;
  readonly slots: Float64Array;
  readonly data: Uint8Array;
  /** Hold writes back until the sync, so that killing the process is a power cut. */
  readonly lossy: boolean;
}

/** What the worker tells: so many operations with a callback are done without error (0: there is room); or one failed. */
export type DiskReport = number | DiskFailure;
export interface DiskFailure {
  readonly message: string;
  readonly code: string;
  readonly syscall: string;
}

export const TAIL = 0;
export const HEAD = 1;
export const WANT = 2;
export const SLOT_COUNT = 512;
export const SLOT_WIDTH = 6;

/** a = file descriptor */
export const OP_OPEN = 1;
/** a = offset in the file */
export const OP_WRITE = 2;
/** a = length */
export const OP_TRUNCATE = 3;
/** Reports. a = file of the note, or 0; b = the note's offset in it */
export const OP_SYNC = 4;
/** Reports. */
export const OP_FLUSHED = 5;
/** A message on the port holds [from, to]. */
export const OP_RENAME = 6;
/** A message on the port holds the directory. */
export const OP_SYNC_DIR = 7;
/** Reports. The descriptor is closed by main, which opened it. */
export const OP_CLOSE = 8;
/** a = the other file */
export const OP_AFTER = 9;
export const OP_STOP = 10;

/**
 * The program of a disk's worker thread: synchronous calls, one after the other, so that nothing that the process does in
 * libuv's pool delays a WAL write. It is started from its own text (`toString`), because a Worker cannot load
 * the .ts file that the tests run: so nothing from outside the function may be used in it but types.
 *
 * Syncs are held back while the next operation that waits is on the same file: one fdatasync then serves them all.
 */
export function diskWorker(load: (name: string) => unknown): void {
  const fs = load('node:fs') as typeof Fs;
  const threads = load('node:worker_threads') as typeof Threads;
  const { control, slots, data, lossy } = threads.workerData as DiskShared;
  const port = threads.parentPort as Threads.MessagePort;
  const slotCount = slots.length / 6;

  interface Held {
    readonly offset: number;
    /** null: a truncation to `offset` */
    readonly bytes: Uint8Array | null;
  }
  interface File {
    readonly fd: number;
    error: DiskFailure | null;
    held: Held[];
  }
  const files = new Map<number, File>();

  /** Reports not yet posted. */
  let reports: DiskReport[] = [];
  /** Syncs of `waitingFile` that wait for the next fdatasync. */
  let waitingSyncs = 0;
  let waitingFile = 0;
  let noteFile = 0;
  let noteOffset = 0;
  let note: Uint8Array | null = null;

  const failure = (err: unknown): DiskFailure => {
    const e = err as Partial<DiskFailure>;
    return { message: String(e.message), code: String(e.code ?? 'EIO'), syscall: String(e.syscall ?? '') };
  };
  const report = (error: DiskFailure | null): void => {
    const last = reports.length - 1;
    if (error !== null) reports.push(error);
    else if (last >= 0 && typeof reports[last] === 'number') (reports[last] as number)++;
    else reports.push(1);
  };
  const writeAll = (fd: number, bytes: Uint8Array, start: number, end: number, offset: number): void => {
    let at = start;
    while (at < end) at += fs.writeSync(fd, bytes, at, end - at, offset + at - start);
  };
  const release = (file: File): void => {
    for (const op of file.held) {
      if (op.bytes === null) fs.ftruncateSync(file.fd, op.offset);
      else writeAll(file.fd, op.bytes, 0, op.bytes.length, op.offset);
    }
    file.held = [];
  };
  /** Runs `body` unless the file has failed before; its first error stays. */
  const guarded = (file: File, body: () => void): void => {
    if (file.error !== null) return;
    try {
      body();
    } catch (err) {
      file.error = failure(err);
    }
  };
  const write = (file: File, offset: number, bytes: Uint8Array, start: number, end: number): void => {
    if (lossy) file.held.push({ offset, bytes: bytes.slice(start, end) });
    else writeAll(file.fd, bytes, start, end, offset);
  };
  const settle = (): void => {
    if (waitingSyncs === 0) return;
    const file = files.get(waitingFile)!;
    guarded(file, () => {
      if (lossy) release(file);
      fs.fdatasyncSync(file.fd);
    });
    if (file.error === null && note !== null) {
      const target = files.get(noteFile);
      const bytes = note;
      if (target !== undefined) guarded(target, () => write(target, noteOffset, bytes, 0, bytes.length));
    }
    for (let i = 0; i < waitingSyncs; i++) report(file.error);
    waitingSyncs = 0;
    note = null;
  };
  const message = (): unknown => threads.receiveMessageOnPort(port)!.message;

  const run = (slot: number): boolean => {
    const op = slots[slot]!;
    const id = slots[slot + 1]!;
    const a = slots[slot + 2]!;
    const start = slots[slot + 4]!;
    const end = start + slots[slot + 5]!;
    if (id !== waitingFile) settle();
    const file = files.get(id)!;
    switch (op) {
      case 1:
        files.set(id, { fd: a, error: null, held: [] });
        return true;
      case 2:
        guarded(file, () => write(file, a, data, start, end));
        return true;
      case 3:
        guarded(file, () => {
          if (lossy) file.held.push({ offset: a, bytes: null });
          else fs.ftruncateSync(file.fd, a);
        });
        return true;
      case 4:
        waitingFile = id;
        waitingSyncs++;
        if (a !== 0) {
          noteFile = a;
          noteOffset = slots[slot + 3]!;
          note = data.slice(start, end);
        }
        return true;
      case 5:
        settle();
        report(file.error);
        return true;
      case 6: {
        settle();
        const [from, to] = message() as [string, string];
        guarded(file, () => fs.renameSync(from, to));
        return true;
      }
      case 7: {
        settle();
        const dir = message() as string;
        guarded(file, () => {
          const fd = fs.openSync(dir, 'r');
          try {
            fs.fsyncSync(fd);
          } finally {
            fs.closeSync(fd);
          }
        });
        return true;
      }
      case 8:
        settle();
        // A process that ends in order leaves its writes in the system's hands, lossy or not.
        guarded(file, () => release(file));
        files.delete(id);
        report(file.error);
        return true;
      case 9:
        settle();
        file.error ??= files.get(a)?.error ?? null;
        return true;
      default:
        return false;
    }
  };

  let head = 0;
  let running = true;
  while (running) {
    const tail = Atomics.load(control, 0);
    if (head === tail) {
      Atomics.wait(control, 0, tail);
      continue;
    }
    for (; running && head !== tail; head = (head + 1) | 0) {
      running = run(((head >>> 0) % slotCount) * 6);
      Atomics.store(control, 1, (head + 1) | 0);
    }
    settle();
    if (reports.length > 0) {
      port.postMessage(reports.length === 1 ? reports[0] : reports);
      reports = [];
    }
    if (Atomics.exchange(control, 2, 0) === 1) port.postMessage(0);
  }
  port.close();
}
