import { appendFileSync } from 'node:fs';
import type { SimOptions } from '../options.js';
import { drawOptions } from '../options.js';
import type { SimArguments } from './arguments.js';
import { reproduceLine } from './arguments.js';
import { Coverage, hours } from './coverage.js';
import type { Failure } from './seed.js';
import { runSeed } from './seed.js';
import { faultsOf, shrink } from './shrink.js';
import { Timeline } from './trace.js';

const SHRINK_MS = 60_000;
const PROGRESS_MS = 2000;

/** One call of the command: seeds one after the other, what was found, what was covered. */
export class Session {
  readonly #args: SimArguments;
  readonly #print: (line: string) => void;
  readonly #coverage = new Coverage();
  readonly #started = Date.now();
  #spoke = Date.now();
  #failures = 0;

  constructor(args: SimArguments, print: (line: string) => void) {
    this.#args = args;
    this.#print = print;
  }

  /** @returns how many seeds failed */
  run(): number {
    // Fresh seeds are many enough that no two days share them, and short enough to be typed.
    const first = this.#args.from ?? (Date.now() % 1_000_000_000) * 1000;
    const { seeds } = this.#args;
    let seed = first;
    for (; seed < first + seeds; seed++) {
      if (!this.#one(seed) && !this.#args.keepGoing) {
        seed++;
        break;
      }
    }
    this.#print(this.#coverage.table());
    const seconds = (Date.now() - this.#started) / 1000;
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    const factor = this.#coverage.virtualMs / 1000 / cpuSeconds;
    this.#print(
      `${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU: ${factor.toFixed(1)} simulated seconds in one; ${this.#failures} seeds failed`,
    );
    this.#log(first, seed - first, seconds);
    return this.#failures;
  }

  #one(seed: number): boolean {
    const options = drawOptions(seed, { ...this.#args.overrides, mutants: this.#args.mutants });
    const single = this.#args.seeds === 1;
    if (single) this.#print(JSON.stringify(options));
    const { faults: ids } = this.#args;
    const faults = ids === null ? faultsOf(options) : faultsOf(options).filter((fault) => ids.includes(fault.id));
    const timeline = this.#args.trace ? new Timeline(this.#print, this.#args.debug) : null;
    const { result, failure } = runSeed({
      options,
      faults,
      ...(timeline === null
        ? {}
        : { logger: timeline.logger(), timeline, note: (at, text) => timeline.note(at, text) }),
    });
    if (result !== null) {
      this.#coverage.add(result);
      if (single) this.#print(`trace hash ${result.traceHash.toString(16).padStart(8, '0')}, ${result.events} events`);
    }
    if (failure === null) {
      this.#progress(seed);
      return true;
    }
    this.#failures++;
    this.#report(seed, options, faults, failure);
    return false;
  }

  #report(seed: number, options: SimOptions, faults: ReturnType<typeof faultsOf>, failure: Failure): void {
    const { mutants, overrides, noShrink } = this.#args;
    this.#print(`seed ${seed} (${options.profile}) FAILED: ${failure.rule}\n${failure.message}`);
    let line = { overrides, faults: this.#args.faults, mutants };
    if (!noShrink) {
      const until = Date.now() + SHRINK_MS;
      const small = shrink(options, faults, failure, () => Date.now() < until);
      line = { overrides: { ...overrides, ...small.overrides }, faults: small.faults.map((f) => f.id), mutants };
      this.#print(`${small.faults.length} of ${faults.length} faults are left after ${small.runs} runs:`);
      for (const f of small.faults) {
        this.#print(`  ${f.id}: at ${f.at} ms ${f.kind} who=${f.who.join(',')} for ${f.forMs} ms n=${f.n}`);
      }
    }
    this.#print(`reproduce: ${reproduceLine(seed, line)}`);
  }

  #progress(seed: number): void {
    const now = Date.now();
    if (this.#args.trace || now - this.#spoke < PROGRESS_MS) return;
    this.#spoke = now;
    const { seeds, virtualMs, events, faults } = this.#coverage;
    const perSecond = Math.round((events * 1000) / Math.max(1, now - this.#started));
    this.#print(
      `seed ${seed}: ${seeds} passed, ${hours(virtualMs)} simulated, ${perSecond} events/s, ${faults} faults`,
    );
  }

  #log(first: number, seeds: number, seconds: number): void {
    const { virtualMs, events, faults } = this.#coverage;
    const line = {
      when: new Date().toISOString(),
      node: process.version,
      first,
      seeds,
      virtualHours: virtualMs / 3_600_000,
      events,
      faults,
      seconds,
      failures: this.#failures,
      mutants: this.#args.mutants,
    };
    appendFileSync(this.#args.ledger, `${JSON.stringify(line)}\n`);
  }
}
