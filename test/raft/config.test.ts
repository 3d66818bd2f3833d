import { describe, expect, it } from 'vitest';
import type { InitialState, RaftConfig } from '../../src/raft/index.js';
import { NONE, Raft, RaftError } from '../../src/raft/index.js';
import { Rng } from '../../src/util/rng.js';
import { entries } from './support/solo.js';

const initial: InitialState = {
  hardState: { term: 3, vote: NONE, commit: 2 },
  confState: { voters: [1n, 2n, 3n], learners: [] },
  snapshotIndex: 0,
  snapshotTerm: 0,
  entries: entries([1, 2, 2]),
  applied: 1,
};

const config: RaftConfig = {
  id: 1n,
  electionTicks: 10,
  heartbeatTicks: 1,
  rng: new Rng(1),
  initial,
  snapshotSource: () => null,
};

function refusal(change: Partial<RaftConfig>): string {
  try {
    new Raft({ ...config, ...change });
  } catch (e) {
    if (e instanceof RaftError) return `${e.code} ${e.message}`;
    throw e;
  }
  return 'accepted';
}

describe('RaftConfig', () => {
  it('is accepted where it is good', () => expect(refusal({})).toBe('accepted'));

  it.each<[Partial<RaftConfig>, string]>([
    [{ id: 0n }, 'ERR_RAFT_CONFIG raft: id must not be 0'],
    [{ heartbeatTicks: 0 }, 'ERR_RAFT_CONFIG raft: heartbeatTicks must be an integer of 1 or more, not 0'],
    [{ electionTicks: 1 }, 'ERR_RAFT_CONFIG raft: electionTicks must be an integer above heartbeatTicks (1), not 1'],
    [
      { electionTicks: 2.5 },
      'ERR_RAFT_CONFIG raft: electionTicks must be an integer above heartbeatTicks (1), not 2.5',
    ],
    [{ preVote: true, checkQuorum: false }, 'ERR_RAFT_CONFIG raft: preVote needs checkQuorum'],
    [{ maxAppendBytes: -1 }, 'ERR_RAFT_CONFIG raft: maxAppendBytes must be an integer of 1 or more, not -1'],
    [{ maxInflightBytes: 10 }, 'ERR_RAFT_CONFIG raft: maxInflightBytes must be an integer of 1048576 or more, not 10'],
    [{ mutants: new Set(['typo']) }, 'ERR_RAFT_CONFIG raft: unknown mutant "typo"'],
  ])('refused (%#)', (change, message) => expect(refusal(change)).toBe(message));

  it.each<[Partial<InitialState>, string]>([
    [{ entries: entries([1, 2], 2) }, 'ERR_RAFT_STATE raft: entry 2 follows entry 0'],
    [{ entries: entries([2, 1]) }, 'ERR_RAFT_STATE raft: entry 2 has term 1, the one before it 2'],
    [{ applied: 4 }, 'ERR_RAFT_STATE raft: applied 4 is after the last entry 3'],
    [{ snapshotIndex: 2, entries: [] }, 'ERR_RAFT_STATE raft: applied 1 is before snapshot 2'],
    [{ hardState: { term: 3, vote: NONE, commit: 9 } }, 'ERR_RAFT_STATE raft: commit 9 is after the last entry 3'],
    [{ confState: { voters: [1n, 1n], learners: [] } }, 'ERR_RAFT_STATE raft: the configuration names member 1 twice'],
    [{ confState: { voters: [1n], learners: [0n] } }, 'ERR_RAFT_STATE raft: the configuration names member 0'],
  ])('initial state refused (%#)', (change, message) => {
    expect(refusal({ initial: { ...initial, ...change } })).toBe(message);
  });
});

describe('Raft starts', () => {
  it('with what the disk had', () => {
    const raft = new Raft(config);
    expect(raft.status()).toMatchObject({ term: 3, commit: 2, applied: 1, stable: 3, lastIndex: 3, withheld: false });
    expect(raft.ready().committedEntries.map((e) => e.index)).toEqual([2]);
  });

  it('in the term that its entries prove, if a write was torn behind them', () => {
    const raft = new Raft({ ...config, initial: { ...initial, hardState: { term: 1, vote: 2n, commit: 0 } } });
    expect(raft.status()).toMatchObject({ term: 2, vote: NONE, commit: 1 });
  });

  it('with an empty disk', () => {
    const raft = new Raft({
      ...config,
      initial: { ...initial, hardState: { term: 0, vote: NONE, commit: 0 }, entries: [], applied: 0 },
    });
    expect(raft.hasReady()).toBe(false);
  });

  // Whoever is the only voter has nobody who could catch it up.
  it('and withholds its vote only where others can catch it up', () => {
    const withhold = { ...initial, withholdVote: true };
    expect(new Raft({ ...config, initial: withhold }).status().withheld).toBe(true);
    const alone = { ...withhold, confState: { voters: [1n], learners: [2n] } };
    expect(new Raft({ ...config, initial: alone }).status().withheld).toBe(false);
  });
});
