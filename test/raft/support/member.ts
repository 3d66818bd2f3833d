import type {
  ConfState,
  Entry,
  HardState,
  Message,
  NodeId,
  RaftConfig,
  Ready,
  SnapshotMeta,
} from '../../../src/raft/index.js';
import { ConfChange, EntryType, NONE, Raft } from '../../../src/raft/index.js';
import { Rng } from '../../../src/util/rng.js';

/** The replicated state machine of these tests: what was applied, in order, and the configuration. */
export interface Machine {
  applied: number;
  confState: ConfState;
  /** One for each index up to `applied`: `term:data`. Later states of the machine may share and lengthen the array. */
  readonly history: readonly string[];
}

/** `term:data` of what a machine has applied. */
export function historyOf(m: Machine): readonly string[] {
  return m.history.slice(0, m.applied);
}

function extended(m: Machine, text: string): readonly string[] {
  const history = m.history.length === m.applied ? (m.history as string[]) : m.history.slice(0, m.applied);
  history.push(text);
  return history;
}

/** What survives a crash. */
export interface Disk {
  hardState: HardState;
  /** The last entry that is gone. */
  offset: number;
  offsetTerm: number;
  entries: Entry[];
  machine: Machine;
  /** It lost entries, and no leader has said that they are back. */
  lost: boolean;
}

/** What happens to a member; the owner decides what becomes of its messages. */
export interface MemberEvents {
  send(from: Member, m: Message, snapshot: Machine | null): void;
  apply(member: Member, e: Entry): void;
  read(member: Member, ctx: number, index: number): void;
  ready(member: Member, rd: Ready): void;
  trace(member: Member, text: string): void;
}

export type Settings = Partial<Omit<RaftConfig, 'id' | 'initial' | 'snapshotSource' | 'rng' | 'tracer'>>;

/** A member on a disk that loses what was not persisted; persisting and applying may be left to the test. */
export class Member {
  readonly id: NodeId;
  readonly events: MemberEvents;
  readonly settings: Settings;
  readonly traced: boolean;
  readonly seed: number;
  disk: Disk;
  machine: Machine;
  raft: Raft | null = null;
  /** Handed out, not yet durable. */
  writes: Ready[] = [];
  /** Handed out, not yet applied. */
  toApply: Entry[] = [];
  autoPersist = true;
  autoApply = true;
  /** May snapshots be taken of it? */
  hasSnapshots = true;
  /** Data of snapshots that arrived, by index. */
  readonly #staged = new Map<number, Machine>();
  #starts = 0;

  constructor(id: NodeId, conf: ConfState, events: MemberEvents, settings: Settings, traced: boolean, seed: number) {
    this.id = id;
    this.events = events;
    this.settings = settings;
    this.traced = traced;
    this.seed = seed;
    this.machine = { applied: 0, confState: conf, history: [] };
    this.disk = {
      hardState: { term: 0, vote: NONE, commit: 0 },
      offset: 0,
      offsetTerm: 0,
      entries: [],
      machine: this.machine,
      lost: false,
    };
  }

  get up(): Raft {
    if (this.raft === null) throw new Error(`member ${this.id} is down`);
    return this.raft;
  }

  start(): void {
    const { disk } = this;
    this.machine = disk.machine;
    this.raft = new Raft({
      electionTicks: 10,
      heartbeatTicks: 1,
      ...this.settings,
      id: this.id,
      rng: new Rng(this.seed).split(Number(this.id)).split(this.#starts++),
      initial: {
        hardState: disk.hardState,
        confState: disk.machine.confState,
        snapshotIndex: disk.offset,
        snapshotTerm: disk.offsetTerm,
        entries: disk.entries,
        applied: disk.machine.applied,
        withholdVote: disk.lost,
      },
      snapshotSource: () => this.#snapshotMeta(),
      tracer: this.traced ? (text) => this.events.trace(this, text) : null,
    });
    this.pump();
  }

  #snapshotMeta(): SnapshotMeta | null {
    const { machine, raft } = this;
    if (!this.hasSnapshots || machine.applied === 0 || raft === null) return null;
    return { index: machine.applied, term: raft.termAt(machine.applied), confState: machine.confState };
  }

