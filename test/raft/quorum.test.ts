import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { majority, quorumValue, VoteResult, voteResult } from '../../src/raft/quorum.js';
import { check } from '../support/fc.js';

/** All subsets of the members that are a majority, by counting one by one. */
function majorities(n: number): number[][] {
  const found: number[][] = [];
  for (let bits = 0; bits < 1 << n; bits++) {
    const members = Array.from({ length: n }, (_, i) => i).filter((i) => (bits >> i) & 1);
    if (members.length * 2 > n) found.push(members);
  }
  return found;
}

/** The dumb twin: the best that some majority has reached in common. */
function dumbValue(values: readonly number[]): number {
  let best = 0;
  for (const m of majorities(values.length)) best = Math.max(best, Math.min(...m.map((i) => values[i] as number)));
  return best;
}

/** The dumb twin: won if a majority granted; lost if no majority without a refusal is left. */
function dumbVote(votes: readonly (boolean | null)[]): VoteResult {
  const all = majorities(votes.length);
  if (all.some((m) => m.every((i) => votes[i] === true))) return VoteResult.Won;
  if (!all.some((m) => m.every((i) => votes[i] !== false))) return VoteResult.Lost;
  return VoteResult.Pending;
}

describe('quorum', () => {
  it('two majorities share a member', () => {
    for (let n = 1; n <= 7; n++) {
      for (const a of majorities(n)) for (const b of majorities(n)) expect(a.some((i) => b.includes(i))).toBe(true);
    }
  });

  it('majorities of configurations that differ by one member share a member', () => {
    for (let n = 1; n <= 12; n++) expect(majority(n) + majority(n + 1)).toBeGreaterThan(n + 1);
  });

  it('commits what the dumb twin commits', () => {
    check(
      fc.property(fc.array(fc.nat(20), { minLength: 0, maxLength: 9 }), (values) => {
        // A scratch array is longer than what counts in it.
        const scratch = [...values, 99, 99];
        expect(quorumValue(scratch, values.length)).toBe(dumbValue(values));
      }),
      { runs: 500 },
    );
  });

  it('counts votes as the dumb twin does', () => {
    check(
      fc.property(fc.array(fc.constantFrom(true, false, null), { minLength: 0, maxLength: 9 }), (votes) => {
        const granted = votes.filter((v) => v === true).length;
        const rejected = votes.filter((v) => v === false).length;
        expect(voteResult(granted, rejected, votes.length)).toBe(dumbVote(votes));
      }),
      { runs: 500 },
    );
  });
});
