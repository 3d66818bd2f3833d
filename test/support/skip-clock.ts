import type { KubeClock } from '../../src/kube/kit/api.js';

interface Timer {
  readonly fn: () => void;
  readonly at: number;
  real: NodeJS.Timeout | null;
}

/** The machine's time, which a test can put forward: timers whose hour has come then fire at once. */
export class SkipClock implements KubeClock {
  #ahead = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return Date.now() + this.#ahead;
  }

  setTimeout(fn: () => void, ms: number): unknown {
    const timer: Timer = { fn, at: this.now() + ms, real: null };
    this.#timers.add(timer);
    this.#arm(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    if (handle === null || handle === undefined) return;
    const timer = handle as Timer;
    this.#timers.delete(timer);
    if (timer.real !== null) clearTimeout(timer.real);
  }

  skip(ms: number): void {
    this.#ahead += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.real !== null) clearTimeout(timer.real);
      this.#arm(timer);
    }
  }

  #arm(timer: Timer): void {
    const wait = Math.min(Math.max(0, timer.at - this.now()), 2 ** 31 - 1);
    timer.real = setTimeout(() => {
      if (!this.#timers.delete(timer)) return;
      timer.fn();
    }, wait);
    timer.real.unref();
  }
}
