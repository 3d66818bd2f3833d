import fc from 'fast-check';
import type { Counts } from './history.js';
import { Difference, History } from './history.js';
import type { Operation } from './operations.js';
import { anyOperation } from './operations.js';
import { Pair } from './pair.js';

export interface DifferentialOptions {
  /** Steps to take. */
  readonly operations: number;
  readonly seed: number;
  /** One history alone: the path that a failing run has printed. */
  readonly path?: string;
  /** ms that shrinking may take. Default: 3 minutes. */
  readonly shrinkMs?: number;
  readonly progress?: (counts: Counts) => void;
}

export interface DifferentialReport {
  readonly counts: Counts;
  /** null: no difference. */
  readonly failure: string | null;
}

/** Steps of one history. */
const LENGTH_MAX = 400;
const HISTORIES = 20;

const histories = fc.array(anyOperation, { minLength: 1, maxLength: LENGTH_MAX, size: 'max' });

/** Random histories, one after the other, until so many steps have been taken or two answers differ. */
export async function runDifferential(options: DifferentialOptions): Promise<DifferentialReport> {
  const counts: Counts = { operations: 0, known: new Map(), refused: 0, events: 0 };
  let pair: Pair | null = null;
  let giveUpAt = Number.POSITIVE_INFINITY;
  const property = fc.asyncProperty(histories, async (operations: Operation[]) => {
    if (giveUpAt === Number.POSITIVE_INFINITY && counts.operations >= options.operations) return;
    if (Date.now() > giveUpAt) return;
    pair ??= await Pair.start();
    try {
      await new History(pair, counts).run(operations);
    } catch (err) {
      if (!(err instanceof Difference)) console.error(err);
      // After a difference nothing is the same any more; what comes now are attempts to shrink it.
      if (giveUpAt === Number.POSITIVE_INFINITY) giveUpAt = Date.now() + (options.shrinkMs ?? 180_000);
      await pair.stop();
      pair = null;
      throw err;
    }
    options.progress?.(counts);
  });
  try {
    for (let seed = options.seed; counts.operations < options.operations; seed++) {
      const details = await fc.check(property, {
        seed,
        numRuns: HISTORIES,
        ...(options.path === undefined ? {} : { path: options.path }),
      });
      if (details.failed) return { counts, failure: describe(details) };
      if (options.path !== undefined) break;
    }
    return { counts, failure: null };
  } finally {
    await (pair as Pair | null)?.stop();
  }
}

function describe(details: fc.RunDetails<[Operation[]]>): string {
  const { seed, counterexamplePath, counterexample, errorInstance, numShrinks } = details;
  const [operations] = counterexample as [Operation[]];
  return [
    errorInstance instanceof Difference
      ? errorInstance.message
      : String((errorInstance as Error)?.stack ?? errorInstance),
    `the shortest history found (${numShrinks} times shrunk):`,
    ...operations.map((operation) => `  ${JSON.stringify(operation)}`),
    `reproduce: npm run test:differential -- --seed ${seed} --path ${counterexamplePath}`,
  ].join('\n');
}
