import type { MessageType } from './codec.js';
import { bool, define, list, message, string, uid } from './codec.js';

// membershippb: what the log says of members and of the cluster's version.

export const RaftAttributes = define('membershippb.RaftAttributes', { peerUrls: list(string(1)), isLearner: bool(2) });
export type RaftAttributes = MessageType<typeof RaftAttributes>;

export const Attributes = define('membershippb.Attributes', { name: string(1), clientUrls: list(string(2)) });
export type Attributes = MessageType<typeof Attributes>;

export const MembershipMember = define('membershippb.Member', {
  id: uid(1, 'ID'),
  raftAttributes: message(2, () => RaftAttributes),
  memberAttributes: message(3, () => Attributes),
});
export type MembershipMember = MessageType<typeof MembershipMember>;

export const ClusterVersionSetRequest = define('membershippb.ClusterVersionSetRequest', { ver: string(1) });
export type ClusterVersionSetRequest = MessageType<typeof ClusterVersionSetRequest>;

export const ClusterMemberAttrSetRequest = define('membershippb.ClusterMemberAttrSetRequest', {
  memberId: uid(1, 'member_ID'),
  memberAttributes: message(2, () => Attributes),
});
export type ClusterMemberAttrSetRequest = MessageType<typeof ClusterMemberAttrSetRequest>;

export const DowngradeInfoSetRequest = define('membershippb.DowngradeInfoSetRequest', {
  enabled: bool(1),
  ver: string(2),
});
export type DowngradeInfoSetRequest = MessageType<typeof DowngradeInfoSetRequest>;