  /**
   * Loses everything that is not durable.
   * @param keep how many of the writes under way reached the disk
   * @param torn how many entries of the one after them did, without its hard state
   */
  crash(keep = 0, torn = 0): void {
    for (const rd of this.writes.slice(0, keep)) this.#write(rd);
    const next = this.writes[keep];
    if (next !== undefined && torn > 0 && next.snapshot === null) this.#writeEntries(next.entries.slice(0, torn));
    this.raft = null;
    this.writes = [];
    this.toApply = [];
    this.#staged.clear();
  }

  /** Takes what raft has to do, and does it as far as nothing is left to the test. */
  pump(): void {
    for (;;) {
      const raft = this.raft;
      if (raft === null) return;
      if (this.disk.lost && !raft.status().withheld) this.disk.lost = false;
      if (raft.hasReady()) {
        const rd = raft.ready();
        this.events.ready(this, rd);
        this.#sendAll(rd.messages);
        this.writes.push(rd);
        this.toApply.push(...rd.committedEntries);
        for (const { ctx, index } of rd.readStates) this.events.read(this, ctx, index);
      } else if (!(this.autoPersist && this.persist(Number.MAX_SAFE_INTEGER))) {
        if (!(this.autoApply && this.apply(Number.MAX_SAFE_INTEGER))) return;
      }
    }
  }

  /** @returns false if there was nothing to persist */
  persist(count: number): boolean {
    const done = this.writes.splice(0, count);
    const last = done.at(-1);
    if (last === undefined) return false;
    for (const rd of done) {
      this.#write(rd);
      this.#sendAll(rd.messagesAfterPersist);
    }
    this.up.persisted(last.token);
    return true;
  }

  #sendAll(messages: readonly Message[]): void {
    for (const m of messages) this.events.send(this, m, m.snapshot === null ? null : this.machine);
  }

  #write(rd: Ready): void {
    const { disk } = this;
    if (rd.snapshot !== null) {
      const machine = this.#staged.get(rd.snapshot.index);
      if (machine === undefined) throw new Error(`member ${this.id}: no data for snapshot ${rd.snapshot.index}`);
      disk.offset = rd.snapshot.index;
      disk.offsetTerm = rd.snapshot.term;
      disk.entries = [];
      disk.machine = machine;
      this.machine = machine;
      this.toApply = [];
    }
    this.#writeEntries(rd.entries);
    if (rd.hardState !== null) disk.hardState = rd.hardState;
  }

  #writeEntries(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const { disk } = this;
    const at = first.index - disk.offset - 1;
    if (at < 0 || at > disk.entries.length) throw new Error(`member ${this.id}: a gap in the log at ${first.index}`);
    disk.entries = [...disk.entries.slice(0, at), ...entries];
  }

  /** @returns false if there was nothing to apply */
  apply(count: number): boolean {
    const entries = this.toApply.splice(0, count);
    for (const e of entries) {
      if (e.index !== this.machine.applied + 1) {
        throw new Error(`member ${this.id} applies ${e.index} after ${this.machine.applied}`);
      }
      let confState = this.machine.confState;
      if (e.type === EntryType.CONF_CHANGE) confState = this.up.applyConfChange(ConfChange.decode(e.data));
      this.machine = {
        applied: e.index,
        confState,
        history: extended(this.machine, describe(e)),
      };
      this.events.apply(this, e);
      this.up.applied(e.index);
    }
    return entries.length > 0;
  }

  /** The state machine is flushed, as the backend does now and then. */
  flush(): void {
    this.disk.machine = this.machine;
  }

  /** Forgets the log up to `index`, in memory and on disk, behind a flush. */
  compact(index: number): void {
    this.flush();
    const { disk } = this;
    const term = this.up.termAt(index);
    this.up.compact(index);
    // A snapshot that is being installed may have overtaken the disk.
    if (index <= disk.offset || term < 0) return;
    disk.entries = disk.entries.slice(index - disk.offset);
    disk.offset = index;
    disk.offsetTerm = term;
  }

  /** @param snapshot the data that came beside a MsgSnap */
  receive(m: Message, snapshot: Machine | null): void {
    if (snapshot !== null && m.snapshot !== null) this.#staged.set(m.snapshot.index, snapshot);
    this.up.step(m);
  }
}

export function describe(e: Entry): string {
  if (e.type === EntryType.CONF_CHANGE) return `${e.term}:${describeConfChange(e.data)}`;
  return `${e.term}:${e.data.toString()}`;
}

const VERBS = ['add', 'remove', 'update', 'learner'];

function describeConfChange(data: Buffer): string {
  const cc = ConfChange.decode(data);
  return `${VERBS[cc.type]}=${cc.nodeId}`;
}
