/** Who votes and who only learns. */
export interface Config {
  readonly voters: readonly bigint[];
  readonly learners: readonly bigint[];
}

interface Change {
  /** The entry that made it. */
  readonly index: number;
  readonly config: string;
  readonly voters: readonly bigint[];
  readonly by: string;
}

/**
 * I14: the configuration at an index is the same on every member, in raft and in the list of members, and a majority
 * of each one shares a member with every majority of the next.
 */
export class ConfWatch {
  readonly #report: (rule: string, message: string) => void;
  /** By index, ascending; the first says who began. */
  readonly #changes: Change[] = [];

  constructor(report: (rule: string, message: string) => void) {
    this.#report = report;
  }

  /**
   * @param raft in force on that member now, with everything up to `index` applied
   * @param listed the members as its tables have them
   */
  stateIs(name: string, index: number, raft: Config, listed: Config): void {
    const config = textOf(raft);
    const list = textOf(listed);
    if (config !== list) {
      this.#report('I14 configuration', `${name} at ${index}: raft has ${config}, the list of members ${list}`);
    }
    const at = this.#at(index);
    if (at === undefined) return;
    if (at.config === config) return;
    this.#report(
      'I14 configuration',
      `${name} at ${index} has ${config}; ${at.by} had ${at.config} from ${at.index} on`,
    );
  }

  /** A committed entry of a change was applied. */
  changed(name: string, index: number, raft: Config): void {
    const known = this.#changes.find((change) => change.index === index);
    const config = textOf(raft);
    if (known !== undefined) {
      if (known.config === config) return;
      this.#report('I14 configuration', `after ${index} ${name} has ${config}, ${known.by} had ${known.config}`);
      return;
    }
    const before = this.#at(index);
    const { voters } = raft;
    this.#changes.push({ index, config, voters: [...voters], by: name });
    this.#changes.sort((a, b) => a.index - b.index);
    if (before === undefined || before.voters.length === 0 || intersect(before.voters, voters)) return;
    this.#report(
      'I14 quorums',
      `${before.config} and then ${config}, by entry ${index}: two majorities without a common member`,
    );
  }

  #at(index: number): Change | undefined {
    return this.#changes.findLast((change) => change.index <= index);
  }
}

/** Whether every majority of the one has a member in every majority of the other. */
export function intersect(a: readonly bigint[], b: readonly bigint[]): boolean {
  const common = a.filter((id) => b.includes(id)).length;
  const needs = (all: readonly bigint[]): number => Math.max(0, majority(all) - (all.length - common));
  return needs(a) + needs(b) > common;
}

function majority(voters: readonly bigint[]): number {
  return Math.floor(voters.length / 2) + 1;
}

function textOf({ voters, learners }: Config): string {
  const names = (ids: readonly bigint[]): string =>
    ids
      .map((id) => id.toString(16))
      .sort()
      .join(' ');
  return learners.length === 0 ? `[${names(voters)}]` : `[${names(voters)}; learns ${names(learners)}]`;
}
