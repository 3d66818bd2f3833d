/** An applied index, and the state's hash there (storage/backend/state-hash.ts). */
export type HashPoint = readonly [index: number, hash: number];

const PER_LEVEL = 64;
/** Each level's points are this many times as far apart as those of the level below it. */
const STEP = 64;
const LEVELS = 3;

/**
 * The hashes of this member's state at the last indexes that all members note: close together where they are recent,
 * far apart behind that, so that a member that lags, or a cluster that is fast, has some in common with the others.
 */
export class HashTrail {
  readonly #every: number;
  #levels: HashPoint[][] = [];

  /** @param every entries between two points */
  constructor(every: number) {
    this.#every = every;
    this.clear();
  }

  wants(index: number): boolean {
    return index % this.#every === 0;
  }

  note(index: number, hash: number): void {
    let apart = this.#every;
    for (const points of this.#levels) {
      if (index % apart !== 0) return;
      points.push([index, hash]);
      if (points.length > PER_LEVEL) points.shift();
      apart *= STEP;
    }
  }

  /** By index. */
  points(): HashPoint[] {
    const all = new Map(this.#levels.flat());
    return [...all].sort((a, b) => a[0] - b[0]);
  }

  at(index: number): number | undefined {
    for (const points of this.#levels) for (const [at, hash] of points) if (at === index) return hash;
    return undefined;
  }

  /** The state is another one now: what was noted was of the one before. */
  clear(): void {
    this.#levels = Array.from({ length: LEVELS }, () => []);
  }
}

export interface Verdict {
  /** Where they differ; the highest index at which it can be said. */
  readonly index: number;
  /** Those that differ from a majority whose states are equal. */
  readonly diverged: readonly bigint[];
  /** Every voter has been heard, and no majority agrees. */
  readonly undecided: boolean;
}

/**
 * Who has diverged? A majority of the voters with one hash at an index is right, since a quorum has applied it so; every
 * member with another hash there is not.
 * @param trails of the members that answered
 * @returns null: nobody, as far as can be said
 */
export function judge(trails: ReadonlyMap<bigint, readonly HashPoint[]>, voters: readonly bigint[]): Verdict | null {
  const quorum = Math.floor(voters.length / 2) + 1;
  const byIndex = new Map<number, Map<bigint, number>>();
  for (const [id, points] of trails) {
    for (const [index, hash] of points) {
      let hashes = byIndex.get(index);
      if (hashes === undefined) byIndex.set(index, (hashes = new Map()));
      hashes.set(id, hash);
    }
  }
  const indexes = [...byIndex.keys()].sort((a, b) => b - a);
  for (const index of indexes) {
    const hashes = byIndex.get(index) as Map<bigint, number>;
    if (new Set(hashes.values()).size < 2) continue;
    const votes = new Map<number, number>();
    for (const voter of voters) {
      const hash = hashes.get(voter);
      if (hash !== undefined) votes.set(hash, (votes.get(hash) ?? 0) + 1);
    }
    for (const [hash, count] of votes) {
      if (count < quorum) continue;
      const diverged = [...hashes].filter(([, other]) => other !== hash).map(([id]) => id);
      return { index, diverged, undecided: false };
    }
    if (voters.every((voter) => hashes.has(voter))) return { index, diverged: [], undecided: true };
  }
  return null;
}
