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
  /** ms after which no further history is begun. Default: none. */
  readonly limitMs?: number;
  /** ms that shrinking may take. Default: 2 minutes. */
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
  const counts: Counts = { operations: 0, known: new Map(), refused: 0 };
  const until = Date.now() + (options.limitMs ?? Number.POSITIVE_INFINITY);
  let pair: Pair | null = null;
  const over = (): boolean => counts.operations >= options.operations || Date.now() > until;
  const property = fc.asyncProperty(histories, async (operations: Operation[]) => {
    if (over()) return;
    // One pair serves all histories, as long as nothing differs.
    pair ??= await Pair.start();
    await new History(pair, counts).run(operations);
    options.progress?.(counts);
  });
  try {
    for (let seed = options.seed; !over(); seed++) {
      const path = options.path === undefined ? {} : { path: options.path };
      // Whatever shrinks it has to begin with fresh servers, so it is done here and not by fast-check.
      const details = await fc.check(property, { seed, numRuns: HISTORIES, endOnFailure: true, ...path });
      if (details.failed) {
        const [operations] = details.counterexample as [Operation[]];
        const shortest = await shrink(operations, options.shrinkMs ?? 120_000);
        return { counts, failure: describe(details, operations.length, shortest) };
      }
      if (options.path !== undefined) break;
    }
    return { counts, failure: null };
  } finally {
    await (pair as Pair | null)?.stop();
  }
}

interface Shortest {
  readonly operations: readonly Operation[];
  /** null: with fresh servers nothing differed. */
  readonly message: string | null;
}

/** Leaves out ever smaller parts of a history, as long as what is left differs as well. */
async function shrink(operations: readonly Operation[], ms: number): Promise<Shortest> {
  const until = Date.now() + ms;
  let best = await attempt(operations);
  for (let size = Math.ceil(best.operations.length / 2); best.message !== null; size = Math.ceil(size / 2)) {
    for (let at = 0; at < best.operations.length && Date.now() < until; ) {
      const rest = await attempt([...best.operations.slice(0, at), ...best.operations.slice(at + size)]);
      if (rest.message === null) at += size;
      else best = rest;
    }
    if (size <= 1 || Date.now() >= until) break;
  }
  return best;
}

/** A history on fresh servers; what follows its first difference is left out. */
async function attempt(operations: readonly Operation[]): Promise<Shortest> {
  const counts: Counts = { operations: 0, known: new Map(), refused: 0 };
  const pair = await Pair.start();
  try {
    await new History(pair, counts).run(operations);
    return { operations, message: null };
  } catch (err) {
    const message = err instanceof Difference ? err.message : String((err as Error).stack);
    return { operations: operations.slice(0, counts.operations + 1), message };
  } finally {
    await pair.stop();
  }
}

function describe(details: fc.RunDetails<[Operation[]]>, length: number, shortest: Shortest): string {
  const { seed, counterexamplePath, errorInstance } = details;
  const first = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return [
    shortest.message ?? `${first}\n(not with fresh servers: what an earlier history left plays a part)`,
    `a history that shows it, ${shortest.operations.length} of ${length} steps:`,
    ...shortest.operations.slice(-30).map((operation) => `  ${JSON.stringify(operation, abridged)}`),
    `reproduce: npm run test:differential -- --seed ${seed} --path ${counterexamplePath}`,
  ].join('\n');
}

function abridged(_name: string, value: unknown): unknown {
  return typeof value === 'string' && value.length > 50 ? `${value.slice(0, 8)}... (${value.length})` : value;
}
