import type { HashKvResult } from '../mvcc/index.js';
import type { Logger } from '../util/log.js';
import { AlarmRequest, CompactionRequest, InternalKind } from '../wire/index.js';
import { AlarmAction, AlarmType } from './alarms.js';
import type { AlarmRequest as AlarmArgs, Completion } from './api.js';
import { AutoCompactor } from './auto-compactor.js';
import { quotaBytes, requestTimeoutMs } from './config.js';
import { CorruptionCheck } from './corruption-check.js';
import { Divergence } from './divergence.js';
import { mayRebuild, stopDiverged } from './divergence-repair.js';
import type { ServerError } from './errors.js';
import { answerHashKv } from './hashes.js';
import type { MemberParts } from './parts.js';
import type { PeerAnswer } from './peer-questions.js';
import { Quota } from './quota.js';

/** What the upkeep asks of its member. */
export interface UpkeepHost {
  readonly log: Logger;
  propose(kind: number, body: Buffer, done: Completion<never>): void;
  /** A linearizable read of nothing. */
  whenCurrent(cb: (err: ServerError | null) => void): void;
  /** No request is taken any more; the member is about to end. */
  refuseRequests(): void;
}

/** What a member does by itself to stay well: compaction, quota, comparison with its peers. */
export class Upkeep {
  readonly quota: Quota;
  readonly corruption: CorruptionCheck;
  readonly divergence: Divergence;
  readonly #parts: MemberParts;
  readonly #host: UpkeepHost;
  readonly #autoCompactor: AutoCompactor;
  #ending = false;

  constructor(parts: MemberParts, host: UpkeepHost) {
    this.#parts = parts;
    this.#host = host;
    const { config, raft, mvcc, backend, hub, memberId, env, alarms } = parts;
    const { log } = host;
    this.quota = new Quota(
      quotaBytes(config),
      {
        memberId,
        get size() {
          return backend.size;
        },
        proposeAlarm: (request, done) => {
          log.warn('message exceeded backend quota; raising alarm', {
            'quota-size-bytes': quotaBytes(config),
            'current-db-size-bytes': backend.size,
          });
          this.#alarm(request, done);
        },
      },
      alarms,
    );
    this.corruption = new CorruptionCheck(
      {
        raft,
        hub,
        log,
        memberId,
        requestTimeoutMs: requestTimeoutMs(config),
        get compactRevision() {
          return mvcc.compactRev;
        },
        hash: (revision, cb) =>
          answerHashKv(mvcc, revision, {
            ok: (hash: HashKvResult) => cb(null, hash),
            fail: (err) => cb(err, null),
          }),
        whenCurrent: (cb) => host.whenCurrent(cb),
        raiseCorrupt: (id) => this.#raiseCorrupt(id),
      },
      {
        initial: config.initialCorruptCheck,
        everyMs: config.corruptCheckMs,
        compactEveryMs: config.compactHashCheck ? config.compactHashCheckMs : 0,
      },
      env.clock.now(),
    );
    const { stateHashEvery: every, stateHashCheckMs: everyMs, mutants } = config.tuning;
    this.divergence = new Divergence(
      {
        raft,
        hub,
        log,
        memberId,
        get stateHash() {
          return backend.stateHash;
        },
        diverged: (index, sound) => this.#diverged(index, sound),
        undecided: () => this.#raiseCorrupt(0n),
      },
      { every, everyMs, off: mutants.has('28') },
    );
    this.#autoCompactor = new AutoCompactor(
      config.autoCompactionMode,
      config.autoCompactionRetention,
      env.clock.now(),
      {
        get isLeader() {
          return raft.isLeader;
        },
        get revision() {
          return mvcc.currentRev;
        },
        compactTo: (revision) => this.#compactTo(revision),
      },
    );
  }

  tick(now: number): void {
    if (this.#ending) return;
    this.#autoCompactor.tick(now);
    this.corruption.tick(now);
    this.divergence.tick(now);
  }

  /** Answers a question of a peer. @returns whether it was one for us */
  answer(from: bigint, kind: string, body: unknown, reply: PeerAnswer): boolean {
    const settle = (err: ServerError | null, value: unknown): void =>
      err === null ? reply(null, value) : reply({ code: err.code, message: err.message }, null);
    return this.divergence.answer(from, kind, body, settle) || this.corruption.answer(kind, body, settle);
  }

  #compactTo(revision: number): void {
    const { log } = this.#host;
    log.info('starting auto compaction', { revision });
    this.#host.propose(InternalKind.COMPACTION, CompactionRequest.encode({ revision, physical: false }), {
      ok: () => log.info('completed auto compaction', { revision }),
      fail: (err) => log.warn('failed auto compaction', { revision, error: err.message }),
    });
  }

  #alarm(request: AlarmArgs, done: Completion<unknown>): void {
    this.#host.propose(InternalKind.ALARM, AlarmRequest.encode(request as never), done as Completion<never>);
  }

  #raiseCorrupt(memberId: bigint): void {
    const known = this.#parts.alarms.list(AlarmType.CORRUPT);
    if (known.some((alarm) => alarm.memberId === memberId)) return;
    this.#alarm({ action: AlarmAction.ACTIVATE, memberId, alarm: AlarmType.CORRUPT }, IGNORE);
  }

  #diverged(index: number, sound: readonly bigint[]): void {
    if (this.#ending) return;
    const { env, config, memberId } = this.#parts;
    if (!mayRebuild(env, config)) return this.#raiseCorrupt(memberId);
    this.#ending = true;
    this.#host.log.error(
      'the state of this member differs from a majority; it stops, and is rebuilt at its next start',
      {
        'applied-index': index,
      },
    );
    this.#host.refuseRequests();
    stopDiverged(this.#parts, index, sound);
  }
}

const IGNORE: Completion<unknown> = { ok: () => {}, fail: () => {} };
