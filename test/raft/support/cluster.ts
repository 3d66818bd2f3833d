import type { Entry, Message, NodeId, Ready } from '../../../src/raft/index.js';
import type { Machine, MemberEvents, Settings } from './member.js';
import { Member } from './member.js';

/** A message on its way. */
export interface Packet {
  readonly message: Message;
  readonly snapshot: Machine | null;
}

export interface ClusterOptions {
  voters: readonly number[];
  learners?: readonly number[];
  settings?: Settings;
  /** By member, what differs from `settings`. */
  special?: ReadonlyMap<number, Settings>;
  traced?: boolean;
  seed?: number;
  /** Not every hook is of interest to everyone. */
  events?: Partial<MemberEvents>;
}

/** Members and the messages between them. Nothing moves by itself. */
export class Cluster {
  readonly members = new Map<NodeId, Member>();
  /** In the order they were sent. */
  packets: Packet[] = [];
  /** `from>to` pairs that are cut. */
  readonly cut = new Set<string>();
  /** What is sent over a cut waits for the cut to heal, instead of being lost. */
  holds = false;
  /** The sender of a snapshot is told that it was not taken, although it was. */
  misreports = false;
  readonly options: ClusterOptions;

  constructor(options: ClusterOptions) {
    this.options = options;
    for (const id of [...options.voters, ...(options.learners ?? [])]) this.add(id);
  }

  get initialConf(): { voters: bigint[]; learners: bigint[] } {
    return {
      voters: this.options.voters.map(BigInt),
      learners: (this.options.learners ?? []).map(BigInt),
    };
  }

  /** A member that starts with an empty disk; at index 0 the configuration is the first one for all. */
  add(id: number): Member {
    const { events = {}, traced = false, seed = 1 } = this.options;
    const settings = { ...this.options.settings, ...this.options.special?.get(id) };
    const member = new Member(
      BigInt(id),
      this.initialConf,
      {
        send: (from: Member, message: Message, snapshot: Machine | null) => {
          events.send?.(from, message, snapshot);
          if (!this.holds && this.isCut(message)) this.lost({ message, snapshot });
          else this.packets.push({ message, snapshot });
        },
        apply: (m: Member, e: Entry) => events.apply?.(m, e),
        read: (m: Member, ctx: number, index: number) => events.read?.(m, ctx, index),
        ready: (m: Member, rd: Ready) => events.ready?.(m, rd),
        trace: (m: Member, text: string) => events.trace?.(m, text),
      },
      settings,
      traced,
      seed,
    );
    this.members.set(member.id, member);
    member.start();
    return member;
  }

  get(id: number | bigint): Member {
    const member = this.members.get(BigInt(id));
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  isCut(m: Message): boolean {
    return this.cut.size > 0 && this.cut.has(`${m.from}>${m.to}`);
  }

  /** A message will not arrive. Of snapshots the sender is told. */
  lost(p: Packet): void {
    if (p.snapshot === null) return;
    this.members.get(p.message.from)?.raft?.reportSnapshot(p.message.to, false);
  }

  /** Hands a packet to its receiver; the receiver acts when it is pumped. */
  arrive(p: Packet): void {
    const to = this.members.get(p.message.to);
    if (to?.raft == null || this.isCut(p.message)) {
      this.lost(p);
      return;
    }
    to.receive(p.message, p.snapshot);
    if (p.snapshot !== null) this.members.get(p.message.from)?.raft?.reportSnapshot(to.id, !this.misreports);
  }

  /** Delivers everything, and what comes of it, until nothing moves. */
  settle(max = 10_000): void {
    for (const m of this.members.values()) m.pump();
    while (this.packets.length > 0) {
      if (max-- <= 0) throw new Error('does not settle');
      const batch = this.packets;
      this.packets = [];
      for (const p of batch) this.arrive(p);
      for (const m of this.members.values()) m.pump();
    }
  }

  tick(times = 1): void {
    for (let i = 0; i < times; i++) {
      for (const m of this.members.values()) m.raft?.tick();
      this.settle();
    }
  }

  isolate(id: number): void {
    for (const other of this.members.keys()) {
      this.cut.add(`${id}>${other}`);
      this.cut.add(`${other}>${id}`);
    }
  }

  heal(): void {
    this.cut.clear();
  }

  /** The one that leads in the highest term, if it is up. */
  leader(): Member | null {
    let best: Member | null = null;
    for (const m of this.members.values()) {
      if (m.raft?.isLeader && (best === null || m.raft.term > best.up.term)) best = m;
    }
    return best;
  }

  /** Campaigns and settles. */
  elect(id: number): Member {
    const m = this.get(id);
    m.up.campaign();
    this.settle();
    if (!m.up.isLeader) throw new Error(`${id} was not elected`);
    return m;
  }

  propose(id: number, ...datas: string[]): string {
    return this.get(id).up.propose(datas.map((d) => Buffer.from(d)));
  }
}
