import { drawOptions } from '../options.js';
import { runSeed } from './seed.js';

/**
 * One line a seed: its number, the hash over time and order of all events, and how many there were. The same lines come
 * from any machine and any version of Node.
 * @returns how many seeds failed
 */
export function printHashes(seeds: number, from: number, print: (line: string) => void): number {
  let failures = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    const { result, failure } = runSeed({ options: drawOptions(seed) });
    if (failure !== null) failures++;
    const hash = result?.traceHash.toString(16).padStart(8, '0') ?? '-';
    print(`${seed} ${hash} ${result?.events ?? 0}${failure === null ? '' : ` FAILED: ${failure.rule}`}`);
  }
  return failures;
}
