import type { MemberApi, MemberInfo } from '../server/index.js';
import type {
  MemberAddRequest,
  MemberListRequest,
  MemberPromoteRequest,
  MemberRemoveRequest,
  MemberUpdateRequest,
} from '../wire/index.js';
import { Cluster, MemberAddResponse, MemberListResponse } from '../wire/index.js';
import type { UnaryCall } from './call.js';
import { headerOf } from './header.js';
import type { Route } from './route.js';
import { unary } from './route.js';

/** etcdserverpb.Cluster. */
export const clusterRoutes: Route[] = [
  unary(Cluster.MemberAdd, memberAdd),
  unary(Cluster.MemberRemove, memberRemove),
  unary(Cluster.MemberUpdate, memberUpdate),
  unary(Cluster.MemberList, memberList),
  unary(Cluster.MemberPromote, memberPromote),
];

function memberAdd(member: MemberApi, request: MemberAddRequest, call: UnaryCall): void {
  member.memberAdd(request, call, call.answer(encodeMemberAdd));
}

function encodeMemberAdd(member: MemberApi, added: { member: MemberInfo; members: MemberInfo[] }): Buffer {
  return MemberAddResponse.encode({
    header: headerOf(member, 0),
    member: toWire(added.member),
    members: added.members.map(toWire),
  });
}

function memberRemove(member: MemberApi, request: MemberRemoveRequest, call: UnaryCall): void {
  member.memberRemove(request.id, call, call.answer(encodeMembers));
}

function memberUpdate(member: MemberApi, request: MemberUpdateRequest, call: UnaryCall): void {
  member.memberUpdate(request.id, request.peerUrls, call, call.answer(encodeMembers));
}

function memberPromote(member: MemberApi, request: MemberPromoteRequest, call: UnaryCall): void {
  member.memberPromote(request.id, call, call.answer(encodeMembers));
}

function memberList(member: MemberApi, request: MemberListRequest, call: UnaryCall): void {
  member.memberList(request.linearizable, call, call.answer(encodeMembers));
}

/**
 * The header of every answer of this service has revision 0. MemberList's response and those of the changes but for an
 * add are one and the same message.
 */
function encodeMembers(member: MemberApi, members: MemberInfo[]): Buffer {
  return MemberListResponse.encode({ header: headerOf(member, 0), members: members.map(toWire) });
}

function toWire({ id, name, peerUrls, clientUrls, isLearner }: MemberInfo) {
  return { id, name, peerUrls: [...peerUrls], clientUrls: [...clientUrls], isLearner };
}
