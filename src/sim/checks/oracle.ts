import { EntryType, Role } from '../../raft/index.js';
import type { Member } from '../../server/index.js';
import { crc32c } from '../../util/crc32c.js';
import type { Violation } from '../checkers/index.js';
import type { SimNode } from '../node.js';
import { authText } from './auth-model.js';
import { Configurations, configurationText } from './configurations.js';
import { LogWatch } from './log-watch.js';
import { ReplicaModel } from './replica-model.js';

type RaftEntry = Parameters<Member['apply']>[0][number];

/**
 * Looks at every step of every member while a run is under way:
 *
 *   I1  no two leaders in one term
 *   I2, I3  the logs match, and a leader has what was committed before its term (log-watch.ts)
 *   I4  the same command at the same index, and the same revision after it, on all members and in all their lives
 *   I13 auth on or off, and the revision of its rules, as the model has them; what the model refuses changes no revision
 *   I14 the same members at the same index, in the members' table and in raft; one change at a time
 *   I9  applied index dense in each life, the state after a restart or snapshot one that the cluster has had
 *
 * Its own model of the state is driven by the first member that applies an entry.
 */
export class Oracle {
  readonly model = new ReplicaModel();
  readonly #configurations = new Configurations();
  readonly violations: Violation[] = [];
  readonly #logs = new LogWatch((rule, message) => this.report(rule, message));
  /** Called once something is wrong: the run need not go on. */
  onViolation: (() => void) | null = null;
  /** The newest index that any member has applied. */
  applied = 0;
  #terms: number[] = [0];
  #sums: number[] = [0];
  /** Revision after the entry at each index. */
  #revisions: number[] = [1];
  /** Whether auth is on, and the revision of its rules, after the entry at each index. */
  #auths: string[] = ['off at 1'];
  readonly #leaders = new Map<number, bigint>();
  #leaderChanges = 0;
  snapshotsInstalled = 0;
  /** Members whose store and whose tables in memory are not of one state now. */
  readonly installing = new Set<string>();
  /** HashKV by what it was taken at, and who had it first. */
  readonly #hashes = new Map<string, { hash: number; by: string }>();

  get leaderChanges(): number {
    return this.#leaderChanges;
  }

  report(rule: string, message: string): void {
    this.violations.push({ rule, message, ops: [], revisions: [] });
    this.onViolation?.();
  }

  /** Puts itself between the pump and a member that has just been opened. */
  attach(node: SimNode, member: Member): void {
    const { name } = node;
    this.installing.delete(name);
    let applied = member.status().raftAppliedIndex;
    this.#stateIs(name, 'opened its folder', applied, member);
    this.#configurationIs(name, 'opened its folder', applied, member);

    const apply = member.apply.bind(member);
    member.apply = (entries) => {
      for (const entry of entries) {
        applied++;
        if (entry.index !== applied) {
          this.report('I9 applied index', `${name} applies ${entry.index} where ${applied} is next`);
          applied = entry.index;
        }
        this.#committed(name, entry, member.raftTerm);
      }
      apply(entries);
      this.#stateIs(name, 'applied', applied, member);
      if (entries.some((entry) => entry.type !== EntryType.NORMAL)) {
        this.#configurationIs(name, 'applied', applied, member);
      }
    };

    const install = member.installSnapshot.bind(member);
    member.installSnapshot = (ready, done) => {
      node.busy();
      this.snapshotsInstalled++;
      this.installing.add(name);
      install(ready, () => {
        this.installing.delete(name);
        const index = member.status().raftAppliedIndex;
        if (index < applied) this.report('I9 applied index', `${name} fell from ${applied} to ${index} by a snapshot`);
        applied = index;
        this.#stateIs(name, 'installed a snapshot', applied, member);
        this.#configurationIs(name, 'installed a snapshot', applied, member, false);
        done();
      });
    };

    const { raft } = member.inside;
    this.#logs.follows(name);
    this.#logs.opened(name, raft);
    const ready = raft.ready.bind(raft);
    raft.ready = () => {
      const next = ready();
      if (next.entries.length > 0) this.#logs.appended(name, raft, next.entries);
      return next;
    };

    const onSoftState = member.onSoftState.bind(member);
    member.onSoftState = (state) => {
      if (state.role === Role.Leader) {
        this.#leads(name, member.memberId, member.raftTerm);
        this.#logs.leads(name, raft);
      } else this.#logs.follows(name);
      onSoftState(state);
    };
  }

