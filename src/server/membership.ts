import type { Backend } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import type { MemberInfo } from './api.js';
import type { ServerError } from './errors.js';
import { refusal } from './errors.js';
import { MemberRecord } from './member-record.js';

/** etcd's words for a member that has no place in its cluster any more. */
export const REMOVED = 'the member has been permanently removed from the cluster';

/** What a configuration change asks for; `kind` as raftpb.ConfChangeType, with promotion told apart. */
export interface MemberChange {
  readonly kind: 'add' | 'add-learner' | 'promote' | 'remove' | 'update';
  readonly id: bigint;
  /** null for remove */
  readonly member: MemberRecord | null;
}

/**
 * The members of the cluster as applied so far, and the ids that were removed and may never return.
 * Replicated state: it changes in apply alone, and its rows are flushed with the applied index.
 */
export class Membership {
  readonly #members = new Map<bigint, MemberRecord>();
  readonly #removed = new Set<bigint>();
  #backend: Backend;
  /** Mutant: a promotion changes memory alone (museum 65). */
  readonly #forgetsPromotions: boolean;

  constructor(backend: Backend, mutants: ReadonlySet<string> = new Set()) {
    this.#backend = backend;
    this.#forgetsPromotions = mutants.has('65');
  }

  /** Reads the rows; used at open and after a snapshot was installed. */
  load(backend: Backend, rows: { members: Iterable<Buffer>; removed: Iterable<string> }): void {
    this.#backend = backend;
    this.#members.clear();
    this.#removed.clear();
    for (const row of rows.members) {
      const record = MemberRecord.parse(row.toString());
      this.#members.set(record.id, record);
    }
    for (const hex of rows.removed) this.#removed.add(BigInt(`0x${hex}`));
  }

  get(id: bigint): MemberRecord | undefined {
    return this.#members.get(id);
  }

  isRemoved(id: bigint): boolean {
    return this.#removed.has(id);
  }

  get removed(): bigint[] {
    return [...this.#removed];
  }

  /** By id, ascending. */
  all(): MemberRecord[] {
    return [...this.#members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  list(): MemberInfo[] {
    return this.all();
  }

  /** Why a change cannot be applied now, or null (semantics 6, "at apply"). */
  check(change: MemberChange, maxLearners: number): ServerError | null {
    if (this.#removed.has(change.id)) return refusal('ERR_MEMBER_NOT_FOUND');
    const known = this.#members.get(change.id);
    switch (change.kind) {
      case 'add':
      case 'add-learner': {
        if (known !== undefined) return refusal('ERR_MEMBER_EXIST');
        if (this.#urlInUse(change)) return refusal('ERR_PEER_URL_EXIST');
        const learners = this.all().filter((member) => member.isLearner).length;
        const tooMany = change.kind === 'add-learner' && learners >= maxLearners;
        return tooMany ? refusal('ERR_TOO_MANY_LEARNERS') : null;
      }
      case 'promote':
        if (known === undefined) return refusal('ERR_MEMBER_NOT_FOUND');
        return known.isLearner ? null : refusal('ERR_MEMBER_NOT_LEARNER');
      case 'remove':
        return known === undefined ? refusal('ERR_MEMBER_NOT_FOUND') : null;
      case 'update':
        if (known === undefined) return refusal('ERR_MEMBER_NOT_FOUND');
        return this.#urlInUse(change) ? refusal('ERR_PEER_URL_EXIST') : null;
    }
  }

  #urlInUse(change: MemberChange): boolean {
    const urls = change.member?.peerUrls ?? [];
    return this.all().some((other) => other.id !== change.id && other.peerUrls.some((url) => urls.includes(url)));
  }

  /** Applies a change that `check` found good. */
  apply(change: MemberChange): void {
    const known = this.#members.get(change.id);
    switch (change.kind) {
      case 'add':
      case 'add-learner':
        if (change.member !== null) this.#put(change.member);
        break;
      case 'promote':
        if (known === undefined) break;
        if (this.#forgetsPromotions) this.#members.set(known.id, known.promoted());
        else this.#put(known.promoted());
        break;
      case 'update':
        if (known !== undefined) this.#put(known.withPeerUrls(change.member?.peerUrls ?? []));
        break;
      case 'remove':
        this.#members.delete(change.id);
        this.#removed.add(change.id);
        this.#backend.del(Bucket.members, rowKey(change.id));
        this.#backend.put(Bucket.membersRemoved, rowKey(change.id), Buffer.from('removed'));
        break;
    }
  }

  /** A member tells its name and client URLs after its start. */
  setAttributes(id: bigint, name: string, clientUrls: string[]): void {
    const known = this.#members.get(id);
    if (known !== undefined) this.#put(known.withAttributes(name, clientUrls));
  }

  #put(record: MemberRecord): void {
    this.#members.set(record.id, record);
    this.#backend.put(Bucket.members, rowKey(record.id), Buffer.from(record.json()));
  }
}

function rowKey(id: bigint): Buffer {
  return Buffer.from(id.toString(16));
}
