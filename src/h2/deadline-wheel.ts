import type { Clock, TimerHandle, Timers } from '../util/env.js';

/** What has a deadline: a link of the list of one slot. */
export interface Timed {
  /** ms on the clock. */
  deadline: number;
  wheelNext: Timed | null;
  wheelPrevious: Timed | null;
  /** Its slot; -1: it is in none. */
  wheelSlot: number;
  onDeadline(): void;
}

const SLOTS = 512;
const SLOT_MS = 16;

/**
 * Deadlines of calls, most of which are over before. Adding and removing touch two links; one timer runs while there is
 * any, and visits the slots whose time has come. A deadline further off than a turn of the wheel is passed by.
 */
export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #slots: (Timed | null)[] = new Array<Timed | null>(SLOTS).fill(null);
  #count = 0;
  /** Slots before this one (in units of SLOT_MS since the clock's zero) were visited. */
  #visited = 0;
  #timer: TimerHandle | null = null;
  readonly #onTimer = (): void => {
    this.#timer = null;
    this.#visit(this.#clock.now());
    if (this.#count > 0) this.#arm();
  };

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  get count(): number {
    return this.#count;
  }

  add(timed: Timed, now: number): void {
    if (this.#count === 0) this.#visited = Math.floor(now / SLOT_MS);
    // In the slot after its time, so that the visit does not come before it.
    const slot = (Math.max(Math.floor(timed.deadline / SLOT_MS), this.#visited) + 1) % SLOTS;
    const first = this.#slots[slot]!;
    timed.wheelSlot = slot;
    timed.wheelNext = first;
    timed.wheelPrevious = null;
    if (first !== null) first.wheelPrevious = timed;
    this.#slots[slot] = timed;
    this.#count++;
    if (this.#timer === null) this.#arm();
  }

  remove(timed: Timed): void {
    if (timed.wheelSlot < 0) return;
    const { wheelNext: next, wheelPrevious: previous } = timed;
    if (next !== null) next.wheelPrevious = previous;
    if (previous !== null) previous.wheelNext = next;
    else this.#slots[timed.wheelSlot] = next;
    timed.wheelNext = null;
    timed.wheelPrevious = null;
    timed.wheelSlot = -1;
    this.#count--;
  }

  stop(): void {
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = this.#timers.set(SLOT_MS, this.#onTimer);
  }

  #visit(now: number): void {
    const until = Math.floor(now / SLOT_MS);
    // After a long sleep once round is all there is.
    const from = Math.max(this.#visited + 1, until - SLOTS + 1);
    this.#visited = until;
    for (let tick = from; tick <= until; tick++) {
      let timed: Timed | null = this.#slots[tick % SLOTS]!;
      while (timed !== null) {
        const next: Timed | null = timed.wheelNext;
        if (timed.deadline <= now) {
          this.remove(timed);
          timed.onDeadline();
        }
        timed = next;
      }
    }
  }
}
