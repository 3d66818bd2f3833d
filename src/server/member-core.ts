import type { Identity } from '../auth/index.js';
import { NOBODY, ROOT } from '../auth/index.js';
import type { MvccStore } from '../mvcc/index.js';
import type { PeerHub } from '../peer/index.js';
import type { Entry, Message, Raft, Ready, SoftState } from '../raft/index.js';
import { MessageKind, Role } from '../raft/index.js';
import type { StoredBackend } from '../storage/backend/index.js';
import { WalError } from '../storage/wal/index.js';
import type { Env, TimerHandle } from '../util/env.js';
import { hex } from '../util/hex.js';
import type { Logger } from '../util/log.js';
import {
  ClusterVersionSetRequest,
  encodeInternalRequest,
  InternalKind,
  LeaseCheckpointRequest,
  LeaseRevokeRequest,
} from '../wire/index.js';
import type { CallContext, Completion, MemberLimits } from './api.js';
import type { ApplierOwner } from './applier.js';
import { Applier } from './applier.js';
import { AuthCalls } from './auth-calls.js';
import { AuthGate } from './auth-gate.js';
import { AutoPromoter } from './auto-promoter.js';
import { ClusterVersionMonitor } from './cluster-version.js';
import { applyConfChange } from './conf-changes.js';
import type { MemberConfig } from './config.js';
import { requestTimeoutMs } from './config.js';
import { longestConnected, timeoutCause } from './connectivity.js';
import { damageOf, logFolder, noteDamage } from './damage.js';
import { EarlyCampaign } from './early-campaign.js';
import type { ServerError } from './errors.js';
import { refusal } from './errors.js';
import type { Counting } from './figures.js';
import { RequestIds } from './ids.js';
import type { LeaderView } from './leader-calls.js';
import { LeaderCalls } from './leader-calls.js';
import { LeaseKeeper } from './lease-keeper.js';
import { LogCompactor } from './log-compactor.js';
import type { Membership } from './membership.js';
import { REMOVED } from './membership.js';
import type { MemberEvents, MemberParts } from './parts.js';
import type { FoundPeer } from './peer-finder.js';
import { PeerFinder } from './peer-finder.js';
import type { PeerAnswer } from './peer-questions.js';
import { PeerQuestions } from './peer-questions.js';
import { goesFirst, Proposals } from './proposals.js';
import { Publisher } from './publisher.js';
import type { PumpOwner } from './pump.js';
import { Pump } from './pump.js';
import type { Quota } from './quota.js';
import type { Reader } from './read-index.js';
import { ReadIndexer } from './read-index.js';
import { Reconfiguration } from './reconfiguration.js';
import { closeParts, handOver } from './shutdown.js';
import { SlowApplies } from './slow-applies.js';
import { installSnapshot } from './snapshot-install.js';
import { SnapshotTransfer } from './snapshot-transfer.js';
import { Upkeep } from './upkeep.js';
import { WithheldVote } from './withheld-vote.js';

const MAX_BATCH_BYTES = 1 << 20;
const LOG_BYTES_MAX = 64 << 20;
/** etcd's, ms. */
const REMOVED_DELAY_MS = 1000;

/**
 * What moves in a running member: it joins raft, the log, the replicated state and the peers. Everything happens on
 * one thread, in turns; the pump does the moving. What clients ask is Member, on top of this.
 */
export class MemberCore implements MemberEvents, PumpOwner, ApplierOwner, LeaderView {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly limits: MemberLimits;
  readonly config: MemberConfig;
  readonly upkeep: Upkeep;
  onReady: (() => void) | null = null;
  onEnded: (() => void) | null = null;

