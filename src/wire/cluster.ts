import type { MessageType } from './codec.js';
import { bool, define, list, message, string, uid } from './codec.js';
import { ResponseHeader } from './response-header.js';

const header = message(1, () => ResponseHeader);

export const Member = define('etcdserverpb.Member', {
  id: uid(1, 'ID'),
  name: string(2),
  peerUrls: list(string(3, 'peerURLs')),
  clientUrls: list(string(4, 'clientURLs')),
  isLearner: bool(5, 'isLearner'),
});
export type Member = MessageType<typeof Member>;

export const MemberAddRequest = define('etcdserverpb.MemberAddRequest', {
  peerUrls: list(string(1, 'peerURLs')),
  isLearner: bool(2, 'isLearner'),
});
export type MemberAddRequest = MessageType<typeof MemberAddRequest>;

export const MemberAddResponse = define('etcdserverpb.MemberAddResponse', {
  header,
  member: message(2, () => Member),
  members: list(message(3, () => Member)),
});
export type MemberAddResponse = MessageType<typeof MemberAddResponse>;

const members = { header, members: list(message(2, () => Member)) };

export const MemberRemoveRequest = define('etcdserverpb.MemberRemoveRequest', { id: uid(1, 'ID') });
export type MemberRemoveRequest = MessageType<typeof MemberRemoveRequest>;
export const MemberRemoveResponse = define('etcdserverpb.MemberRemoveResponse', members);
export type MemberRemoveResponse = MessageType<typeof MemberRemoveResponse>;

export const MemberUpdateRequest = define('etcdserverpb.MemberUpdateRequest', {
  id: uid(1, 'ID'),
  peerUrls: list(string(2, 'peerURLs')),
});
export type MemberUpdateRequest = MessageType<typeof MemberUpdateRequest>;
export const MemberUpdateResponse = define('etcdserverpb.MemberUpdateResponse', members);
export type MemberUpdateResponse = MessageType<typeof MemberUpdateResponse>;

export const MemberListRequest = define('etcdserverpb.MemberListRequest', { linearizable: bool(1) });
export type MemberListRequest = MessageType<typeof MemberListRequest>;
export const MemberListResponse = define('etcdserverpb.MemberListResponse', members);
export type MemberListResponse = MessageType<typeof MemberListResponse>;

export const MemberPromoteRequest = define('etcdserverpb.MemberPromoteRequest', { id: uid(1, 'ID') });
export type MemberPromoteRequest = MessageType<typeof MemberPromoteRequest>;
export const MemberPromoteResponse = define('etcdserverpb.MemberPromoteResponse', members);
export type MemberPromoteResponse = MessageType<typeof MemberPromoteResponse>;
