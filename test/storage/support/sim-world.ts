import type { SimLevelOptions } from '../../../src/sim/store.js';
import { SimLevel } from '../../../src/sim/store.js';
import type { Env, Timers } from '../../../src/util/env.js';
import { nullLogger } from '../../../src/util/log.js';
import { Rng } from '../../../src/util/rng.js';
import { MemDisk } from './mem-disk.js';

interface Event {
  readonly at: number;
  readonly seq: number;
  readonly fn: () => void;
  /** Timers and deferred calls die with the process; the store's own events look after themselves. */
  readonly epoch: number;
}

/** One member's disk and stores in virtual time: what the storage rooms need of an environment, and no more. */
export class SimWorld {
  readonly rng: Rng;
  readonly disk: MemDisk;
  readonly stores: SimLevel;
  readonly env: Env;
  now = 0;
  #events: Event[] = [];
  #seq = 0;
  #epoch = 0;
  /** Events run by themselves in turns of the real event loop: for tests written with promises. */
  readonly #auto: boolean;
  #turn = false;

  constructor(seed: number, options: Partial<SimLevelOptions> = {}, auto = false) {
    this.rng = new Rng(seed);
    this.#auto = auto;
    this.disk = new MemDisk(this.rng.split('disk'));
    const rng = this.rng.split('store');
    this.stores = new SimLevel({ schedule: (us, fn) => this.#at(us, fn, -1), rng, disk: this.disk, options });
    const timers: Timers = {
      set: (ms, fn) => this.#at(ms * 1000, fn, this.#epoch),
      clear: (event) => {
        this.#events = this.#events.filter((e) => e !== event);
      },
      defer: (fn) => void this.#at(0, fn, this.#epoch),
    };
    const unused = {} as never;
    this.env = {
      clock: { now: () => this.now / 1000, wall: () => this.now / 1000 },
      timers,
      rng: this.rng.split('env'),
      disk: this.disk,
      stores: this.stores,
      net: unused,
      crypto: unused,
      log: nullLogger,
      fatal: (err) => {
        throw err;
      },
    };
  }

  #at(us: number, fn: () => void, epoch: number): Event {
    const event = { at: this.now + us, seq: this.#seq++, fn, epoch };
    let i = this.#events.length;
    while (i > 0 && this.#events[i - 1]!.at > event.at) i--;
    this.#events.splice(i, 0, event);
    if (this.#auto) this.#kick();
    return event;
  }

  #kick(): void {
    if (this.#turn) return;
    this.#turn = true;
    setImmediate(() => {
      this.#turn = false;
      if (this.step()) this.#kick();
    });
  }

  /** Runs the next event. @returns false if there is none */
  step(): boolean {
    const event = this.#events.shift();
    if (event === undefined) return false;
    this.now = event.at;
    if (event.epoch === -1 || event.epoch === this.#epoch) event.fn();
    return true;
  }

  /** Runs events for so many microseconds of virtual time. */
  runFor(us: number): void {
    const end = this.now + us;
    while (this.#events.length > 0 && this.#events[0]!.at <= end) this.step();
    this.now = end;
  }

  /** Runs until `done` gives something. */
  until<T>(done: () => T | undefined, steps = 100_000): T {
    for (let i = 0; i < steps; i++) {
      const result = done();
      if (result !== undefined) return result;
      if (!this.step()) throw new Error('nothing is left to happen');
    }
    throw new Error('too many steps');
  }

  /** Calls something with a callback and runs until it has called back. */
  wait<T>(call: (cb: (err: Error | null, value?: T | null) => void) => void): T {
    let outcome: { err: Error | null; value: T } | undefined;
    call((err, value) => {
      outcome = { err, value: value as T };
    });
    const { err, value } = this.until(() => outcome);
    if (err !== null) throw err;
    return value;
  }

  /** Power cut. */
  crash(): void {
    this.#epoch++;
    this.stores.crash();
    this.disk.crash();
  }

  kill(): void {
    this.#epoch++;
    this.stores.kill();
  }
}