  protected readonly parts: MemberParts;
  readonly #env: Env;
  protected readonly log: Logger;
  readonly #raft: Raft;
  readonly #backend: StoredBackend;
  readonly #mvcc: MvccStore;
  readonly #membership: Membership;
  readonly #hub: PeerHub;
  readonly #ids: RequestIds;
  readonly #proposals: Proposals;
  readonly #reads: ReadIndexer;
  protected readonly leaseKeeper: LeaseKeeper;
  protected readonly gate: AuthGate;
  protected readonly authCalls: AuthCalls;
  readonly #questions: PeerQuestions;
  protected readonly changes: Reconfiguration;
  readonly #promoter: AutoPromoter | null;
  protected readonly calls: LeaderCalls;
  readonly #applier: Applier;
  readonly #pump: Pump;
  readonly #compactor: LogCompactor;
  readonly #publisher: Publisher;
  readonly #transfer: SnapshotTransfer;
  readonly #early: EarlyCampaign;
  readonly #versions: ClusterVersionMonitor;
  readonly #withheld: WithheldVote;
  readonly #finder: PeerFinder;
  /** Members that others told us of; they stand beside those that were applied until we have published ourselves. */
  #foundPeers: readonly FoundPeer[] = [];
  #isPublished = false;
  #timer: TimerHandle | null = null;
  #state: 'open' | 'stopping' | 'stopped' = 'open';
  #removed = false;
  #leader = 0n;
  #leaderTerm = 0;
  #tickedAt = Number.POSITIVE_INFINITY;
  #lateHeartbeats = 0;
  /** ms: when a leader was last elected, for the cause of a time-out */
  #leaderElectedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: MemberParts) {
    const { env, config } = parts;
    this.parts = parts;
    this.#env = env;
    this.config = config;
    this.clusterId = parts.clusterId;
    this.memberId = parts.memberId;
    this.log = env.log.with({ caller: 'server/member.ts' });
    this.#raft = parts.raft;
    this.#backend = parts.backend;
    this.#mvcc = parts.mvcc;
    this.#membership = parts.membership;
    this.#hub = parts.hub;
    this.limits = {
      maxRequestBytes: config.maxRequestBytes,
      maxTxnOps: config.maxTxnOps,
      requestTimeoutMs: requestTimeoutMs(config),
      electionTimeoutMs: config.electionMs,
    };
    this.#ids = new RequestIds(parts.memberId, env.clock.wall());
    this.#proposals = new Proposals(config.tuning);
    this.#reads = new ReadIndexer((ctx) => this.#raft.readIndex(ctx), config.tuning.mutants.has('5'));
    const view = this;
    this.gate = new AuthGate(parts.auth, parts.tokens, parts.lessor, {
      get appliedIndex() {
        return parts.backend.appliedIndex;
      },
      now: () => env.clock.now(),
      until: (ctx) => this.until(ctx),
    });
    parts.auth.tokens = parts.tokens;
    this.authCalls = new AuthCalls(
      parts.auth,
      parts.tokens,
      env,
      config.bcryptCost,
      {
        propose: (kind, body, done, ctx) => this.propose(kind, body, done, ctx),
        whenCurrent: (done, go) => this.read({ ready: go, fail: (err) => done.fail(err) }, false),
        asRoot: (ctx, done, go) => this.gate.asRoot(ctx, done, go),
      },
      this.log,
    );
    this.leaseKeeper = new LeaseKeeper(
      parts.lessor,
      this.#reads,
      {
        get leaderTerm() {
          return view.#raft.isLeader ? view.#leaderTerm : 0;
        },
        now: () => env.clock.now(),
        leaseNow: () => (config.tuning.mutants.has('59') ? env.clock.wall() : env.clock.now()),
        wake: () => this.#pump.wake(),
        proposeRevoke: (id) => this.#proposeHere(InternalKind.LEASE_REVOKE, LeaseRevokeRequest.encode({ id })),
        proposeCheckpoints: (checkpoints) =>
          this.#proposeHere(InternalKind.LEASE_CHECKPOINT, LeaseCheckpointRequest.encode({ checkpoints } as never)),
        clearCheckpoint: (id, done) => {
          const body = LeaseCheckpointRequest.encode({ checkpoints: [{ id, remainingTtl: 0 }] });
          this.propose(InternalKind.LEASE_CHECKPOINT, body, done as Completion<never>);
        },
      },
      config.tuning.leaseCheckMs,
      config.tuning.leaseRevokeRate,
    );
    this.changes = new Reconfiguration(parts, this.#ids, this.#proposals, {
      get open() {
        return view.#state === 'open';
      },
      wake: () => this.#pump.wake(),
    });
    this.#promoter = config.autoPromote ? new AutoPromoter(parts.raft, this.changes, this.log) : null;
    this.#questions = new PeerQuestions(
      parts.clusterId,
      parts.membership,
      this.leaseKeeper,
      this.changes,
      () => this.#applier.clusterVersion,
    );
    this.calls = new LeaderCalls(env.clock, env.timers, this);
    this.upkeep = new Upkeep(parts, {
      log: this.log,
      propose: (kind, body, done) => this.propose(kind, body, done),
      whenCurrent: (cb) => this.read({ ready: () => cb(null), fail: cb }, false),
      refuseRequests: () => this.#refuseRequests(),
    });
    const slow = new SlowApplies(env.clock, env.log, config.warningApplyMs);
    this.#applier = new Applier(parts, this.#proposals, this.#ids.hi16, env.log, this, slow);
    this.#applier.clusterVersion = parts.clusterVersion;
    this.#pump = new Pump({
      env,
      raft: parts.raft,
      wal: parts.wal,
      hub: parts.hub,
      proposals: this.#proposals,
      reads: this.#reads,
      owner: this,
      maxBatchBytes: MAX_BATCH_BYTES,
      commit: parts.commit,
    });
    this.#compactor = new LogCompactor({
      raft: parts.raft,
      backend: parts.backend,
      wal: parts.wal,
      options: {
        snapshotCount: config.snapshotCount,
        catchUpEntries: config.snapshotCatchUpEntries,
        logBytesMax: LOG_BYTES_MAX,
      },
      log: this.log,
      fatal: (err) => env.fatal(err),
    });
    this.#publisher = new Publisher(
      env.timers,
      (kind, body, done) => this.propose(kind, body, done),
      { memberId: this.memberId, name: config.name, clientUrls: config.advertiseClientUrls },
      () => this.#published(),
    );
    this.#transfer = new SnapshotTransfer({
      env,
      backend: parts.backend,
      raft: parts.raft,
      hub: parts.hub,
      wake: () => this.#pump.wake(),
      acceptsSecond: config.tuning.mutants.has('raft-snapshot-over-snapshot'),
    });
    this.#early = new EarlyCampaign(config.initialElectionTickAdvance ? 1 + env.rng.below(4) : null);
    this.#versions = new ClusterVersionMonitor(parts.hub, parts.membership, config.clusterVersionMax);
    this.#withheld = new WithheldVote(parts, this.log);
    this.#finder = new PeerFinder(
      env,
      config,
      this,
      () => !this.#isPublished,
      (peers) => {
        this.#foundPeers = peers;
        this.#updatePeers();
      },
    );
    this.#backend.onError = (err) => {
      if (damageOf(err, config.dataDir) !== null) noteDamage(env.disk, config.dataDir, 'store', err.message);
      env.fatal(err);
    };
    this.#backend.onDrain = () => this.#pump.wake();
  }

  /** Starts to accept peers at host:port; port 0 picks one. */
  listen(address: string, cb: (err: Error | null, address: string) => void): void {
    this.#hub.listen(address, cb);
  }

  /** Begins to tick and to publish itself. The peer listener is up already. */
  start(): void {
    this.#updatePeers();
    if (this.#membership.isRemoved(this.memberId)) this.onRemoved();
    this.#tick();
    this.#publisher.start();
    this.#finder.start();
  }

  // --- time ---

  #tick(): void {
    if (this.#state === 'stopped') return;
    this.#timer = this.#env.timers.set(this.config.heartbeatMs, () => this.#guarded(() => this.#tick()));
    const now = this.#env.clock.now();
    if (this.#raft.isLeader && now - this.#tickedAt > 2 * this.config.heartbeatMs) this.#lateHeartbeats++;
    this.#tickedAt = now;
    this.#raft.tick();
    this.#early.tick(this.#raft, this.#hub);
    this.#proposals.expire(now, this.limits.requestTimeoutMs, (start) => this.#timeoutCause(start));
    this.#reads.tick(now, this.config.tuning.readIndexRetryMs, this.limits.requestTimeoutMs);
    this.leaseKeeper.tick();
    this.parts.tokens.tick(now);
    this.gate.wake();
    this.#mvcc.watch.tick(now);
    this.#mvcc.tick();
    this.upkeep.tick(now);
    this.#withheld.tick(now);
    this.#promoter?.tick(now);
    this.#checkClusterVersion(now);
    this.#pump.wake();
  }

  /** What a handler throws is a bug: the member stops rather than go on in a state nobody thought of. */
  #guarded(fn: () => void): void {
    try {
      fn();
    } catch (err) {
      this.#env.fatal(err as Error);
    }
  }

  #timeoutCause(start: number): ServerError {
    const times = { start, electedAt: this.#leaderElectedAt, electionMs: this.config.electionMs };
    return timeoutCause(this.#raft, this.#hub, times);
  }

  // --- proposals ---

  /** @param ctx the caller (auth-gate.ts); null: the member itself, which auth does not ask */
  protected propose(kind: number, body: Buffer, done: Completion<never>, ctx: CallContext | null = null): void {
    if (ctx === null || !this.gate.enabled) return this.#proposeAs(NOBODY, kind, body, done, ctx);
    this.gate.identify(ctx, done, (who) => this.#proposeAs(who ?? NOBODY, kind, body, done, ctx));
  }

  #proposeAs(who: Identity, kind: number, body: Buffer, done: Completion<never>, ctx: CallContext | null): void {
    if (this.#state !== 'open') return done.fail(refusal('ERR_STOPPED'));
    const isUrgent = goesFirst(kind);
    if (
      this.#raft.commitIndex - this.#raft.appliedIndex > this.config.tuning.maxApplyGap ||
      (ctx !== null && this.#proposals.isFull(isUrgent))
    ) {
      return done.fail(refusal('ERR_TOO_MANY_REQUESTS'));
    }
    const id = this.#ids.next();
    const data = encodeInternalRequest(this.#ids.full(id), who.username, who.revision, kind, body);
    if (data.length > this.config.maxRequestBytes) return done.fail(refusal('ERR_REQUEST_TOO_LARGE'));
    this.#proposals.add(id, data, done, this.#env.clock.now(), ctx, isUrgent);
    this.#pump.wake();
  }

  /** Never by way of a leader: what a deposed leader finds expired is not for the next one to revoke (museum 55). */
  #proposeHere(kind: number, body: Buffer): void {
    // With auth on, what keys need is asked of this entry too: it is root's.
    const { enabled, revision } = this.parts.auth;
    const [name, authRevision] = enabled ? [ROOT, revision] : ['', 0];
    const data = encodeInternalRequest(this.nextId(), name, authRevision, kind, body);
    const result = this.#raft.propose([data]);
    if (result !== 'accepted' && this.parts.lessor.revokesWhenDeposed) {
      this.#proposals.addForeign(data, Number.POSITIVE_INFINITY);
    }
    this.#pump.wake();
  }

  // --- the pump's owner ---

  apply(entries: readonly Entry[]): void {
    this.#applier.apply(entries);
    if (this.gate.isWaiting) this.gate.wake();
    this.#compactor.check();
  }

  get applyHeld(): boolean {
    return this.#backend.full;
  }

  onSoftState(state: SoftState): void {
    const now = this.#env.clock.now();
    const wasLeading = this.#leaderTerm !== 0;
    const leads = state.role === Role.Leader;
    if (wasLeading && (!leads || this.#leaderTerm !== this.#raft.term)) {
      this.#leaderTerm = 0;
      this.leaseKeeper.leadershipLost();
    }
    if (leads && this.#leaderTerm === 0) {
      this.#leaderTerm = this.#raft.term;
      this.#versions.reset();
      this.leaseKeeper.leadershipGained(this.config.electionMs);
    }
    if (state.leader !== this.#leader) {
      this.log.info('leader changed', { from: hex(this.#leader), to: hex(state.leader), term: this.#raft.term });
      this.#leader = state.leader;
      if (state.leader !== 0n) {
        this.#leaderElectedAt = now;
        this.#reads.leaderChanged(now);
      }
    }
  }

  sendSnapshot(message: Message): void {
    this.#transfer.send(message);
  }

  installSnapshot(ready: Ready, done: () => void): void {
    installSnapshot(this.parts, this.#transfer, ready, (err, clusterVersion) => {
      if (err !== null) return this.#env.fatal(err);
      this.#applier.clusterVersion = clusterVersion;
      this.upkeep.divergence.replaced();
      this.#updatePeers();
      this.log.info('applied snapshot', { 'applied-index': this.#backend.appliedIndex });
      done();
    });
  }

  turnOver(): void {
    this.#transfer.turnOver();
  }

  // --- the applier's owner ---

  applyConfChange(entry: Entry): void {
    const change = applyConfChange(entry, this.#raft, this.#membership, this.#backend, this.config.maxLearners);
    this.#updatePeers();
    this.log.info('applied a configuration change', { change: change.kind, member: hex(change.id) });
    const pending = change.ours(this.#ids.hi16) ? this.#proposals.applied(change.requestLow48) : undefined;
    if (pending !== undefined) {
      if (change.refused !== null) pending.done.fail(change.refused);
      else pending.done.ok(this.#membership.list() as never);
    }
    if (change.kind === 'remove' && change.id === this.memberId && change.refused === null) this.onRemoved();
  }

  entryApplied(index: number): void {
    this.upkeep.divergence.applied(index);
  }

  get quota(): Quota {
    return this.upkeep.quota;
  }

  clusterVersionChanged(version: string): void {
    this.log.info('updated cluster version', { 'cluster-version': version });
  }

  // --- peers ---

  #updatePeers(): void {
    const { removed } = this.#membership;
    const others = this.#membership.all().filter((member) => member.id !== this.memberId);
    const peers = others.map((member) => ({ id: member.id, urls: member.peerUrls }));
    for (const found of this.#foundPeers) {
      if (!removed.includes(found.id) && !peers.some((peer) => peer.id === found.id)) peers.push(found);
    }
    this.#hub.setPeers(peers, removed);
  }

  onMessages(_from: bigint, messages: Message[]): void {
    for (const message of messages) {
      if (message.kind === MessageKind.Heartbeat) this.#mustHave(message);
      this.#raft.step(message);
    }
    this.#pump.wake();
  }

  /**
   * A leader names no commit index that we have not acknowledged. Where our log ends before it, it has lost its end in a
   * way that looked like a torn tail: rot behind a mark that a power cut took back.
   */
  #mustHave({ commit, term }: Message): void {
    const raft = this.#raft;
    if (commit <= raft.lastIndex || term < raft.term || raft.status().withheld) return;
    const reason = `the log ends at entry ${raft.lastIndex}, and this member had acknowledged entry ${commit}`;
    noteDamage(this.#env.disk, this.config.dataDir, 'log', reason);
    this.#env.fatal(new WalError('ERR_WAL_ROT', reason, logFolder(this.config.dataDir)));
  }

  onForward(from: bigint, proposals: Buffer[]): void {
    this.#raft.waits(from);
    const until = this.#env.clock.now() + this.limits.requestTimeoutMs;
    for (const data of proposals) this.#proposals.addForeign(data, until);
    this.#pump.wake();
  }

  onRequest(from: bigint, kind: string, body: unknown, reply: PeerAnswer): void {
    if (!this.upkeep.answer(from, kind, body, reply)) this.#questions.answer(kind, body, reply);
  }

  get onSnapshot(): SnapshotTransfer['receive'] {
    return this.#transfer.receive;
  }

  onPeerDown(id: bigint, evidence: boolean): void {
    if (evidence) this.#raft.peerDown(id);
    this.#raft.reportUnreachable(id);
    this.#pump.wake();
  }

  onPeerUp(_id: bigint): void {
    this.#pump.wake();
  }

  /** By a change that was applied, or by word of a peer, which may know of one that we have not applied. */
  onRemoved(): void {
    if (this.#state !== 'open') return;
    if (this.#removed) return;
    this.#removed = true;
    this.log.warn('server error', { error: REMOVED, member: hex(this.memberId) });
    this.log.warn('data-dir used by this member must be removed');
    // Not at once, so that others still hear what we have to say.
    this.#env.timers.set(REMOVED_DELAY_MS, () => this.stop(() => this.onEnded?.()));
  }

  // --- versions ---

  #checkClusterVersion(now: number): void {
    if (!this.#raft.isLeader) return;
    const ver = this.#versions.check(this.memberId, this.#applier.clusterVersion, now);
    if (ver !== null) this.propose(InternalKind.CLUSTER_VERSION_SET, ClusterVersionSetRequest.encode({ ver }), IGNORE);
  }

  #published(): void {
    this.#isPublished = true;
    if (this.#foundPeers.length > 0) {
      this.#foundPeers = [];
      this.#updatePeers();
    }
    this.log.info('published local member to cluster through raft', {
      'local-member-id': hex(this.memberId),
      'cluster-id': hex(this.clusterId),
      attributes: { name: this.config.name, clientURLs: this.config.advertiseClientUrls },
    });
    this.upkeep.corruption.initial((why) => {
      if (why !== null) this.#env.fatal(new Error(why));
      else this.onReady?.();
    });
  }

  protected get counting(): Counting {
    return {
      proposals: this.#proposals,
      reads: this.#reads,
      pump: this.#pump,
      leaseKeeper: this.leaseKeeper,
      lateHeartbeats: this.#lateHeartbeats,
      slowApplies: this.#applier.slowApplies.count,
    };
  }

  /** 0n: none is known. */
  get leader(): bigint {
    return this.#raft.leader;
  }

  protected get clusterVersion(): string | null {
    return this.#applier.clusterVersion;
  }

  protected nextId(): bigint {
    return this.#ids.full(this.#ids.next());
  }

  /** Runs a read when the local state is new enough: now, or behind a round of ReadIndex. */
  protected read(read: Reader, serializable: boolean): void {
    if (this.#state !== 'open') return read.fail(refusal('ERR_STOPPED'));
    if (serializable) return this.#transfer.whenReadable(() => read.ready(this.#env.clock.now()));
    this.#reads.add(read, this.#env.clock.now());
    this.#pump.wake();
  }

  /** ms, monotonic: when a call to the leader is given up. */
  protected until(ctx: CallContext): number {
    const own = this.#env.clock.now() + this.limits.requestTimeoutMs;
    return ctx.deadline > 0 ? Math.min(ctx.deadline, own) : own;
  }

  // --- LeaderView ---

  request(...args: Parameters<PeerHub['request']>): void {
    this.#hub.request(...args);
  }

  // --- the end ---

  /** Ends in order: no new requests, what waits is refused, all that is durable is written. Idempotent. */
  stop(cb: () => void): void {
    if (this.#state !== 'open') return cb();
    this.#refuseRequests();
    const target = longestConnected(this.#raft, this.#hub);
    handOver(this.parts, target, this.config.electionMs, () => this.#close(cb));
    this.#pump.wake();
  }

  #refuseRequests(): void {
    this.#state = 'stopping';
    this.#publisher.stop();
    const err = refusal('ERR_STOPPED');
    this.#proposals.failAll(err);
    this.#reads.failAll(err);
    this.gate.failAll();
  }

  #close(cb: () => void): void {
    this.#state = 'stopped';
    this.#finder.stop();
    if (this.#timer !== null) this.#env.timers.clear(this.#timer);
    closeParts(this.parts, this.#pump, this.#compactor, cb);
  }
}

const IGNORE: Completion<unknown> = { ok: () => {}, fail: () => {} };
