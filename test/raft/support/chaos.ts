import type { NodeId } from '../../../src/raft/index.js';
import { ConfChange, ConfChangeType } from '../../../src/raft/index.js';
import { Rng } from '../../../src/util/rng.js';
import { Cluster } from './cluster.js';
import { Invariants } from './invariants.js';
import type { Member, Settings } from './member.js';
import { historyOf } from './member.js';

/** One thing that happens; `a` and `b` choose among what there is. */
export interface Step {
  readonly what: Action;
  readonly a: number;
  readonly b: number;
}

export const ACTIONS = [
  'deliver',
  'deliverAll',
  'tick',
  'tickAll',
  'tickOthers',
  'propose',
  'persist',
  'persistAll',
  'apply',
  'applyAll',
  'read',
  'drop',
  'duplicate',
  'crash',
  'restart',
  'flush',
  'compact',
  'confChange',
  'transfer',
  'notices',
  'peerDown',
  'unreachable',
  'cut',
  'partition',
  'misreport',
  'heal',
  'amnesia',
  'crashAll',
] as const;
export type Action = (typeof ACTIONS)[number];

/** How often each thing happens, relative to the others. */
export const CALM: [Action, number][] = [
  ['deliver', 40],
  ['deliverAll', 30],
  ['tick', 4],
  ['tickAll', 10],
  ['propose', 8],
  ['persist', 10],
  ['persistAll', 15],
  ['apply', 5],
  ['applyAll', 8],
  ['read', 5],
  ['notices', 3],
  ['flush', 1],
];
export const FAULTS: [Action, number][] = [
  ['drop', 8],
  ['duplicate', 6],
  ['crash', 2],
  ['compact', 2],
  ['confChange', 5],
  ['transfer', 2],
  ['peerDown', 2],
  ['unreachable', 2],
  ['cut', 2],
  ['partition', 1],
  ['tickOthers', 4],
  ['misreport', 1],
  ['amnesia', 1],
  ['crashAll', 1],
];
/** What ends faults again, in every run. */
export const REPAIRS: [Action, number][] = [
  ['restart', 6],
  ['heal', 2],
];

const IDS_MAX = 7;

/** A cluster to which anything may happen, watched by the invariants. */
export class Chaos {
  readonly cluster: Cluster;
  readonly invariants = new Invariants();
  readonly #removed = new Set<NodeId>();
  #proposals = 0;
  #reads = 0;
  #changes = 0;
  #amnesias = 0;

  constructor(size: number, settings: Settings, seed: number, slowDisks: boolean) {
    const inv = this.invariants;
    this.cluster = new Cluster({
      voters: Array.from({ length: size }, (_, i) => i + 1),
      settings,
      seed,
      events: {
        ready: (m, rd) => inv.onReady(m, rd),
        apply: (m, e) => inv.onApply(m, e),
        read: (m, ctx, index) => inv.onRead(m, ctx, index),
      },
    });
    this.#slowDisks = slowDisks;
    this.cluster.holds = seed % 2 === 0;
    for (const m of this.cluster.members.values()) this.#manual(m);
  }
  readonly #slowDisks: boolean;

