import { it } from 'vitest';
import { Rng } from '../../src/util/rng.js';
import { FAULTS, longRun } from './support/chaos.js';

/** KEEL_RAFT_SEEDS=FROM-TO; a failure names its seed, and that seed alone reproduces it. */
const [from, to] = (process.env.KEEL_RAFT_SEEDS ?? '1-1500').split('-').map(Number) as [number, number];

it(`keeps every invariant, seeds ${from} to ${to}`, { timeout: 600_000 }, () => {
  for (let seed = from; seed <= to; seed++) {
    const rng = new Rng(seed);
    const run = {
      size: rng.pick([1, 2, 3, 3, 3, 4, 5]),
      slowDisks: rng.chance(2, 3),
      seed,
      settings: {
        preVote: rng.chance(2, 3),
        electionTicks: rng.between(3, 12),
        maxAppendBytes: rng.pick([1, 100, 1024 * 1024]),
        maxInflightMessages: rng.between(1, 8),
        maxUncommittedBytes: rng.pick([200, 1024 * 1024]),
        maxCommittedBytesPerReady: rng.pick([1, 100, 1024 * 1024]),
      },
      faults: FAULTS.filter(() => rng.chance(1, 2)),
    };
    try {
      longRun(run, 3000);
    } catch (cause) {
      throw new Error(
        `reproduce: KEEL_TEST_ALL=1 KEEL_RAFT_SEEDS=${seed}-${seed} npx vitest run test/raft/chaos.long`,
        {
          cause,
        },
      );
    }
  }
});
