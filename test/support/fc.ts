import fc from 'fast-check';

/**
 * Runs fast-check properties with the seed, path and number of runs taken from the environment, and prints on
 * failure what reproduces it:
 *
 *   KEEL_FC_SEED=123 KEEL_FC_PATH=4:2 npx vitest run test/mvcc/model.test.ts
 *
 * KEEL_FC_RUNS raises (or lowers) the number of runs of every property, e.g. for a night's soak.
 */
export interface CheckOptions {
  /** Runs of the property where KEEL_FC_RUNS does not say otherwise. Default 100. */
  runs?: number;
  /** A fixed seed, where a test wants the same examples every day. Default: a new one each time. */
  seed?: number;
  /** Examples that are always tried first. */
  examples?: unknown[][];
  /** The test's file, named in the line that reproduces a failure. Default: taken from the stack. */
  file?: string;
}

/**
 * Checks a synchronous property.
 * @throws Error with counterexample, seed, path and a line that reproduces it
 */
export function check<Ts>(property: fc.IProperty<Ts>, opts: CheckOptions = {}): void {
  const file = opts.file ?? callerFile();
  report(fc.check(property, parameters<Ts>(opts)), file);
}

/** The same for a property with promises in it. */
export async function checkAsync<Ts>(property: fc.IAsyncProperty<Ts>, opts: CheckOptions = {}): Promise<void> {
  const file = opts.file ?? callerFile();
  report(await fc.check(property, parameters<Ts>(opts)), file);
}

/** What goes to fast-check: environment first, then the test's own options. */
export function parameters<Ts>(
  opts: CheckOptions,
  env: Record<string, string | undefined> = process.env,
): fc.Parameters<Ts> {
  const seed = env.KEEL_FC_SEED ? integer('KEEL_FC_SEED', env.KEEL_FC_SEED) : opts.seed;
  const path = env.KEEL_FC_PATH || undefined;
  if (path !== undefined && seed === undefined) throw new Error('KEEL_FC_PATH means nothing without KEEL_FC_SEED');
  const runs = env.KEEL_FC_RUNS ? integer('KEEL_FC_RUNS', env.KEEL_FC_RUNS) : (opts.runs ?? 100);
  return {
    numRuns: runs,
    ...(seed === undefined ? {} : { seed }),
    ...(path === undefined ? {} : { path }),
    // A path names one example of one seed; the hand-given ones would shift its numbering.
    ...(opts.examples === undefined || path !== undefined ? {} : { examples: opts.examples as Ts[] }),
  };
}

function integer(name: string, text: string): number {
  const n = Number(text);
  if (!Number.isSafeInteger(n)) throw new Error(`${name} is not an integer: ${text}`);
  return n;
}

function report<Ts>(details: fc.RunDetails<Ts>, file: string): void {
  if (!details.failed) return;
  const path = details.counterexamplePath ?? '';
  const lines = [
    `property failed after ${details.numRuns} runs and ${details.numShrinks} shrinks`,
    `{ seed: ${details.seed}, path: ${JSON.stringify(path)} }`,
    `reproduce: KEEL_FC_SEED=${details.seed} KEEL_FC_PATH=${path} npx vitest run ${file}`,
  ];
  if (details.counterexample !== null) lines.push(`counterexample: ${fc.stringify(details.counterexample)}`);
  const cause = details.errorInstance;
  if (cause instanceof Error) lines.push(cause.stack ?? cause.message);
  else if (cause !== null && cause !== undefined) lines.push(String(cause));
  if (details.interrupted) lines.push('(the run was interrupted)');
  throw new Error(lines.join('\n'), { cause });
}

function callerFile(): string {
  const match = /(test\/[\w./-]+\.test\.ts)/.exec(new Error().stack ?? '');
  return match?.[1] ?? '<file>';
}
