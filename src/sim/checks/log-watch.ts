import { crc32c } from '../../util/crc32c.js';

/** What is looked at of an entry. */
export interface LoggedEntry {
  readonly index: number;
  readonly term: number;
  readonly type: number;
  readonly data: Buffer;
}

/** What is looked at of a raft (raft/raft.ts). */
export interface LogView {
  readonly term: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** -1: the entry is not, or no longer, in the log. */
  termAt(index: number): number;
}

/** An entry of some term at an index, as the first log that had it has it. */
interface Known {
  readonly term: number;
  /** Term of the entry before it; -1: not known. */
  before: number;
  /** Checksum of type and data; -1: not known. */
  sum: number;
  readonly by: string;
}

interface Leader {
  readonly term: number;
  readonly log: LogView;
}

/**
 * The logs themselves, entry by entry as members append them, committed or not (Raft paper, figure 3):
 *
 *   I2  log matching: where two logs have an entry of one index and term, it is the same entry, and so is all before
 *       it. Each entry is held against the first of its index and term that was seen, with the term before it; the
 *       rest is induction.
 *   I3  leader completeness: an entry that was committed in a term is in the log of every leader of a later one. Held
 *       against each new leader, and against those that lead already where a commit comes late.
 */
export class LogWatch {
  readonly #report: (rule: string, message: string) => void;
  /** By index; most have one term only. */
  readonly #known: Known[][] = [];
  readonly #leaders = new Map<string, Leader>();
  /** Of each committed index: its term, and a term in which it was committed (that one, or a later one). */
  readonly #committed: { readonly term: number; readonly in: number }[] = [];

  constructor(report: (rule: string, message: string) => void) {
    this.#report = report;
  }

  /** A member has opened its folder: what it has of its log. */
  opened(name: string, log: LogView): void {
    for (let index = log.firstIndex; index <= log.lastIndex; index++) {
      this.#matches(name, index, log.termAt(index), log.termAt(index - 1), -1);
    }
  }

  /** A member has put entries into its log, which may have replaced others. */
  appended(name: string, log: LogView, entries: readonly LoggedEntry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    let before = log.termAt(first.index - 1);
    for (const { index, term, type, data } of entries) {
      this.#matches(name, index, term, before, crc32c(data, type));
      before = term;
    }
  }

  #matches(name: string, index: number, term: number, before: number, sum: number): void {
    if (term < before)
      this.#report('I2 log matching', `${name}: term ${term} at ${index} behind one of term ${before}`);
    this.#known[index] ??= [];
    const all = this.#known[index] as Known[];
    const known = all.find((one) => one.term === term);
    if (known === undefined) {
      all.push({ term, before, sum, by: name });
      return;
    }
    if (known.before === -1) known.before = before;
    if (known.sum === -1) known.sum = sum;
    if (sum !== -1 && known.sum !== sum) {
      this.#report('I2 log matching', `${name} has another entry of term ${term} at ${index} than ${known.by}`);
    } else if (before !== -1 && known.before !== before) {
      this.#report(
        'I2 log matching',
        `${name} has term ${before} before the entry of term ${term} at ${index}, ${known.by} has ${known.before}`,
      );
    }
  }

  /** A member leads in the term that its log says. */
  leads(name: string, log: LogView): void {
    this.#leaders.set(name, { term: log.term, log });
    // With the newest of earlier terms it has all before it, by log matching.
    for (let index = this.#committed.length - 1; index > 0; index--) {
      const entry = this.#committed[index];
      if (entry === undefined || entry.in >= log.term) continue;
      return this.#has(name, log.term, log, index, entry.term, entry.in);
    }
  }

  follows(name: string): void {
    this.#leaders.delete(name);
  }

  /** The first member to apply an entry, in this term of its own: it was committed in that one or before. */
  committed(index: number, term: number, inTerm: number): void {
    this.#committed[index] = { term, in: inTerm };
    for (const [name, leader] of this.#leaders) {
      if (leader.term > inTerm) this.#has(name, leader.term, leader.log, index, term, inTerm);
    }
  }

  #has(name: string, leads: number, log: LogView, index: number, term: number, inTerm: number): void {
    if (index < log.firstIndex) return; // compacted: it was applied, and held against the others' then
    const own = log.termAt(index);
    if (own === term) return;
    this.#report(
      'I3 leader completeness',
      `${name} leads term ${leads} with ${own < 0 ? 'nothing' : `an entry of term ${own}`} at ${index}, where one of term ${term} was committed in term ${inTerm}`,
    );
  }
}
