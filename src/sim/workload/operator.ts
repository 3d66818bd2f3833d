import type { MemberInfo } from '../../server/index.js';
import type { Rng } from '../../util/rng.js';
import { AS_ROOT } from '../caller.js';
import type { SimNode } from '../node.js';
import type { ClientKind, SimClient } from './client-kinds.js';
import type { Workload } from './workload.js';
import { pickNode } from './workload.js';

/** Members that a cluster is grown to at most. */
const MEMBERS_MAX = 6;
const LOOK_MS = 300;
const CALL_MS = 8000;

/**
 * Somebody who changes the cluster while it runs: adds voters and learners, promotes, removes, replaces, moves the leader;
 * several changes at a time, in some seeds. Machines are started once they are members, whatever the answer was: what
 * became of a change is looked up, and not believed.
 */
class Operator implements SimClient {
  readonly #work: Workload;
  readonly #rng: Rng;
  readonly #id: number;
  readonly #atATime: number;
  #count = 0;
  /** Applied index of the newest list of members. */
  #newest = 0;
  /** Asked for, and not seen among the members yet. */
  readonly #wanted = new Map<string, string>();
  /** Members that were asked to be removed. */
  readonly #unwanted = new Set<bigint>();
  /** Peer URLs of all that ever were members. */
  readonly #seen = new Set<string>();

  constructor(work: Workload, id: number, rng: Rng) {
    this.#work = work;
    this.#id = id;
    this.#rng = rng;
    this.#atATime = rng.pick([1, 1, 2, 3]);
  }

  start(): void {
    const { cluster } = this.#work;
    cluster.changing = true;
    cluster.grow = (leader, count) => Array.from({ length: count }, () => this.#growAt(leader));
    for (let i = 0; i < this.#atATime; i++) this.#pause();
    this.#lookAgain();
  }

  #pause(): void {
    this.#work.port.later(this.#rng.pick([50, 400, 1500, 4000]) * this.#rng.between(500, 1500), () => {
      if (!this.#work.stopping) this.#change();
    });
  }

  #change(): void {
    const members = this.#members();
    const voters = members.filter((member) => !member.isLearner);
    const learner = members.find((member) => member.isLearner);
    const mayLeave = voters.length - voters.filter(({ id }) => this.#unwanted.has(id)).length >= 2;
    const dice = this.#rng.below(10);
    if (learner !== undefined && dice < 4) return this.#promote(learner.id);
    if (dice < 6 && members.length + this.#wanted.size < MEMBERS_MAX) return this.#add(this.#rng.chance(1, 2));
    if (dice < 9 && mayLeave) return this.#remove(members);
    if (voters.length > 0) return this.#moveLeader(this.#rng.pick(voters).id);
    this.#pause();
  }

  #add(isLearner: boolean): void {
    const { url } = this.#newcomer();
    this.#call((member, done) => member.memberAdd({ peerUrls: [url], isLearner }, AS_ROOT, done));
  }

  #growAt(leader: SimNode): string {
    const { name, url } = this.#newcomer();
    // Behind what it does just now.
    this.#work.port.later(0, () =>
      leader.enter((member) =>
        member.memberAdd({ peerUrls: [url], isLearner: false }, AS_ROOT, { ok: () => {}, fail: () => {} }),
      ),
    );
    return name;
  }

  #newcomer(): { name: string; url: string } {
    const name = `o${this.#id}n${++this.#count}`;
    const url = `http://${name}:2380`;
    this.#wanted.set(url, name);
    return { name, url };
  }

  #promote(id: bigint): void {
    this.#call((member, done) => member.memberPromote(id, AS_ROOT, done));
  }

  #remove(members: readonly MemberInfo[]): void {
    const leader = this.#work.cluster.leader()?.member?.memberId ?? 0n;
    const { id } = this.#rng.chance(1, 3)
      ? (members.find((member) => member.id === leader) ?? this.#rng.pick(members))
      : this.#rng.pick(members);
    this.#unwanted.add(id);
    this.#call((member, done) => member.memberRemove(id, AS_ROOT, done));
  }

  #moveLeader(target: bigint): void {
    this.#call((member, done) => member.moveLeader(target, AS_ROOT, done), this.#work.cluster.leader());
  }

  #call(
    send: (member: NonNullable<SimNode['member']>, done: { ok(): void; fail(err: never): void }) => void,
    at: SimNode | null = null,
  ): void {
    const over = (): void => this.#pause();
    const node = at ?? pickNode(this.#work, this.#rng);
    this.#work.port.call<void>(node, CALL_MS, send as never, { ok: over, fail: over, lost: over });
  }

  /** As the member has it that has applied most. Empty: nobody is up who knows it. */
  #members(): MemberInfo[] {
    let newest: SimNode['member'] = null;
    for (const member of this.#work.cluster.members()) {
      const index = member.status().raftAppliedIndex;
      if (newest === null || index > newest.status().raftAppliedIndex) newest = member;
    }
    const index = newest?.status().raftAppliedIndex ?? 0;
    // Those who know more are down, for now.
    if (newest === null || index < this.#newest) return [];
    this.#newest = index;
    return newest.members();
  }

  #lookAgain(): void {
    this.#look();
    this.#work.port.later(LOOK_MS * 1000, () => this.#lookAgain());
  }

  /** @returns a machine was started for a new member */
  #look(): boolean {
    const { cluster } = this.#work;
    const members = this.#members();
    if (members.length === 0) return false;
    let joined = false;
    const others = members.map(({ name, peerUrls }) => ({ name: name === '' ? peerUrls.join() : name, peerUrls }));
    for (const { peerUrls } of members) {
      const url = peerUrls[0] as string;
      this.#seen.add(url);
      const name = this.#wanted.get(url);
      if (name === undefined) continue;
      this.#wanted.delete(url);
      cluster.addNode(name, others).start();
      joined = true;
    }
    const now = new Set(members.map(({ peerUrls }) => peerUrls[0]));
    for (const node of cluster.nodes) {
      const url = node.config.advertisePeerUrls[0] as string;
      if (this.#seen.has(url) && !now.has(url)) node.leaving = true;
      // Those who were to show it the way may be gone, or may not have heard of it.
      if (!node.up && !node.leaving && node.joins) {
        node.setInitialCluster(others);
        node.start();
      }
    }
    return joined;
  }

  waitsFor(): string | null {
    const { cluster } = this.#work;
    if (this.#look()) return 'a new member joins';
    const here = new Set(this.#members().map(({ id }) => id));
    for (const node of cluster.nodes) {
      if (!node.leaving || node.gone) continue;
      if (!node.up && !node.joins) node.start();
      const mayHear = node.member === null || node.member.members().some(({ id }) => here.has(id));
      if (mayHear && !node.joins) return `${node.name} was removed from the cluster and has not stopped`;
      // Nobody it knows is left to tell it; or it had never been open.
      node.crash('process');
      node.gone = true;
    }
    return null;
  }
}

export const operators: ClientKind = {
  name: 'operators',
  draw: (rng) => (rng.chance(1, 3) ? 1 : 0),
  make: (work, id, rng) => new Operator(work, id, rng),
};
