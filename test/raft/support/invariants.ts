import type { Entry, NodeId, Raft, Ready } from '../../../src/raft/index.js';
import { EntryType, Role } from '../../../src/raft/index.js';
import type { Machine, Member } from './member.js';
import { describe } from './member.js';

/** Watches all members at once; throws when an invariant of reliability part 2.3 breaks. */
export class Invariants {
  /** I1: who led each term. */
  readonly leaders = new Map<number, NodeId>();
  /** I2: by `index/term`, the data and the term of the entry before. */
  readonly #entries = new Map<string, string>();
  /** By index - 1: term and data of what anyone took for committed. */
  readonly committed: { term: number; text: string }[] = [];
  /** I14: by index, the configuration after it. */
  readonly #confs = new Map<number, string>();
  /** I7: by context, what was committed when it was asked for. */
  readonly reads = new Map<number, { floor: number; answered: boolean }>();
  /** By member, since it started: up to where its commit index was compared. */
  readonly #checked = new WeakMap<Raft, number>();
  readsAnswered = 0;
  snapshotsInstalled = 0;

  onReady(member: Member, rd: Ready): void {
    const raft = member.up;
    if (raft.role === Role.Leader) {
      const known = this.leaders.get(raft.term);
      if (known === undefined) {
        this.leaders.set(raft.term, member.id);
        this.#checkComplete(member, raft);
      } else if (known !== member.id) {
        throw new Error(`I1: ${known} and ${member.id} lead term ${raft.term}`);
      }
    }
    for (const e of rd.entries) this.#checkEntry(raft, e);
    if (raft.role === Role.Leader) this.#checkOneChange(member, raft, rd);
    if (rd.snapshot !== null) this.snapshotsInstalled++;
    else this.#checkCommit(member, raft, rd);
  }

  /** I3: what was committed in earlier terms is in the log of every later leader. */
  #checkComplete(member: Member, raft: Raft): void {
    for (let i = raft.firstIndex; i <= this.committed.length; i++) {
      const c = this.committed[i - 1] as { term: number; text: string };
      if (c.term < raft.term && raft.termAt(i) !== c.term) {
        throw new Error(`I3: ${member.id} leads term ${raft.term} without ${i} of term ${c.term}`);
      }
    }
  }

  #checkEntry(raft: Raft, e: Entry): void {
    const prev = raft.termAt(e.index - 1);
    if (prev < 0) return;
    const text = `${describe(e)} after ${prev}`;
    const key = `${e.index}/${e.term}`;
    const known = this.#entries.get(key);
    if (known === undefined) this.#entries.set(key, text);
    else if (known !== text) throw new Error(`I2: entry ${key} is ${known} and ${text}`);
  }

  /** I14: behind a change that is not committed no other is appended, so that configurations differ by one member. */
  #checkOneChange(member: Member, raft: Raft, rd: Ready): void {
    for (const e of rd.entries) {
      if (e.type === EntryType.NORMAL || e.term !== raft.term) continue;
      for (let i = raft.commitIndex + 1; i < e.index; i++) {
        const text = this.#entries.get(`${i}/${raft.termAt(i)}`) ?? '';
        if (/:(add|remove|learner|update)=/.test(text)) {
          throw new Error(`I14: ${member.id} appends ${describe(e)} behind ${text}`);
        }
      }
    }
  }

  #checkCommit(member: Member, raft: Raft, rd: Ready): void {
    for (let i = Math.max(raft.firstIndex, this.committed.length + 1); i <= raft.commitIndex; i++) {
      this.committed.push({ term: raft.termAt(i), text: '' });
      if (this.committed.length !== i)
        throw new Error(`I3: ${member.id} commits ${i}, known are ${this.committed.length - 1}`);
    }
    for (let i = Math.max(raft.firstIndex, (this.#checked.get(raft) ?? 0) + 1); i <= raft.commitIndex; i++) {
      const known = this.committed[i - 1]?.term;
      if (known !== raft.termAt(i))
        throw new Error(`I3: ${member.id} commits ${i} of term ${raft.termAt(i)}, not ${known}`);
    }
    this.#checked.set(raft, raft.commitIndex);
    for (const e of rd.committedEntries) {
      if (member.disk.entries[e.index - member.disk.offset - 1]?.term !== e.term) {
        throw new Error(`${member.id} is to apply ${e.index}, which is not on its disk`);
      }
    }
  }

  /** I4: the same command at the same index everywhere. */
  onApply(member: Member, e: Entry): void {
    const c = this.committed[e.index - 1];
    if (c === undefined) throw new Error(`${member.id} applies ${e.index}, which nobody committed`);
    const text = describe(e);
    if (c.text === '') c.text = text;
    if (c.text !== text) throw new Error(`I4: ${member.id} applies ${text} at ${e.index}, not ${c.text}`);
    this.#checkMachine(member.id, member.machine);
  }

  #checkMachine(id: NodeId, m: Machine): void {
    const conf = `${m.confState.voters.join()}|${m.confState.learners.join()}`;
    const known = this.#confs.get(m.applied);
    if (known === undefined) this.#confs.set(m.applied, conf);
    else if (known !== conf) throw new Error(`I14: ${id} has ${conf} at ${m.applied}, not ${known}`);
  }

  /** I7: a read asked for now sees all that anyone knows to be committed. */
  readAsked(ctx: number): void {
    this.reads.set(ctx, { floor: this.committed.length, answered: false });
  }

  onRead(member: Member, ctx: number, index: number): void {
    const read = this.reads.get(ctx);
    if (read === undefined) throw new Error(`${member.id} answers read ${ctx}, which nobody asked for`);
    if (index < read.floor) throw new Error(`I7: read ${ctx} of ${member.id} is stale: ${index} < ${read.floor}`);
    read.answered = true;
    this.readsAnswered++;
  }
}
