import type { HashKvResult } from '../mvcc/index.js';
import type { PeerHub } from '../peer/index.js';
import type { Raft } from '../raft/index.js';
import { hex } from '../util/hex.js';
import type { Logger } from '../util/log.js';
import type { ServerError } from './errors.js';

/** The hash of a member's keys, as it told. `revision` is its newest one. */
export type KeysHash = HashKvResult;

export interface CorruptionView {
  readonly raft: Raft;
  readonly hub: PeerHub;
  readonly log: Logger;
  readonly memberId: bigint;
  readonly compactRevision: number;
  /** ms that a peer has for its answer */
  readonly requestTimeoutMs: number;
  /** Of this member's keys; 0: as they are now. */
  hash(revision: number, cb: (err: ServerError | null, hash: KeysHash | null) => void): void;
  /** Calls back when everything that was committed before the call is applied here. */
  whenCurrent(cb: (err: ServerError | null) => void): void;
  /** @param memberId 0n: nobody knows which */
  raiseCorrupt(memberId: bigint): void;
}

export interface CorruptionOptions {
  readonly initial: boolean;
  /** ms; 0: never */
  readonly everyMs: number;
  /** ms; 0: never */
  readonly compactEveryMs: number;
}

/**
 * etcd's checks of the keys by HashKV (etcd operations §5.5): before a member serves, by time, and behind compactions.
 * They find damage that the state's own hash (divergence.ts) cannot see, such as rows changed behind the member's back,
 * and cost a read of all rows each.
 */
export class CorruptionCheck {
  readonly #view: CorruptionView;
  readonly #options: CorruptionOptions;
  #nextCheck: number;
  #nextCompact: number;
  /** The newest compact revision at which all members were found equal. */
  #checked = -1;
  #busy = false;

  constructor(view: CorruptionView, options: CorruptionOptions, now: number) {
    this.#view = view;
    this.#options = options;
    this.#nextCheck = now + options.everyMs;
    this.#nextCompact = now + options.compactEveryMs;
  }

