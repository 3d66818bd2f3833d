import type { AlarmMember, MemberApi } from '../server/index.js';
import type { AlarmRequest, HashKVRequest, MoveLeaderRequest } from '../wire/index.js';
import {
  AlarmResponse,
  DefragmentResponse,
  HashKVResponse,
  HashResponse,
  Maintenance,
  MoveLeaderResponse,
  StatusResponse,
} from '../wire/index.js';
import { asRoot, asUser } from './auth-rule.js';
import type { UnaryCall } from './call.js';
import { downgradeRoute } from './downgrade.js';
import { headerOf } from './header.js';
import type { Route } from './route.js';
import { stream, unary } from './route.js';
import { SnapshotCall } from './snapshot.js';

/** etcdserverpb.Maintenance, as far as it is there. */
export const maintenanceRoutes: Route[] = [
  unary(Maintenance.Alarm, alarm),
  unary(Maintenance.Status, asUser(status), true),
  unary(Maintenance.Defragment, asRoot(defragment)),
  unary(Maintenance.Hash, asRoot(hash)),
  unary(Maintenance.HashKV, asRoot(hashKv)),
  downgradeRoute,
  unary(Maintenance.MoveLeader, moveLeader),
  // A learner gives its database as well.
  stream(Maintenance.Snapshot, (member, call) => new SnapshotCall(member, call), true),
];

function alarm(member: MemberApi, request: AlarmRequest, call: UnaryCall): void {
  member.alarm(request, call, call.answer(encodeAlarms));
}

function encodeAlarms(member: MemberApi, alarms: AlarmMember[]): Buffer {
  return AlarmResponse.encode({ header: headerOf(member, member.revision), alarms });
}

function status(member: MemberApi, _request: unknown, call: UnaryCall): void {
  call.reply(
    StatusResponse.encode({
      header: headerOf(member, member.revision),
      ...member.status(),
      downgradeInfo: { enabled: false, targetVersion: '' },
    }),
  );
}

function defragment(member: MemberApi, _request: unknown, call: UnaryCall): void {
  member.defragment(call.answer<void>(encodeDefragment));
}

/** No header (etcd semantics §2). */
function encodeDefragment(): Buffer {
  return DefragmentResponse.encode({});
}

function hash(member: MemberApi, _request: unknown, call: UnaryCall): void {
  member.hash(call.answer(encodeHash));
}

function encodeHash(member: MemberApi, value: number): Buffer {
  return HashResponse.encode({ header: headerOf(member, member.revision), hash: value });
}

function hashKv(member: MemberApi, request: HashKVRequest, call: UnaryCall): void {
  member.hashKv(request.revision, call.answer(encodeHashKv));
}

function encodeHashKv(
  member: MemberApi,
  value: { hash: number; compactRevision: number; hashRevision: number },
): Buffer {
  const { hash: sum, compactRevision, hashRevision } = value;
  return HashKVResponse.encode({ header: headerOf(member, member.revision), hash: sum, compactRevision, hashRevision });
}

function moveLeader(member: MemberApi, request: MoveLeaderRequest, call: UnaryCall): void {
  member.moveLeader(request.targetId, call, call.answer<void>(encodeMoveLeader));
}

/** No header (etcd semantics §2). */
function encodeMoveLeader(): Buffer {
  return MoveLeaderResponse.encode({});
}
