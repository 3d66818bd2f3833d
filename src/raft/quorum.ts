/** How many of `n` voters are a majority. Two majorities of the same voters always share a member. */
export function majority(n: number): number {
  return (n >> 1) + 1;
}

/**
 * The highest value that a majority of `values[0..n)` has reached: with match indexes, what is committed.
 * @param values sorted in place; meant to be a scratch array
 * @returns 0 if there are no voters
 */
export function quorumValue(values: number[], n: number): number {
  if (n === 0) return 0;
  // Insertion sort: n is 3 to 7, and the order hardly changes from call to call.
  for (let i = 1; i < n; i++) {
    const v = values[i] as number;
    let j = i - 1;
    while (j >= 0 && (values[j] as number) > v) {
      values[j + 1] = values[j] as number;
      j--;
    }
    values[j + 1] = v;
  }
  return values[n - majority(n)] as number;
}

export const VoteResult = { Pending: 0, Won: 1, Lost: 2 } as const;
export type VoteResult = (typeof VoteResult)[keyof typeof VoteResult];

/** @returns Lost as soon as a majority can no longer be reached */
export function voteResult(granted: number, rejected: number, n: number): VoteResult {
  if (n === 0) return VoteResult.Lost;
  if (granted >= majority(n)) return VoteResult.Won;
  if (rejected > n - majority(n)) return VoteResult.Lost;
  return VoteResult.Pending;
}
