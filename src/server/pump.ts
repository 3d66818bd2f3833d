import type { PeerHub } from '../peer/api.js';
import type { Entry, HardState, Message, Raft, Ready, SoftState } from '../raft/index.js';
import { MessageKind, Role } from '../raft/index.js';
import type { Wal } from '../storage/wal/index.js';
import { assert } from '../util/assert.js';
import type { Env } from '../util/env.js';
import { failpoint } from '../util/failpoint.js';
import { diskTimes, growing } from '../util/histogram.js';
import { RingBuffer } from '../util/ring-buffer.js';
import { entryWire } from '../wire/index.js';
import { Pacer } from './pacer.js';
import type { Proposals, Queued } from './proposals.js';
import type { ReadIndexer } from './read-index.js';
import { walSnapshot } from './wal-snapshot.js';

const raftBeforeLeaderSend = failpoint('raftBeforeLeaderSend');
const raftBeforeFollowerSend = failpoint('raftBeforeFollowerSend');
const raftBeforeSave = failpoint('raftBeforeSave');
const raftAfterSave = failpoint('raftAfterSave');
const raftBeforeSaveSnap = failpoint('raftBeforeSaveSnap');
const raftAfterSaveSnap = failpoint('raftAfterSaveSnap');
const raftBeforeApplySnap = failpoint('raftBeforeApplySnap');
const raftAfterApplySnap = failpoint('raftAfterApplySnap');
const raftAfterWALRelease = failpoint('raftAfterWALRelease');

/** What the pump does not decide itself. */
export interface PumpOwner {
  /** Applies committed entries in order. */
  apply(entries: readonly Entry[]): void;
  /** The state machine takes nothing more for now. */
  readonly applyHeld: boolean;
  onSoftState(state: SoftState): void;
  /** Streams the snapshot that belongs to this MsgSnap. */
  sendSnapshot(message: Message): void;
  /** Installs the snapshot of a Ready; everything else waits until the callback. */
  installSnapshot(ready: Ready, done: () => void): void;
  /** Everything that raft wanted done this turn has been begun. */
  turnOver(): void;
}

interface InFlight {
  readonly ready: Ready;
  durable: boolean;
}

/**
 * The one loop of a member: once a turn it hands what has gathered to raft, then does what raft's Readys ask for.
 * Messages leave in parallel with the disk write; promises wait for it (raft/DESIGN.md, "the Ready contract").
 *
 *   proposals, reads, messages, ticks ──> raft ──> send │ persist ──> send promises │ apply ──> answers
 */
export class Pump {
  readonly #env: Env;
  readonly #raft: Raft;
  readonly #wal: Wal;
  readonly #hub: PeerHub;
  readonly #proposals: Proposals;
  readonly #reads: ReadIndexer;
  readonly #owner: PumpOwner;
  readonly #maxBatchBytes: number;
  readonly #pacer: Pacer;
  /** Readys that are not acknowledged yet, in order of token. */
  readonly #inFlight = new RingBuffer<InFlight>();
  readonly walSync = diskTimes();
  /** Entries of one write to the log, and entries applied in one turn. */
  readonly walBatches = growing(1, 4, 8);
  readonly applyBatches = growing(1, 4, 8);
  /** Seconds of the turns that applied something. */
  readonly applyTimes = growing(0.0001, 2, 16);
  readonly #toApply = new RingBuffer<readonly Entry[]>();
  #scheduled = false;
  #installing = false;
  #stopped = false;
  /** Of the last hard state written: what a snapshot's install may claim until it is done. */
  #commitWritten: number;

