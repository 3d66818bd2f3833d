import type { MemberApi, MemberInfo } from '../server/index.js';
import type { MemberListRequest } from '../wire/index.js';
import { Cluster, MemberListResponse } from '../wire/index.js';
import type { UnaryCall } from './call.js';
import { headerOf } from './header.js';
import type { Route } from './route.js';
import { unary } from './route.js';

/** etcdserverpb.Cluster, as far as it is there. */
export const clusterRoutes: Route[] = [unary(Cluster.MemberList, memberList)];

function memberList(member: MemberApi, request: MemberListRequest, call: UnaryCall): void {
  member.memberList(request.linearizable, call, call.answer(encodeMemberList));
}

/** The header of every answer of this service has revision 0. */
function encodeMemberList(member: MemberApi, members: MemberInfo[]): Buffer {
  return MemberListResponse.encode({ header: headerOf(member, 0), members: members.map(toWire) });
}

function toWire({ id, name, peerUrls, clientUrls, isLearner }: MemberInfo) {
  return { id, name, peerUrls: [...peerUrls], clientUrls: [...clientUrls], isLearner };
}
