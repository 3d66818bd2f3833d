import { PROGRAM } from '../../about.js';
import type { Context } from '../../context.js';
import { Exit, Fail } from '../../fail.js';
import { loadOf, mustBeUnused, putMany, tellErrors, tidyUp } from './check.js';
import { ProgressBar } from './progress-bar.js';

/** Writes a second, clients, and for how many seconds. */
const LOADS = {
  s: { limit: 150, clients: 50, seconds: 60 },
  m: { limit: 1000, clients: 200, seconds: 60 },
  l: { limit: 8000, clients: 500, seconds: 60 },
  xl: { limit: 15000, clients: 1000, seconds: 60 },
};

const KEY_BYTES = 256;
const VALUE_BYTES = 1024;
/** What passes: nine tenths of the rate, no request over half a second, a deviation of a tenth. */
const RATE_MIN = 0.9;
const SLOWEST_MAX = 0.5;
const STDDEV_MAX = 0.1;

/** Does the cluster take so many writes a second for a minute? */
export async function runCheckPerf(context: Context): Promise<void> {
  const { limit, clients, seconds } = loadOf(context, LOADS);
  const prefix = context.flags.string('prefix');
  await mustBeUnused(context, prefix, (keys) => `'${PROGRAM} del --prefix ${keys}'`);
  const bar = new ProgressBar(context.io, seconds);
  let left = seconds;
  const tick = (): void => {
    if (left-- > 0) bar.increment();
  };
  const ticks = setInterval(tick, 1000);
  const pace = new Pace(limit, seconds);
  const load = { clients, prefix, keyBytes: KEY_BYTES, valueBytes: VALUE_BYTES };
  const stats = await putMany(
    context,
    load,
    () => pace.next(),
    () => {},
  );
  clearInterval(ticks);
  while (left > 0) tick();
  bar.finish();
  await tidyUp(context, prefix);

  const { io } = context;
  let ok = tellErrors(context, stats);
  const rate = Math.floor(stats.rps) + 1;
  const judge = (passes: boolean, pass: string, fail: string): void => {
    io.out(`${passes ? pass : fail}\n`);
    ok &&= passes;
  };
  judge(
    stats.rps / limit > RATE_MIN,
    `PASS: Throughput is ${rate} writes/s`,
    `FAIL: Throughput too low: ${rate} writes/s`,
  );
  const slowest = stats.slowest.toFixed(6);
  judge(
    stats.slowest <= SLOWEST_MAX,
    `PASS: Slowest request took ${slowest}s`,
    `Slowest request took too long: ${slowest}s`,
  );
  const stddev = stats.stddev.toFixed(6);
  judge(stats.stddev <= STDDEV_MAX, `PASS: Stddev is ${stddev}s`, `Stddev too high: ${stddev}s`);
  io.out(ok ? 'PASS\n' : 'FAIL\n');
  if (!ok) throw new Fail(Exit.ERROR, null);
}

/** Lets so many a second through, evenly, until the time is over. */
class Pace {
  readonly #stepMs: number;
  readonly #end: number;
  #at = performance.now();

  constructor(perSecond: number, seconds: number) {
    this.#stepMs = 1000 / perSecond;
    this.#end = this.#at + seconds * 1000;
  }

  async next(): Promise<boolean> {
    const now = performance.now();
    // What was not asked for in time is not made up for.
    this.#at = Math.max(this.#at + this.#stepMs, now);
    const at = this.#at;
    if (at >= this.#end) return false;
    if (at > now) await new Promise((resolve) => setTimeout(resolve, at - now));
    return true;
  }
}
