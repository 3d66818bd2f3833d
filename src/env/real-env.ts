import { randomBytes, randomInt } from 'node:crypto';
import type { Clock, Env, SlowCrypto, TimerHandle, Timers } from '../util/env.js';
import type { Logger } from '../util/log.js';
import { Rng } from '../util/rng.js';
import { BcryptThread } from './bcrypt.js';
import { JsonLogger } from './json-logger.js';
import type { LevelOptions } from './level-store.js';
import { LevelStores } from './level-store.js';
import { RealDisk } from './real-disk.js';
import { RealNet } from './real-net.js';
import { makeTokenSigner } from './token-signer.js';

export interface RealEnvOptions {
  /** Default: JSON lines to stderr. */
  readonly log?: Logger;
  /** What ends a member that cannot go on. Default: logs it and exits the process with 1. */
  readonly fatal?: (err: Error) => void;
  readonly level?: Partial<LevelOptions>;
  /** Default: whether KEEL_TEST_LOSSY_DISK is 1. */
  readonly lossyDisk?: boolean;
  /** Default: from the system. */
  readonly seed?: number;
}

const clock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
};

const timers: Timers = {
  set: (delayMs, fn) => setTimeout(fn, delayMs),
  clear: (handle: TimerHandle) => clearTimeout(handle as NodeJS.Timeout),
  defer: (fn) => {
    setImmediate(fn);
  },
};

/** The real machine, as one member of this process sees it. To be closed. */
export class RealEnv implements Env {
  readonly clock = clock;
  readonly timers = timers;
  readonly crypto: SlowCrypto;
  readonly #bcrypt = new BcryptThread();
  readonly rng: Rng;
  readonly disk: RealDisk;
  readonly stores: LevelStores;
  readonly net = new RealNet();
  readonly log: Logger;
  readonly #fatal: (err: Error) => void;

  constructor(options: RealEnvOptions = {}) {
    this.crypto = {
      bcryptHash: (password, cost, cb) => this.#bcrypt.hash(password, cost, cb),
      bcryptCompare: (password, hash, cb) => this.#bcrypt.compare(password, hash, cb),
      randomBytes,
      tokenSigner: makeTokenSigner,
    };
    this.rng = new Rng(options.seed ?? randomInt(2 ** 48 - 1));
    this.disk = new RealDisk(options.lossyDisk === undefined ? {} : { lossy: options.lossyDisk });
    this.stores = new LevelStores(options.level);
    const log = options.log ?? new JsonLogger();
    this.log = log;
    this.#fatal =
      options.fatal ??
      ((err) => {
        log.error('the member cannot go on; the process ends', { error: err.message, stack: err.stack });
        process.exit(1);
      });
  }

  fatal(err: Error): void {
    this.#fatal(err);
  }

  /** Ends the threads and gives back reserved ports. Files, stores and listeners are closed by who opened them. */
  close(cb: () => void): void {
    this.#bcrypt.close();
    this.net.release(() => this.disk.stop(cb));
  }
}
