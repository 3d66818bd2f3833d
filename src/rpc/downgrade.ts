import type { MemberApi } from '../server/index.js';
import type { DowngradeRequest } from '../wire/index.js';
import { DowngradeResponse, Maintenance } from '../wire/index.js';
import type { UnaryCall } from './call.js';
import { headerOf } from './header.js';
import { unary } from './route.js';

/** Maintenance.Downgrade: VALIDATE and CANCEL answer as etcd's do; ENABLE is refused (server/downgrade.ts). */
export const downgradeRoute = unary(
  Maintenance.Downgrade,
  (member: MemberApi, request: DowngradeRequest, call: UnaryCall) =>
    member.downgrade(request, call, call.answer(encodeDowngrade)),
);

/** @param version of the cluster, major.minor */
function encodeDowngrade(member: MemberApi, version: string): Buffer {
  return DowngradeResponse.encode({ header: headerOf(member, member.revision), version });
}
