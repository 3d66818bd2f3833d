import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { BcryptJob, BcryptResult } from './bcrypt-worker.js';
import { bcryptWorker } from './bcrypt-worker.js';

/** Of bcrypt itself; Go's refuses more. */
const PASSWORD_BYTES_MAX = 72;

/** Hashes passwords in a thread of its own, one after the other; it is started with the first. */
export class BcryptThread {
  #worker: Worker | null = null;
  #lastId = 0;
  readonly #waiting = new Map<number, (result: BcryptResult) => void>();

  hash(password: string, cost: number, cb: (err: Error | null, hash: string) => void): void {
    if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) {
      setImmediate(cb, new Error('bcrypt: password length exceeds 72 bytes'), '');
      return;
    }
    this.#run({ password, cost, hash: '' }, ({ error, hash }) => cb(error === null ? null : new Error(error), hash));
  }

  compare(password: string, hash: string, cb: (err: Error | null, same: boolean) => void): void {
    this.#run({ password, cost: 0, hash }, ({ error, same }) => cb(error === null ? null : new Error(error), same));
  }

  /** What waits is answered with an error. */
  close(): void {
    const worker = this.#worker;
    this.#worker = null;
    if (worker !== null) worker.terminate().catch(() => {});
    this.#fail('the member is being closed');
  }

  #run(job: Omit<BcryptJob, 'id'>, done: (result: BcryptResult) => void): void {
    const worker = this.#started();
    const id = ++this.#lastId;
    this.#waiting.set(id, done);
    worker.ref();
    worker.postMessage({ id, ...job } satisfies BcryptJob);
  }

  #started(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(`(${bcryptWorker.toString()})(require);`, {
      eval: true,
      workerData: { module: createRequire(import.meta.url).resolve('bcryptjs') },
      execArgv: [],
      env: {},
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64, stackSizeMb: 1 },
    });
    worker.unref();
    worker.on('message', (result: BcryptResult) => {
      const done = this.#waiting.get(result.id);
      this.#waiting.delete(result.id);
      if (this.#waiting.size === 0) worker.unref();
      done?.(result);
    });
    // The next call starts another.
    worker.on('error', (err: Error) => {
      if (this.#worker === worker) this.#worker = null;
      this.#fail(err.message);
    });
    this.#worker = worker;
    return worker;
  }

  #fail(error: string): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [id, done] of waiting) setImmediate(done, { id, error, hash: '', same: false });
  }
}
