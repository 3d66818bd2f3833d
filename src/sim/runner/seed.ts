import type { Logger } from '../../util/log.js';
import type { FaultEvent } from '../faults/kinds.js';
import type { SimOptions } from '../options.js';
import type { RunResult } from '../run.js';
import { run } from '../run.js';
import { withTrap } from './trap.js';

export interface SeedInput {
  readonly options: SimOptions;
  readonly faults?: readonly FaultEvent[];
  readonly logger?: Logger;
  readonly timeline?: { now: () => number };
  readonly note?: (atUs: number, text: string) => void;
}

/** What a run found, in one line and in full; null: nothing. */
export interface Failure {
  readonly rule: string;
  readonly message: string;
}

export interface SeedResult {
  readonly result: RunResult | null;
  readonly failure: Failure | null;
}

/** Runs one seed behind the trap. What it throws is a failure too: a bug of the simulator, or an assertion of a checker. */
export function runSeed(input: SeedInput): SeedResult {
  try {
    const result = withTrap(() => run(input));
    const [first] = result.violations;
    return { result, failure: first === undefined ? null : { rule: first.rule, message: first.message } };
  } catch (err) {
    return { result: null, failure: { rule: 'the simulator threw', message: (err as Error).stack ?? String(err) } };
  }
}
