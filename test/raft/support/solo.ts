import type { ConfState, HardState, MessageKind, RaftConfig, Ready } from '../../../src/raft/index.js';
import { Entry, EntryType, Message, Raft } from '../../../src/raft/index.js';
import { Rng } from '../../../src/util/rng.js';

export interface SoloOptions extends Partial<Omit<RaftConfig, 'id' | 'initial'>> {
  voters?: number[];
  learners?: number[];
  hardState?: Partial<{ term: number; vote: number; commit: number }>;
  /** Terms of the entries 1, 2, ... */
  log?: number[];
  seed?: number;
  withholdVote?: boolean;
}

/** Member 1 alone, with the others' messages written by the test. Pre-vote is off unless asked for. */
export class Solo {
  readonly raft: Raft;
  readonly readies: Ready[] = [];
  /** Everything that left, in order; what was promised after the disk. */
  sent: Message[] = [];
  applied: Entry[] = [];
  reads: { ctx: number; index: number }[] = [];

  constructor(options: SoloOptions = {}) {
    const {
      voters = [1, 2, 3],
      learners = [],
      hardState = {},
      log = [],
      seed = 1,
      withholdVote = false,
      ...rest
    } = options;
    const confState: ConfState = { voters: voters.map(BigInt), learners: learners.map(BigInt) };
    const hard: HardState = {
      term: hardState.term ?? log.at(-1) ?? 0,
      vote: BigInt(hardState.vote ?? 0),
      commit: hardState.commit ?? 0,
    };
    this.raft = new Raft({
      electionTicks: 10,
      heartbeatTicks: 1,
      preVote: false,
      snapshotSource: () => null,
      rng: new Rng(seed),
      ...rest,
      id: 1n,
      initial: {
        hardState: hard,
        confState,
        snapshotIndex: 0,
        snapshotTerm: 0,
        entries: entries(log),
        applied: 0,
        withholdVote,
      },
    });
    this.pump();
  }

  /** Writes, sends and applies everything. */
  pump(): this {
    while (this.raft.hasReady()) {
      const rd = this.raft.ready();
      this.readies.push(rd);
      this.sent.push(...rd.messages, ...rd.messagesAfterPersist);
      this.reads.push(...rd.readStates);
      this.raft.persisted(rd.token);
      this.applied.push(...rd.committedEntries);
      const last = rd.committedEntries.at(-1);
      if (last !== undefined) this.raft.applied(last.index);
    }
    return this;
  }

  /** A message comes. @returns what leaves because of it */
  step(kind: MessageKind, from: number, term: number, fields: Partial<Message> = {}): Message[] {
    this.sent = [];
    this.raft.step(Object.assign(new Message(kind, 1n, BigInt(from), term), fields));
    this.pump();
    return this.sent;
  }

  tick(times = 1): Message[] {
    this.sent = [];
    for (let i = 0; i < times; i++) this.raft.tick();
    this.pump();
    return this.sent;
  }

  propose(...datas: string[]): Message[] {
    this.sent = [];
    this.raft.propose(datas.map((d) => Buffer.from(d)));
    this.pump();
    return this.sent;
  }

  /** Terms of the log's entries, from 1. */
  get terms(): number[] {
    return Array.from({ length: this.raft.lastIndex }, (_, i) => this.raft.termAt(i + 1));
  }
}

/** Entries 1, 2, ... of these terms, without data. */
export function entries(terms: number[], from = 1): Entry[] {
  return terms.map((term, i) => new Entry(EntryType.NORMAL, term, from + i, Buffer.alloc(0)));
}