  /** Before it serves. @param cb why it must not */
  initial(cb: (why: string | null) => void): void {
    if (!this.#options.initial) return cb(null);
    const { log, memberId } = this.#view;
    log.info('starting initial corruption check', { 'local-member-id': hex(memberId) });
    this.#view.hash(0, (err, own) => {
      if (err !== null || own === null) return cb(`${hex(memberId)} failed to fetch hash (${err?.message})`);
      this.#peers(own.revision, (peers) => {
        let different = 0;
        for (const [id, peer] of peers) {
          if (peer.hash === own.hash) continue;
          const same = peer.compactRevision === own.compactRevision;
          if (same) different++;
          log.warn(`found different ${same ? 'hash' : 'compact revision'} values from remote peer`, {
            'local-member-id': hex(memberId),
            'remote-peer-id': hex(id),
            'local-member-revision': own.revision,
            'local-member-hash': own.hash,
            'remote-peer-hash': peer.hash,
          });
        }
        if (different > 0) return cb(`${hex(memberId)} found data inconsistency with peers`);
        log.info('initial corruption checking passed; no corruption', { 'local-member-id': hex(memberId) });
        cb(null);
      });
    });
  }

  tick(now: number): void {
    const { everyMs, compactEveryMs } = this.#options;
    const byTime = everyMs > 0 && now >= this.#nextCheck;
    const byCompaction = compactEveryMs > 0 && now >= this.#nextCompact;
    if (byTime) this.#nextCheck = now + everyMs;
    if (byCompaction) this.#nextCompact = now + compactEveryMs;
    if (this.#busy || !this.#view.raft.isLeader) return;
    if (byTime) this.#periodic();
    else if (byCompaction) this.#compacted();
  }

  #over = (): void => {
    this.#busy = false;
  };

  /** The leader's keys, its peers', and the leader's again, for a write may have come between. */
  #periodic(): void {
    const { log, memberId } = this.#view;
    this.#busy = true;
    this.#view.hash(0, (err, own) => {
      if (err !== null || own === null) return this.#over();
      this.#peers(own.revision, (peers) => {
        this.#view.whenCurrent((currentError) => {
          if (currentError !== null) return this.#over();
          this.#view.hash(0, (againError, later) => {
            this.#over();
            if (againError !== null || later === null) return;
            const wrong = new Set<bigint>();
            const sameState = later.revision === own.revision && later.compactRevision === own.compactRevision;
            if (sameState && later.hash !== own.hash) wrong.add(memberId);
            for (const [id, peer] of peers) {
              const ahead = peer.revision > later.revision || peer.compactRevision > later.compactRevision;
              const differs = peer.compactRevision === own.compactRevision && peer.hash !== own.hash;
              if (ahead || differs) wrong.add(id);
            }
            log.info('finished peer corruption check', { 'number-of-peers-checked': peers.size });
            // As etcd: the first that is found stands for all.
            const [first] = wrong;
            if (first !== undefined) this.#raise(first, own.revision);
          });
        });
      });
    });
  }

  /** What the last compaction left; a majority says who is wrong. */
  #compacted(): void {
    const { log, memberId, raft } = this.#view;
    const revision = this.#view.compactRevision;
    if (revision <= 0 || revision === this.#checked) return;
    this.#busy = true;
    this.#view.hash(revision, (err, own) => {
      if (err !== null || own === null) return this.#over();
      this.#peers(revision, (peers) => {
        this.#over();
        const comparable = [...peers].filter(([, peer]) => peer.compactRevision === own.compactRevision);
        const all: [bigint, number][] = [
          [memberId, own.hash],
          ...comparable.map(([id, peer]): [bigint, number] => [id, peer.hash]),
        ];
        const hashes = new Set(all.map(([, hash]) => hash));
        log.info('finished compaction hash check', {
          'compact-revision': revision,
          'number-of-peers-checked': comparable.length,
        });
        if (hashes.size === 1) {
          const { voters } = raft.confState;
          if (all.length >= voters.length) this.#checked = revision;
          return;
        }
        this.#checked = revision;
        const quorum = Math.floor(raft.confState.voters.length / 2) + 1;
        const right = [...hashes].find((hash) => all.filter(([, other]) => other === hash).length >= quorum);
        if (right === undefined) return this.#raise(0n, revision);
        for (const [id, hash] of all) if (hash !== right) this.#raise(id, revision);
      });
    });
  }

  #raise(id: bigint, revision: number): void {
    this.#view.log.error('found data inconsistency with peers', { 'remote-peer-id': hex(id), revision });
    this.#view.raiseCorrupt(id);
  }

  /** Those that answered; one that is behind, or has compacted more, has none to give. */
  #peers(revision: number, cb: (peers: Map<bigint, KeysHash>) => void): void {
    const { hub, raft, log, memberId, requestTimeoutMs } = this.#view;
    const { voters, learners } = raft.confState;
    const others = [...voters, ...learners].filter((id) => id !== memberId);
    const peers = new Map<bigint, KeysHash>();
    let left = others.length;
    if (left === 0) return cb(peers);
    for (const id of others) {
      hub.request(id, 'hash-kv', { revision }, requestTimeoutMs, (err, body) => {
        if (err === null) peers.set(id, body as KeysHash);
        else {
          log.warn('failed hash kv request', {
            'requested-revision': revision,
            'remote-peer-id': hex(id),
            error: err.message,
          });
        }
        if (--left === 0) cb(peers);
      });
    }
  }

  /** Answers a peer. @returns whether it was such a question */
  answer(kind: string, body: unknown, settle: (err: ServerError | null, value: unknown) => void): boolean {
    if (kind !== 'hash-kv') return false;
    const { revision } = body as { revision: number };
    this.#view.hash(revision, settle);
    return true;
  }
}