  constructor(parts: {
    env: Env;
    raft: Raft;
    wal: Wal;
    hub: PeerHub;
    proposals: Proposals;
    reads: ReadIndexer;
    owner: PumpOwner;
    maxBatchBytes: number;
    commit: number;
  }) {
    this.#env = parts.env;
    this.#raft = parts.raft;
    this.#wal = parts.wal;
    this.#hub = parts.hub;
    this.#proposals = parts.proposals;
    this.#reads = parts.reads;
    this.#owner = parts.owner;
    this.#maxBatchBytes = parts.maxBatchBytes;
    this.#pacer = new Pacer(
      parts.env,
      parts.raft,
      () => this.wake(),
      () => this.#saveCommit(),
    );
    this.#commitWritten = parts.commit;
  }

  /** Something may be there to do: run at the end of this turn. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#env.timers.defer(() => {
      this.#scheduled = false;
      if (this.#stopped) return;
      try {
        this.#run();
      } catch (err) {
        this.#env.fatal(err as Error);
      }
    });
  }

  /** A snapshot is being swapped in. */
  get installing(): boolean {
    return this.#installing;
  }

  stop(): void {
    this.#stopped = true;
  }

  #run(): void {
    if (this.#installing) return;
    const now = this.#env.clock.now();
    this.#submit(now);
    this.#reads.startRound(now);
    while (!this.#installing && this.#raft.hasReady()) this.#handle(this.#raft.ready());
    this.#apply();
    this.#hub.flush();
    if (!this.#installing) this.#owner.turnOver();
    this.#pacer.turnOver(now);
    // Applying may have made new Readys possible (a page of committed entries, a configuration change).
    if (!this.#installing && this.#raft.hasReady()) this.wake();
  }

  #submit(now: number): void {
    const { leader } = this.#raft;
    const { queuedCount, queuedBytes } = this.#proposals;
    if (leader === 0n || queuedCount === 0) return;
    const leads = leader === this.#raft.id;
    if (leads && this.#pacer.gathers(now, queuedCount, queuedBytes)) return;
    if (leads) this.#pacer.began(now);
    while (this.#proposals.queuedCount > 0) {
      const batch = this.#proposals.take(this.#maxBatchBytes, now);
      if (batch.length === 0) return;
      if (!this.#accepted(leader, batch)) {
        this.#proposals.putBack(batch);
        return;
      }
    }
  }

  #accepted(leader: bigint, batch: readonly Queued[]): boolean {
    const datas = batch.map((queued) => queued.data);
    if (leader === this.#raft.id) return this.#raft.propose(datas) === 'accepted';
    return this.#hub.forward(leader, datas);
  }

  #handle(ready: Ready): void {
    if (ready.softState !== null) this.#owner.onSoftState(ready.softState);
    if (raftBeforeLeaderSend.on && this.isLeader) raftBeforeLeaderSend.hit();
    for (const message of ready.messages) this.#send(message);
    for (const state of ready.readStates) this.#reads.confirmed(state.ctx, state.index);
    if (ready.committedEntries.length > 0) this.#toApply.push(ready.committedEntries);
    const flight: InFlight = { ready, durable: false };
    this.#inFlight.push(flight);
    if (ready.snapshot !== null) this.#install(flight);
    else if (ready.mustSync) this.#persist(flight);
    else {
      if (ready.hardState !== null) this.#defer(ready.hardState);
      this.#durable(flight);
    }
  }

  #send(message: Message): void {
    if (message.kind === MessageKind.Snap) this.#owner.sendSnapshot(message);
    else this.#hub.send(message);
  }

  /**
   * A commit index promises nothing: where rounds are close it goes to the log with the next one. A write of its own costs
   * as many wake-ups of the disk's thread and of this one as the entries that it follows.
   */
  #defer(hardState: HardState): void {
    this.#commitWritten = hardState.commit;
    this.#wal.defer(hardState);
    this.#pacer.commitMoved(this.#env.clock.now());
  }

  #saveCommit(): void {
    if (this.#stopped) return;
    this.#wal.saveDeferred((err) => {
      if (err !== null) this.#env.fatal(err);
    });
  }

  #persist(flight: InFlight): void {
    const { hardState, entries } = flight.ready;
    for (const entry of entries) entryWire(entry);
    if (entries.length > 0) this.walBatches.observe(entries.length);
    if (raftBeforeSave.on) raftBeforeSave.hit();
    if (hardState !== null) this.#commitWritten = hardState.commit;
    const { clock } = this.#env;
    const start = clock.now();
    if (entries.length > 0) this.#pacer.wrote(start);
    this.#wal.save(hardState, entries as never, true, (err) => {
      if (err !== null) return this.#env.fatal(err);
      this.walSync.observe((clock.now() - start) / 1000);
      if (raftAfterSave.on) raftAfterSave.hit();
      this.#durable(flight);
      this.wake();
    });
  }

  /**
   * Order matters at every crash point: the term and vote first, with the old commit index, since the log does not
   * reach the new one yet; then the store; then the log's own record of it (museum 22).
   */
  #install(flight: InFlight): void {
    this.#installing = true;
    // What was committed before and not applied yet is in the snapshot.
    this.#toApply.clear();
    const { hardState, entries, snapshot } = flight.ready;
    assert(snapshot !== null && entries.length === 0, 'a Ready with a snapshot has no entries');
    const before = hardState === null ? null : { ...hardState, commit: this.#commitWritten };
    const failed = (err: Error | null): err is Error => {
      if (err !== null) this.#env.fatal(err);
      return err !== null;
    };
    if (raftBeforeSaveSnap.on) raftBeforeSaveSnap.hit();
    this.#wal.save(before, [], before !== null, (saveError) => {
      if (failed(saveError)) return;
      this.#owner.installSnapshot(flight.ready, () => {
        this.#wal.saveSnapshot(
          walSnapshot(snapshot),
          (recordError) => {
            if (failed(recordError)) return;
            if (raftAfterSaveSnap.on) raftAfterSaveSnap.hit();
            if (hardState !== null) this.#commitWritten = hardState.commit;
            this.#wal.save(hardState, [], hardState !== null, (err) => {
              if (failed(err)) return;
              if (raftBeforeApplySnap.on) raftBeforeApplySnap.hit();
              this.#installing = false;
              this.#durable(flight);
              if (raftAfterApplySnap.on) raftAfterApplySnap.hit();
              this.#wal.release(snapshot.index);
              if (raftAfterWALRelease.on) raftAfterWALRelease.hit();
              this.wake();
            });
          },
          true,
        );
      });
    });
  }

  #durable(flight: InFlight): void {
    flight.durable = true;
    let last = 0;
    for (let head = this.#inFlight.peek(); head?.durable === true; head = this.#inFlight.peek()) {
      this.#inFlight.shift();
      if (raftBeforeFollowerSend.on && !this.isLeader) raftBeforeFollowerSend.hit();
      for (const message of head.ready.messagesAfterPersist) this.#send(message);
      last = head.ready.token;
    }
    if (last > 0) this.#raft.persisted(last);
  }

  /** The backend drained: go on applying. */
  #apply(): void {
    if (this.#toApply.length > 0 && !this.#owner.applyHeld) this.#applyTimed();
    this.#reads.applied(this.#raft.appliedIndex);
  }

  #applyTimed(): void {
    const { clock } = this.#env;
    const start = clock.now();
    let count = 0;
    while (!this.#owner.applyHeld) {
      const entries = this.#toApply.shift();
      if (entries === undefined) break;
      count += entries.length;
      this.#owner.apply(entries);
      this.#raft.applied((entries[entries.length - 1] as Entry).index);
    }
    const took = clock.now() - start;
    this.applyBatches.observe(count);
    this.applyTimes.observe(took / 1000);
  }

  get isLeader(): boolean {
    return this.#raft.role === Role.Leader;
  }
}
