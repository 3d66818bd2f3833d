import type { IoCallback } from '../util/env.js';
import type { Rng } from '../util/rng.js';
import type { SimFile } from './sim-file.js';

/** One queued operation. Plain ones run in no time; a sync takes time, and then calls back. */
export interface QueuedOp {
  readonly file: SimFile;
  readonly kind: 'plain' | 'sync' | 'report';
  /** What it does. A sync's: after the fdatasync, if that succeeded. */
  readonly run: (() => void) | null;
  readonly cb: IoCallback | null;
}

/**
 * The disk's thread, in virtual time: operations of all files one after the other. As in the real one, syncs are held back
 * while what waits next is on the same file.
 */
export class SimDiskQueue {
  readonly #schedule: (delayUs: number, fn: () => void) => void;
  readonly #startUs: () => number;
  #ops: QueuedOp[] = [];
  /** Syncs of one file that wait for one fdatasync. */
  #held: QueuedOp[] = [];
  /** A step is scheduled, or an fdatasync runs. */
  #busy = false;
  #dead = false;

  constructor(schedule: (delayUs: number, fn: () => void) => void, startUs: () => number) {
    this.#schedule = schedule;
    this.#startUs = startUs;
  }

  get dead(): boolean {
    return this.#dead;
  }

  push(op: QueuedOp): void {
    if (this.#dead) return;
    this.#ops.push(op);
    if (!this.#busy) this.#later(this.#startUs(), () => this.#step());
  }

  /** The thread dies: it had run up to anywhere in its queue. Nobody is told any more. */
  die(rng: Rng): void {
    this.#dead = true;
    const held = this.#held;
    const ops = this.#ops;
    this.#held = [];
    this.#ops = [];
    if (held.length > 0) {
      if (!rng.chance(1, 2)) return;
      this.#finish(held);
    }
    for (const op of ops.slice(0, rng.below(ops.length + 1))) {
      if (op.kind === 'sync') this.#finish([op]);
      else if (op.file.error === null) op.file.attempt(op.run);
    }
  }

  #later(us: number, fn: () => void): void {
    this.#busy = true;
    this.#schedule(us, () => {
      if (this.#dead) return;
      this.#busy = false;
      fn();
    });
  }

  #step(): void {
    while (!this.#busy && !this.#dead) {
      const op = this.#ops[0];
      const held = this.#held[0];
      if (held !== undefined && (op === undefined || op.file !== held.file || op.kind === 'report')) {
        const us = held.file.error === null ? held.file.syncDelayUs() : 0;
        this.#later(us, () => this.#synced());
        return;
      }
      if (op === undefined) return;
      this.#ops.shift();
      if (op.kind === 'sync') this.#held.push(op);
      else {
        if (op.file.error === null) op.file.attempt(op.run);
        op.cb?.(op.file.error);
      }
    }
  }

  #synced(): void {
    const held = this.#held;
    this.#held = [];
    this.#finish(held);
    const { file } = held[0]!;
    for (const op of held) {
      if (this.#dead) return;
      op.cb?.(file.error);
    }
    this.#step();
  }

  /** One fdatasync for several syncs, and the last one's note. */
  #finish(held: readonly QueuedOp[]): void {
    const { file } = held[0]!;
    file.syncNow();
    if (file.error === null) held.findLast((op) => op.run !== null)?.run?.();
  }
}
