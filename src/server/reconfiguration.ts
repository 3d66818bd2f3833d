import type { PeerReply } from '../peer/index.js';
import type { ConfChange } from '../raft/index.js';
import { ConfChangeType } from '../raft/index.js';
import type { Completion, MemberInfo } from './api.js';
import type { ServerError } from './errors.js';
import { refusal } from './errors.js';
import type { RequestIds } from './ids.js';
import { memberIdOf } from './ids.js';
import { MemberRecord } from './member-record.js';
import type { MemberParts } from './parts.js';
import type { PeerAnswer } from './peer-questions.js';
import type { Proposals } from './proposals.js';
import type { ClusterHealth } from './strict-reconfig.js';
import { mayAdd, mayPromote, mayRemove } from './strict-reconfig.js';

/** A learner may be promoted when its log has come so near to the leader's (etcd: readyPercentThreshold). */
const READY = 0.9;
/** Time between two attempts to have a change taken into the leader's log, ms. */
const RETRY_MS = 50;
/** A leader says at once whether it took a change, ms. */
const TAKE_MS = 10_000;

export interface ReconfigurationOwner {
  readonly open: boolean;
  wake(): void;
}

/** A change on its way into the log, as one member asks another for it. Ids in decimal, as msgpack has no u64. */
interface WireChange {
  readonly id: string;
  readonly type: number;
  readonly nodeId: string;
  readonly context: Buffer;
}

/**
 * Changes of the membership: checked as this member sees the cluster, then proposed to whoever leads, and answered when
 * they are applied here. A leader takes one at a time; one that comes while another is under way waits for its turn.
 * What a leader may have taken is never proposed again.
 */
export class Reconfiguration implements ClusterHealth {
  readonly memberId: bigint;
  readonly membership: MemberParts['membership'];
  readonly #parts: MemberParts;
  readonly #ids: RequestIds;
  readonly #proposals: Proposals;
  readonly #owner: ReconfigurationOwner;

  constructor(parts: MemberParts, ids: RequestIds, proposals: Proposals, owner: ReconfigurationOwner) {
    this.#parts = parts;
    this.#ids = ids;
    this.#proposals = proposals;
    this.#owner = owner;
    this.memberId = parts.memberId;
    this.membership = parts.membership;
  }

  activeSince(id: bigint): number {
    return this.#parts.hub.activeSince(id);
  }

  /** @param peerUrls checked and sorted */
  add(
    peerUrls: readonly string[],
    isLearner: boolean,
    done: Completion<{ member: MemberInfo; members: MemberInfo[] }>,
  ): void {
    const { env } = this.#parts;
    const refused = this.#strict((now) => mayAdd(this, isLearner, now), 'add');
    if (refused !== null) return done.fail(refused);
    const id = memberIdOf(peerUrls, '', Math.floor(env.clock.wall() / 1000));
    const member = new MemberRecord(id, peerUrls, isLearner);
    const type = isLearner ? ConfChangeType.ADD_LEARNER_NODE : ConfChangeType.ADD_NODE;
    this.#configure(type, id, member.json(), {
      ok: (members) => done.ok({ member, members }),
      fail: (err) => done.fail(err),
    });
  }

  remove(id: bigint, done: Completion<MemberInfo[]>): void {
    const refused = this.#strict((now) => mayRemove(this, id, now), 'remove');
    if (refused !== null) return done.fail(refused);
    this.#configure(ConfChangeType.REMOVE_NODE, id, '', done);
  }

  update(id: bigint, peerUrls: readonly string[], done: Completion<MemberInfo[]>): void {
    this.#configure(ConfChangeType.UPDATE_NODE, id, new MemberRecord(id, peerUrls).json(), done);
  }

  /** As leader; others are answered ERR_NOT_LEADER. */
  promote(id: bigint, done: Completion<MemberInfo[]>): void {
    const refused = this.readiness(id) ?? this.#strict(() => mayPromote(this), 'promote');
    if (refused !== null) return done.fail(refused);
    this.#configure(ConfChangeType.ADD_NODE, id, new MemberRecord(id, []).json(true), done);
  }

  /** Why this member may not be promoted now, as its leader sees it: only a leader knows how far a log has come. */
  readiness(id: bigint): ServerError | null {
    const { progress, id: own } = this.#parts.raft.status();
    const leader = progress.find((peer) => peer.id === own);
    if (leader === undefined) return refusal('ERR_NOT_LEADER');
    const learner = progress.find((peer) => peer.id === id);
    if (learner === undefined) return refusal('ERR_MEMBER_NOT_FOUND');
    return learner.match < READY * leader.match ? refusal('ERR_LEARNER_NOT_READY') : null;
  }

  #strict(check: (now: number) => ServerError | null, what: string): ServerError | null {
    const { config, env } = this.#parts;
    const refused = config.strictReconfigCheck ? check(env.clock.now()) : null;
    if (refused !== null) {
      env.log.warn(`rejecting member ${what} request; the cluster might lose its quorum`, {
        caller: 'server/reconfiguration.ts',
        error: refused.code,
      });
    }
    return refused;
  }

  #configure(type: number, nodeId: bigint, context: string, done: Completion<MemberInfo[]>): void {
    if (!this.#owner.open) return done.fail(refusal('ERR_STOPPED'));
    const low48 = this.#ids.next();
    this.#proposals.track(low48, done as Completion<never>, this.#parts.env.clock.now());
    this.#submit(low48, { id: this.#ids.full(low48), type, nodeId, context: Buffer.from(context) } as ConfChange);
  }

  /** Until it is known to stand in a leader's log, or may stand there, or its time is over. */
  #submit(low48: number, change: ConfChange): void {
    const { raft, hub, env } = this.#parts;
    if (!this.#proposals.has(low48)) return;
    const again = (): void => {
      this.#proposals.submitted(low48, false);
      env.timers.set(RETRY_MS, () => this.#submit(low48, change));
    };
    const { leader } = raft;
    if (leader === this.memberId) {
      if (!this.#take(change)) return again();
      this.#proposals.submitted(low48, true);
    } else if (leader === 0n || hub.activeSince(leader) < 0) {
      again();
    } else {
      this.#proposals.submitted(low48, true);
      const { id, type, nodeId, context } = change;
      const wire: WireChange = { id: id.toString(), type, nodeId: nodeId.toString(), context };
      const reply: PeerReply = (err) => {
        // With any other error nobody knows whether it was taken.
        if (err?.code === 'ERR_NOT_TAKEN') again();
      };
      hub.request(leader, 'conf-change', wire, TAKE_MS, reply);
    }
  }

  #take(change: ConfChange): boolean {
    if (this.#parts.raft.proposeConfChange(change) !== 'accepted') return false;
    this.#owner.wake();
    return true;
  }

  /** Another member asks us, as its leader, to take a change into our log. */
  taken(body: unknown, reply: PeerAnswer): void {
    const { id, type, nodeId, context } = body as WireChange;
    const change = { id: BigInt(id), type, nodeId: BigInt(nodeId), context: Buffer.from(context) } as ConfChange;
    if (this.#owner.open && this.#take(change)) reply(null, 'taken');
    else reply({ code: 'ERR_NOT_TAKEN', message: 'not the leader, or another change is under way' }, null);
  }
}
