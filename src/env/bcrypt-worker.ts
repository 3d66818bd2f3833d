import type * as Threads from 'node:worker_threads';

export interface BcryptJob {
  readonly id: number;
  readonly password: string;
  /** To be made with this cost; 0: to be compared with `hash`. */
  readonly cost: number;
  readonly hash: string;
}

export interface BcryptResult {
  readonly id: number;
  readonly error: string | null;
  readonly hash: string;
  readonly same: boolean;
}

interface Bcrypt {
  genSaltSync(rounds: number): string;
  hashSync(password: string, salt: string): string;
  compareSync(password: string, hash: string): boolean;
}

/**
 * The program of the thread that hashes passwords: a hash takes some 60 ms at the default cost. Started from its own text,
 * like the disk's (disk-worker.ts): nothing from outside the function may be used in it but types.
 */
export function bcryptWorker(load: (name: string) => unknown): void {
  const threads = load('node:worker_threads') as typeof Threads;
  const bcrypt = load((threads.workerData as { module: string }).module) as Bcrypt;
  const port = threads.parentPort as Threads.MessagePort;
  port.on('message', ({ id, password, cost, hash }: BcryptJob) => {
    try {
      if (cost === 0) {
        port.postMessage({ id, error: null, hash: '', same: bcrypt.compareSync(password, hash) });
      } else {
        // etcd writes $2a$; the algorithm is the same.
        const salt = bcrypt.genSaltSync(cost).replace(/^\$2[by]\$/, '$2a$');
        port.postMessage({ id, error: null, hash: bcrypt.hashSync(password, salt), same: false });
      }
    } catch (err) {
      port.postMessage({ id, error: String((err as Error).message), hash: '', same: false });
    }
  });
}