  #manual(m: Member): void {
    m.autoPersist = !this.#slowDisks;
    m.autoApply = !this.#slowDisks;
  }

  do(step: Step): void {
    const all = [...this.cluster.members.values()];
    const member = all[step.a % all.length] as Member;
    const packets = this.cluster.packets;
    switch (step.what) {
      case 'deliver':
        if (packets.length > 0) this.#arrive(step.a % packets.length, true);
        break;
      case 'deliverAll':
        this.#arriveAll();
        break;
      case 'duplicate':
        if (packets.length > 0) this.#arrive(step.a % packets.length, false);
        break;
      case 'drop':
        if (packets.length > 0) for (const p of packets.splice(step.a % packets.length, 1)) this.cluster.lost(p);
        break;
      case 'tick':
        for (let i = step.b % 4; i >= 0; i--) member.raft?.tick();
        break;
      case 'tickAll':
        for (const m of all) m.raft?.tick();
        break;
      case 'tickOthers':
        for (const m of all) if (m !== member) m.raft?.tick();
        break;
      case 'propose': {
        const to = this.cluster.leader() ?? member;
        to.raft?.propose(Array.from({ length: (step.b % 3) + 1 }, () => Buffer.from(`p${++this.#proposals}`)));
        break;
      }
      case 'persist':
        if (member.raft !== null) member.persist((step.b % 3) + 1);
        break;
      case 'persistAll':
        for (const m of all) if (m.raft !== null) m.persist(Number.MAX_SAFE_INTEGER);
        break;
      case 'applyAll':
        for (const m of all) if (m.raft !== null) m.apply(Number.MAX_SAFE_INTEGER);
        break;
      case 'apply':
        if (member.raft !== null) member.apply((step.b % 3) + 1);
        break;
      case 'read':
        if (member.raft !== null) {
          const ctx = ++this.#reads;
          this.invariants.readAsked(ctx);
          member.raft.readIndex(ctx);
        }
        break;
      case 'crash':
        member.crash(step.b % 3, (step.b >> 2) % 3);
        break;
      case 'crashAll':
        for (const m of all) m.crash();
        for (const m of all) m.start();
        break;
      case 'amnesia':
        this.#amnesia(member, step.b);
        break;
      case 'restart':
        if (member.raft === null) member.start();
        break;
      case 'flush':
        member.flush();
        break;
      case 'compact':
        if (member.raft !== null) member.compact(Math.max(0, member.raft.appliedIndex - (step.b % 5)));
        break;
      case 'confChange':
        this.#confChange(step.a, step.b);
        break;
      case 'transfer':
        this.cluster.leader()?.up.transferLeadership(member.id);
        break;
      case 'notices': {
        const raft = this.cluster.leader()?.up;
        if (step.b % 4 === 0) raft?.sendNotices();
        else if (step.b % 4 === 1) raft?.waits(member.id);
        else raft?.holdNotices(step.b % 2 === 0);
        break;
      }
      case 'peerDown':
        member.raft?.peerDown(BigInt((step.b % all.length) + 1));
        break;
      case 'unreachable':
        member.raft?.reportUnreachable(BigInt((step.b % all.length) + 1));
        break;
      case 'cut':
        this.cluster.cut.add(`${(step.a % all.length) + 1}>${(step.b % all.length) + 1}`);
        break;
      case 'partition':
        for (const m of all) {
          for (const other of all) {
            if (((step.b >> Number(m.id)) & 1) !== ((step.b >> Number(other.id)) & 1)) {
              this.cluster.cut.add(`${m.id}>${other.id}`);
            }
          }
        }
        break;
      case 'misreport':
        this.cluster.misreports = step.b % 2 === 0;
        break;
      case 'heal':
        this.cluster.heal();
        break;
    }
    for (const m of all) m.pump();
  }

  #arriveAll(): void {
    const { packets } = this.cluster;
    this.cluster.packets = [];
    for (const p of packets) {
      if (this.cluster.holds && this.cluster.isCut(p.message)) this.cluster.packets.push(p);
      else {
        this.cluster.arrive(p);
        this.cluster.members.get(p.message.to)?.pump();
      }
    }
  }

  #arrive(index: number, remove: boolean): void {
    const p = this.cluster.packets[index];
    if (p === undefined || (this.cluster.holds && this.cluster.isCut(p.message))) return;
    if (remove) this.cluster.packets.splice(index, 1);
    // The data of a snapshot is a stream of its own: it comes once.
    else if (p.snapshot !== null) return;
    this.cluster.arrive(p);
    this.cluster.members.get(p.message.to)?.pump();
  }

  #confChange(a: number, b: number): void {
    const leader = this.cluster.leader();
    if (leader === null || this.#amnesias > 0) return;
    const type = b % 4;
    const id = BigInt((a % IDS_MAX) + 1);
    if (this.#removed.has(id)) return;
    const voters = leader.up.confState.voters;
    if (type === ConfChangeType.REMOVE_NODE) {
      // As the server would: no cluster is shrunk to nothing, and an id that left never returns.
      if (!leader.up.confState.learners.includes(id) && (voters.length <= 2 || !voters.includes(id))) return;
    }
    const cc = ConfChange.make({ id: BigInt(++this.#changes), type, nodeId: id });
    if (leader.up.proposeConfChange(cc) !== 'accepted') return;
    if (type === ConfChangeType.REMOVE_NODE) this.#removed.add(id);
    else if (!this.cluster.members.has(id)) this.#manual(this.cluster.add(Number(id)));
  }

  /**
   * The end of a log that was acknowledged is gone: one member at a time, and it knows that it lost something. Until
   * it has a leader again it counts as down, so the configuration must not shrink to where it is needed.
   */
  #amnesia(member: Member, b: number): void {
    // Of two voters the other needs this one's vote, and this one a leader: that is for an operator to decide.
    if (this.#changes > 0 || this.cluster.members.size < 3) return;
    const others = [...this.cluster.members.values()].filter((m) => m !== member);
    if (others.some((m) => m.raft === null || m.disk.lost) || member.disk.lost) return;
    this.#amnesias++;
    member.crash();
    const { disk } = member;
    const min = disk.machine.applied - disk.offset;
    disk.entries = disk.entries.slice(0, Math.max(min, disk.entries.length - (b % 5)));
    // One connection breaks and another begins: what left before does not come after.
    this.cluster.packets = this.cluster.packets.filter((p) => p.message.from !== member.id || p.snapshot !== null);
    disk.lost = true;
    member.start();
  }

  /** Everything is repaired; then the cluster must find a leader, commit, and agree (I15, I5). */
  finish(): void {
    const { cluster } = this;
    cluster.heal();
    cluster.holds = false;
    cluster.misreports = false;
    for (const p of cluster.packets) cluster.lost(p);
    cluster.packets = [];
    for (const m of cluster.members.values()) {
      m.autoPersist = true;
      m.autoApply = true;
      if (m.raft === null) m.start();
    }
    const before = this.invariants.committed.length;
    const done = 'the end';
    let ticks = 0;
    for (; ticks < 200; ticks++) {
      cluster.tick();
      // The server of a removed member stops it.
      for (const m of cluster.members.values()) {
        const { voters, learners } = this.conf();
        if (this.#removed.has(m.id) && !voters.includes(m.id) && !learners.includes(m.id)) m.raft = null;
      }
      const leader = cluster.leader();
      if (leader === null) continue;
      if (!historyOf(leader.machine).some((h) => h.endsWith(`:${done}`))) {
        leader.up.propose([Buffer.from(done)]);
        continue;
      }
      const target = leader.machine.applied;
      const { voters, learners } = this.conf();
      const late = [...voters, ...learners].filter((id) => cluster.get(id).machine.applied < target);
      if (late.length === 0) break;
    }
    if (ticks === 200) throw new Error(`I15: no agreement after 200 ticks: ${this.describe()}`);
    const leader = cluster.leader();
    const final = leader === null ? [] : historyOf(leader.machine);
    for (let i = 0; i < before; i++) {
      const c = this.invariants.committed[i] as { term: number; text: string };
      if (c.text !== '' && final[i] !== c.text)
        throw new Error(`I5: ${c.text} at ${i + 1} was committed, final is ${final[i]}`);
    }
  }

  /** The newest configuration that any member has applied. */
  conf() {
    const newest = [...this.cluster.members.values()].reduce((a, b) => (b.machine.applied > a.machine.applied ? b : a));
    return newest.machine.confState;
  }

  describe(): string {
    return [...this.cluster.members.values()]
      .map((m) => {
        const s = m.raft?.status();
        const conf = `voters ${m.machine.confState.voters} learners ${m.machine.confState.learners}`;
        return `\n${m.id}: ${s === undefined ? 'down' : `role ${s.role} term ${s.term} lead ${s.leader} commit ${s.commit} applied ${s.applied} last ${s.lastIndex}${s.withheld ? ' withheld' : ''}`} ${conf}`;
      })
      .join('');
  }
}

export interface LongRun {
  size: number;
  slowDisks: boolean;
  seed: number;
  settings: Settings;
  faults: [Action, number][];
}

/** Many steps drawn from the seed, then the end. */
export function longRun(r: LongRun, steps: number): Chaos {
  const chaos = new Chaos(r.size, r.settings, r.seed, r.slowDisks);
  const rng = new Rng(r.seed).split('steps');
  const table: Action[] = [];
  for (const [what, weight] of [...CALM, ...REPAIRS, ...r.faults]) for (let i = 0; i < weight; i++) table.push(what);
  for (let i = 0; i < steps; i++) chaos.do({ what: rng.pick(table), a: rng.below(1000), b: rng.below(1000) });
  chaos.finish();
  return chaos;
}
