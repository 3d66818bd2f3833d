import type { Rng } from '../util/rng.js';
import type { SimEvent } from './event-heap.js';
import { EventHeap } from './event-heap.js';

/** A handle of `schedule`; cancelling one that has happened does nothing. */
export type SimTimer = SimEvent;

/**
 * Virtual time. Events happen one by one, the clock jumps from each to the next, and one seed decides everything:
 * nothing in here or in what it calls looks at the real clock, or draws from anything but an Rng of the seed.
 */
export class Engine {
  readonly #heap = new EventHeap();
  readonly #tieRng: Rng | null;
  #now = 0;
  #seq = 0;
  #events = 0;
  #hash = 0x811c9dc5;

  /** @param tieRng draws the order of events of one moment; null: in the order they were asked for */
  constructor(tieRng: Rng | null = null) {
    this.#tieRng = tieRng;
  }

  /** µs since the start. */
  get now(): number {
    return this.#now;
  }

  /** How many events have happened. */
  get events(): number {
    return this.#events;
  }

  /** Over the time and order of all events so far: two runs of one seed have the same. */
  get traceHash(): number {
    return this.#hash >>> 0;
  }

  /** Mixes what happened into the trace hash. */
  note(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193);
  }

  /**
   * @param delayUs rounded up to whole µs, at least 0
   * @param life the process that it happens to
   */
  schedule(delayUs: number, fn: () => void, life: SimEvent['life'] = null): SimTimer {
    const at = this.#now + Math.max(0, Math.ceil(delayUs));
    const tie = this.#tieRng === null ? 0 : this.#tieRng.u32();
    const event: SimEvent = { at, tie, seq: ++this.#seq, life, fn };
    this.#heap.push(event);
    return event;
  }

  cancel(event: SimTimer): void {
    event.fn = null;
  }

  /** How many events of a life are to come. Looks at all that there are. */
  waiting(life: SimEvent['life']): number {
    return this.#heap.count((event) => event.life === life && event.fn !== null);
  }

  /** Lets the next event happen. @returns false if there is none */
  step(): boolean {
    for (;;) {
      const event = this.#heap.pop();
      if (event === undefined) return false;
      const { fn } = event;
      if (fn === null) continue;
      this.#now = event.at;
      this.#events++;
      this.note(event.at);
      this.note(event.seq);
      if (event.life === null) {
        event.fn = null;
        fn();
      } else event.life.happen(event);
      return true;
    }
  }

  /** Runs until virtual time reaches `untilUs`, or `stop` says so after an event. */
  run(untilUs: number, stop?: () => boolean): void {
    for (;;) {
      const next = this.#heap.peek();
      if (next === undefined || next.at > untilUs) break;
      if (!this.step()) break;
      if (stop?.() === true) return;
    }
    if (this.#now < untilUs) this.#now = untilUs;
  }
}

/**
 * One life of a process: what it scheduled dies with it, and while it is paused its events wait, to happen late and
 * all at once when it goes on.
 */
export class Life {
  readonly #engine: Engine;
  readonly #onError: (err: Error) => void;
  #alive = true;
  #paused = false;
  /** One that is cancelled meanwhile has no `fn` any more. */
  #late: { fn: (() => void) | null }[] = [];
  #resuming: SimTimer | null = null;
  /** Events until `onDoom`; 0: none is due. */
  #doom = 0;
  #onDoom: (() => void) | null = null;

  /** @param onError what an event of this life throws: the process dies of it */
  constructor(engine: Engine, onError: (err: Error) => void) {
    this.#engine = engine;
    this.#onError = onError;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get paused(): boolean {
    return this.#paused;
  }

  schedule(delayUs: number, fn: () => void): SimTimer {
    return this.#engine.schedule(delayUs, fn, this);
  }

  /** @internal An event of this life is due. */
  happen(event: SimEvent): void {
    if (this.#alive && this.#paused) {
      this.#late.push(event);
      return;
    }
    const { fn } = event;
    event.fn = null;
    if (fn !== null) this.run(fn);
  }

  /** Runs something that happens to this process, now or when it is no longer paused. */
  run(fn: () => void): void {
    if (!this.#alive) return;
    if (this.#paused) {
      this.#late.push({ fn });
      return;
    }
    try {
      fn();
    } catch (err) {
      this.#onError(err as Error);
    }
    if (this.#doom > 0 && --this.#doom === 0 && this.#alive) this.#onDoom?.();
  }

  /** Calls `fn` after so many more events of this life, unless it is over by then; 0 takes it back. */
  doomAfter(events: number, fn: () => void): void {
    this.#doom = events;
    this.#onDoom = fn;
  }

  pause(): void {
    this.#paused = true;
    this.#resuming = null;
  }

  /** What is late happens in the order in which it was due: what came over one connection stays in order. */
  resume(): void {
    if (!this.#paused || this.#resuming !== null) return;
    this.#resuming = this.#engine.schedule(0, () => {
      if (this.#resuming === null) return;
      this.#resuming = null;
      this.#paused = false;
      const late = this.#late;
      this.#late = [];
      for (const { fn } of late) if (fn !== null) this.run(fn);
    });
  }

  end(): void {
    this.#alive = false;
    this.#late = [];
  }
}