  /** A member may know that it was removed. */
  isRemoved(id: bigint): boolean {
    return this.#configurations.isRemoved(id);
  }

  /** @param withRaft false: raft hears of it a moment later */
  #configurationIs(name: string, when: string, index: number, member: Member, withRaft = true): void {
    const expected = this.#configurations.at(index);
    const members = configurationText(member.members());
    if (members !== expected) {
      this.report('I14 configurations', `${name} ${when}: at index ${index} it has ${members}; these are ${expected}`);
    }
    if (!withRaft) return;
    const { voters, learners } = member.configuration;
    const raft = configurationText([
      ...voters.map((id) => ({ id, isLearner: false })),
      ...learners.map((id) => ({ id, isLearner: true })),
    ]);
    if (raft !== expected) {
      this.report(
        'I14 configurations',
        `${name} ${when}: at index ${index} its raft has ${raft}; these are ${expected}`,
      );
    }
  }

  #leads(name: string, id: bigint, term: number): void {
    const known = this.#leaders.get(term);
    if (known === undefined) {
      this.#leaders.set(term, id);
      this.#leaderChanges++;
    } else if (known !== id) {
      this.report('I1 one leader a term', `${name} leads term ${term}, as ${known.toString(16)} did`);
    }
  }

  #committed(name: string, entry: RaftEntry, inTerm: number): void {
    const { index, term, type, data } = entry;
    const sum = crc32c(data, type);
    if (index <= this.applied) {
      if (this.#terms[index] !== term || this.#sums[index] !== sum) {
        this.report(
          'I4 same command',
          `${name} applies at ${index} an entry of term ${term}; another one, of term ${this.#terms[index]}, was applied there before`,
        );
      }
      return;
    }
    if (index > this.applied + 1) {
      this.report('I4 same command', `${name} applies ${index}, and nobody has applied ${this.applied + 1}`);
    }
    this.applied = index;
    this.#logs.committed(index, term, inTerm);
    this.#terms[index] = term;
    this.#sums[index] = sum;
    if (type === EntryType.NORMAL) {
      this.model.applyEntry(data);
    } else {
      const wrong = this.#configurations.apply(index, data);
      if (wrong !== null) this.report('I14 configurations', wrong);
    }
    this.#revisions[index] = this.model.revision;
    this.#auths[index] = this.model.auth.text;
  }

  #stateIs(name: string, when: string, index: number, member: Member): void {
    const { revision } = member;
    const expected = this.#revisions[index];
    if (expected === undefined) {
      this.report(
        'I9 applied index',
        `${name} ${when}: it is at ${index}, and the cluster has only come to ${this.applied}`,
      );
    } else if (expected !== revision) {
      this.report('I4 same state', `${name} ${when}: revision ${revision} at index ${index}, which makes ${expected}`);
    } else {
      // biome-ignore lint/complexity/useLiteralKeys: past the member's doors, as no room may
      const { auth } = member['parts'];
      const found = authText(auth.enabled, auth.revision);
      const right = this.#auths[index] as string;
      if (found !== right) this.report('I13 auth', `${name} ${when}: auth is ${found} at index ${index}, not ${right}`);
    }
  }

  /** I11 of the keys, at any time: HashKV depends on revision and compact revision alone. */
  hashed(name: string, at: { hash: number; hashRevision: number; compactRevision: number }): void {
    const key = `${at.hashRevision}/${at.compactRevision}`;
    const known = this.#hashes.get(key);
    if (known === undefined) this.#hashes.set(key, { hash: at.hash, by: name });
    else if (known.hash !== at.hash) {
      this.report(
        'I11 equal hashes',
        `HashKV at revision/compact ${key} is ${at.hash} on ${name} and ${known.hash} on ${known.by}`,
      );
    }
  }
}
