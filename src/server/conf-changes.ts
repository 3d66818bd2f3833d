import type { Entry, Raft } from '../raft/index.js';
import { ConfChangeType } from '../raft/index.js';
import type { Backend } from '../storage/backend/index.js';
import { ConfChange } from '../wire/index.js';
import type { ServerError } from './errors.js';
import { MemberRecord, parseMember } from './member-record.js';
import type { MemberChange, Membership } from './membership.js';

/** A configuration change that was applied, or refused, and whose it was. */
export interface AppliedChange {
  readonly kind: MemberChange['kind'];
  readonly id: bigint;
  readonly refused: ServerError | null;
  readonly requestLow48: number;
  ours(hi16: number): boolean;
}

/**
 * Applies a committed configuration change: checked against the members as they are, then to raft and to the members.
 * What is refused changes nothing, on every member alike; raft hears of it all the same, since it waits for its one
 * pending change.
 */
export function applyConfChange(
  entry: Entry,
  raft: Raft,
  membership: Membership,
  backend: Backend,
  maxLearners: number,
): AppliedChange {
  const cc = ConfChange.decode(entry.data);
  const change = memberChange(cc);
  const refused = membership.check(change, maxLearners);
  const confState = raft.applyConfChange({ ...cc, nodeId: refused === null ? cc.nodeId : 0n } as never);
  if (refused === null) {
    membership.apply(change);
    backend.setConfState(Buffer.from(confStateJson(confState)));
  }
  return {
    kind: change.kind,
    id: change.id,
    refused,
    requestLow48: Number(cc.id & ((1n << 48n) - 1n)),
    ours: (hi16) => cc.id >> 48n === BigInt(hi16),
  };
}

function memberChange(cc: ConfChange): MemberChange {
  const context = cc.context.length === 0 ? null : parseMember(cc.context.toString());
  const id = cc.nodeId;
  const member = context?.member ?? new MemberRecord(id, []);
  switch (cc.type) {
    case ConfChangeType.ADD_NODE:
      return { kind: context?.isPromote === true ? 'promote' : 'add', id, member };
    case ConfChangeType.ADD_LEARNER_NODE:
      return { kind: 'add-learner', id, member };
    case ConfChangeType.UPDATE_NODE:
      return { kind: 'update', id, member };
    default:
      return { kind: 'remove', id, member: null };
  }
}

/** etcd's JSON of a ConfState: 64-bit ids are numbers, which JSON.stringify cannot write (wire spec 7.4). */
export function confStateJson(conf: { voters: readonly bigint[]; learners: readonly bigint[] }): string {
  const learners = conf.learners.length === 0 ? '' : `"learners":[${conf.learners.join(',')}],`;
  return `{"voters":[${conf.voters.join(',')}],${learners}"auto_leave":false}`;
}

export function parseConfState(json: Buffer | undefined): { voters: bigint[]; learners: bigint[] } {
  const text = json === undefined ? '' : json.toString();
  const ids = (name: string): bigint[] => {
    const list = new RegExp(`"${name}":\\[([0-9,\\s]*)\\]`).exec(text)?.[1] ?? '';
    return list
      .split(',')
      .filter((id) => id.trim() !== '')
      .map((id) => BigInt(id.trim()));
  };
  return { voters: ids('voters'), learners: ids('learners') };
}
