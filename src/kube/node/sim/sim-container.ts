import type { KubeClock } from '../../kit/index.js';
import type { LogBook } from '../log-book.js';
import type { Exit, RunningContainer } from '../runtime.js';
import type { SimRules } from './rules.js';

/** One run of a container that is only played. */
export class SimContainer implements RunningContainer {
  readonly id: string;
  readonly startedAt: number;
  readonly exited: Promise<Exit>;
  readonly log: LogBook;
  readonly #clock: KubeClock;
  readonly #rules: () => SimRules;
  readonly #timers = new Set<unknown>();
  #resolve!: (exit: Exit) => void;
  #over = false;
  #stopping = false;

  /** @param rules as they are now; annotations change while it runs */
  constructor(id: string, clock: KubeClock, log: LogBook, rules: () => SimRules, restart: number, startedAt: number) {
    this.id = id;
    this.#clock = clock;
    this.log = log;
    this.#rules = rules;
    this.startedAt = startedAt;
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#play(restart);
  }

  get isOver(): boolean {
    return this.#over;
  }

  stop(graceMs: number): void {
    if (this.#over) return;
    if (graceMs <= 0) return this.#exit(137, 9);
    this.#after(graceMs, () => this.#exit(137, 9));
    if (this.#stopping) return;
    this.#stopping = true;
    const { stopMs } = this.#rules();
    if (stopMs !== null) this.#after(Math.min(stopMs, graceMs), () => this.#exit(0));
  }

  #play(restart: number): void {
    const { runMs, laterRunMs, exitCode, failures, steps, log } = this.#rules();
    const age = this.#clock.now() - this.startedAt;
    if (log !== null) this.#say();
    if (steps !== null) return this.#step(0);
    const fails = exitCode !== 0 && restart < failures;
    const lasts = exitCode !== 0 && !fails ? laterRunMs : runMs;
    if (lasts !== null) this.#after(Math.max(0, lasts - age), () => this.#exit(fails ? exitCode : 0));
  }

  #step(at: number): void {
    const step = this.#rules().steps?.[at];
    if (step === undefined) return this.#soon(() => this.#exit(0));
    switch (step.kind) {
      case 'say':
        this.log.write(this.#clock.now(), step.text);
        return this.#step(at + 1);
      case 'sleep':
        if (Number.isFinite(step.ms)) this.#after(step.ms, () => this.#step(at + 1));
        return;
      case 'exit':
        return this.#soon(() => this.#exit(step.code));
      case 'again':
        return this.#step(0);
    }
  }

  #say(): void {
    const { log, logEveryMs } = this.#rules();
    if (log !== null) this.log.write(this.#clock.now(), log);
    this.#after(Math.max(10, logEveryMs), () => this.#say());
  }

  #exit(exitCode: number, signal?: number): void {
    if (this.#over) return;
    this.#over = true;
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#timers.clear();
    this.log.close();
    const finishedAt = this.#clock.now();
    this.#resolve({ exitCode, ...(signal === undefined ? {} : { signal }), startedAt: this.startedAt, finishedAt });
  }

  /** Nobody has heard yet that it runs. */
  #soon(act: () => void): void {
    this.#after(20, act);
  }

  #after(ms: number, act: () => void): void {
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#over) act();
    }, ms);
    this.#timers.add(timer);
  }
}
