import * as auth from './auth.js';
import * as cluster from './cluster.js';
import type { Codec } from './codec.js';
import { CompactionRequest, CompactionResponse } from './compaction.js';
import { DeleteRangeRequest, DeleteRangeResponse } from './delete-range.js';
import * as election from './election.js';
import * as health from './health.js';
import * as lease from './lease.js';
import * as lock from './lock.js';
import * as maintenance from './maintenance.js';
import { PutRequest, PutResponse } from './put.js';
import { RangeRequest, RangeResponse, RangeStreamResponse } from './range.js';
import { TxnRequest, TxnResponse } from './txn.js';
import { WatchRequest, WatchResponse } from './watch.js';

/** One rpc: how it is called and what it carries. */
export interface Rpc<Req = unknown, Res = unknown> {
  /** With the package: `etcdserverpb.KV`. */
  readonly service: string;
  readonly name: string;
  /** The :path of its HTTP/2 requests: `/etcdserverpb.KV/Range`. */
  readonly path: string;
  readonly request: Codec<Req>;
  readonly response: Codec<Res>;
  /** The client sends a stream of requests. */
  readonly clientStreaming: boolean;
  /** The server answers with a stream of responses. */
  readonly serverStreaming: boolean;
  /** Paths of the JSON gateway, all POST; none where the gateway does not know the rpc. */
  readonly gateway: readonly string[];
}

/** An rpc but for its service, which `service` fills in. */
type Half<Req, Res> = Omit<Rpc<Req, Res>, 'service' | 'name' | 'path'>;
type Services<H> = { readonly [K in keyof H]: H[K] extends Half<infer Req, infer Res> ? Rpc<Req, Res> : never };

function unary<Req, Res>(request: Codec<Req>, response: Codec<Res>, ...gateway: string[]): Half<Req, Res> {
  return { request, response, clientStreaming: false, serverStreaming: false, gateway };
}

function down<Req, Res>(request: Codec<Req>, response: Codec<Res>, ...gateway: string[]): Half<Req, Res> {
  return { request, response, clientStreaming: false, serverStreaming: true, gateway };
}

function both<Req, Res>(request: Codec<Req>, response: Codec<Res>, ...gateway: string[]): Half<Req, Res> {
  return { request, response, clientStreaming: true, serverStreaming: true, gateway };
}

// biome-ignore lint/suspicious/noExplicitAny: a codec is invariant in its message; the result is exact.
function service<H extends Record<string, Half<any, any>>>(name: string, rpcs: H): Services<H> {
  const out: Record<string, Rpc> = {};
  for (const [rpc, half] of Object.entries(rpcs)) {
    out[rpc] = { service: name, name: rpc, path: `/${name}/${rpc}`, ...half };
  }
  return out as Services<H>;
}

/** Every service and rpc (etcd wire §2), as `KV.Range`, `Watch.Watch`. */
export const KV = service('etcdserverpb.KV', {
  Range: unary(RangeRequest, RangeResponse, '/v3/kv/range'),
  /** Since etcd 3.7; a server of 3.6 answers Unimplemented. */
  RangeStream: down(RangeRequest, RangeStreamResponse),
  Put: unary(PutRequest, PutResponse, '/v3/kv/put'),
  DeleteRange: unary(DeleteRangeRequest, DeleteRangeResponse, '/v3/kv/deleterange'),
  Txn: unary(TxnRequest, TxnResponse, '/v3/kv/txn'),
  Compact: unary(CompactionRequest, CompactionResponse, '/v3/kv/compaction'),
});

export const Watch = service('etcdserverpb.Watch', {
  Watch: both(WatchRequest, WatchResponse, '/v3/watch'),
});

export const Lease = service('etcdserverpb.Lease', {
  LeaseGrant: unary(lease.LeaseGrantRequest, lease.LeaseGrantResponse, '/v3/lease/grant'),
  LeaseRevoke: unary(lease.LeaseRevokeRequest, lease.LeaseRevokeResponse, '/v3/lease/revoke', '/v3/kv/lease/revoke'),
  LeaseKeepAlive: both(lease.LeaseKeepAliveRequest, lease.LeaseKeepAliveResponse, '/v3/lease/keepalive'),
  LeaseTimeToLive: unary(
    lease.LeaseTimeToLiveRequest,
    lease.LeaseTimeToLiveResponse,
    '/v3/lease/timetolive',
    '/v3/kv/lease/timetolive',
  ),
  LeaseLeases: unary(lease.LeaseLeasesRequest, lease.LeaseLeasesResponse, '/v3/lease/leases', '/v3/kv/lease/leases'),
});

export const Cluster = service('etcdserverpb.Cluster', {
  MemberAdd: unary(cluster.MemberAddRequest, cluster.MemberAddResponse, '/v3/cluster/member/add'),
  MemberRemove: unary(cluster.MemberRemoveRequest, cluster.MemberRemoveResponse, '/v3/cluster/member/remove'),
  MemberUpdate: unary(cluster.MemberUpdateRequest, cluster.MemberUpdateResponse, '/v3/cluster/member/update'),
  MemberList: unary(cluster.MemberListRequest, cluster.MemberListResponse, '/v3/cluster/member/list'),
  MemberPromote: unary(cluster.MemberPromoteRequest, cluster.MemberPromoteResponse, '/v3/cluster/member/promote'),
});

export const Maintenance = service('etcdserverpb.Maintenance', {
  Alarm: unary(maintenance.AlarmRequest, maintenance.AlarmResponse, '/v3/maintenance/alarm'),
  Status: unary(maintenance.StatusRequest, maintenance.StatusResponse, '/v3/maintenance/status'),
  Defragment: unary(maintenance.DefragmentRequest, maintenance.DefragmentResponse, '/v3/maintenance/defragment'),
  Hash: unary(maintenance.HashRequest, maintenance.HashResponse, '/v3/maintenance/hash'),
  HashKV: unary(maintenance.HashKVRequest, maintenance.HashKVResponse, '/v3/maintenance/hashkv'),
  Snapshot: down(maintenance.SnapshotRequest, maintenance.SnapshotResponse, '/v3/maintenance/snapshot'),
  MoveLeader: unary(
    maintenance.MoveLeaderRequest,
    maintenance.MoveLeaderResponse,
    '/v3/maintenance/transfer-leadership',
  ),
  Downgrade: unary(maintenance.DowngradeRequest, maintenance.DowngradeResponse, '/v3/maintenance/downgrade'),
});

export const Auth = service('etcdserverpb.Auth', {
  AuthEnable: unary(auth.AuthEnableRequest, auth.AuthEnableResponse, '/v3/auth/enable'),
  AuthDisable: unary(auth.AuthDisableRequest, auth.AuthDisableResponse, '/v3/auth/disable'),
  AuthStatus: unary(auth.AuthStatusRequest, auth.AuthStatusResponse, '/v3/auth/status'),
  Authenticate: unary(auth.AuthenticateRequest, auth.AuthenticateResponse, '/v3/auth/authenticate'),
  UserAdd: unary(auth.AuthUserAddRequest, auth.AuthUserAddResponse, '/v3/auth/user/add'),
  UserGet: unary(auth.AuthUserGetRequest, auth.AuthUserGetResponse, '/v3/auth/user/get'),
  UserList: unary(auth.AuthUserListRequest, auth.AuthUserListResponse, '/v3/auth/user/list'),
  UserDelete: unary(auth.AuthUserDeleteRequest, auth.AuthUserDeleteResponse, '/v3/auth/user/delete'),
  UserChangePassword: unary(
    auth.AuthUserChangePasswordRequest,
    auth.AuthUserChangePasswordResponse,
    '/v3/auth/user/changepw',
  ),
  UserGrantRole: unary(auth.AuthUserGrantRoleRequest, auth.AuthUserGrantRoleResponse, '/v3/auth/user/grant'),
  UserRevokeRole: unary(auth.AuthUserRevokeRoleRequest, auth.AuthUserRevokeRoleResponse, '/v3/auth/user/revoke'),
  RoleAdd: unary(auth.AuthRoleAddRequest, auth.AuthRoleAddResponse, '/v3/auth/role/add'),
  RoleGet: unary(auth.AuthRoleGetRequest, auth.AuthRoleGetResponse, '/v3/auth/role/get'),
  RoleList: unary(auth.AuthRoleListRequest, auth.AuthRoleListResponse, '/v3/auth/role/list'),
  RoleDelete: unary(auth.AuthRoleDeleteRequest, auth.AuthRoleDeleteResponse, '/v3/auth/role/delete'),
  RoleGrantPermission: unary(
    auth.AuthRoleGrantPermissionRequest,
    auth.AuthRoleGrantPermissionResponse,
    '/v3/auth/role/grant',
  ),
  RoleRevokePermission: unary(
    auth.AuthRoleRevokePermissionRequest,
    auth.AuthRoleRevokePermissionResponse,
    '/v3/auth/role/revoke',
  ),
});

export const Lock = service('v3lockpb.Lock', {
  Lock: unary(lock.LockRequest, lock.LockResponse, '/v3/lock/lock'),
  Unlock: unary(lock.UnlockRequest, lock.UnlockResponse, '/v3/lock/unlock'),
});

export const Election = service('v3electionpb.Election', {
  Campaign: unary(election.CampaignRequest, election.CampaignResponse, '/v3/election/campaign'),
  Proclaim: unary(election.ProclaimRequest, election.ProclaimResponse, '/v3/election/proclaim'),
  Leader: unary(election.LeaderRequest, election.LeaderResponse, '/v3/election/leader'),
  Observe: down(election.LeaderRequest, election.LeaderResponse, '/v3/election/observe'),
  Resign: unary(election.ResignRequest, election.ResignResponse, '/v3/election/resign'),
});

export const Health = service('grpc.health.v1.Health', {
  Check: unary(health.HealthCheckRequest, health.HealthCheckResponse),
  Watch: down(health.HealthCheckRequest, health.HealthCheckResponse),
  List: unary(health.HealthListRequest, health.HealthListResponse),
});

/** Every rpc, in the order of the contract. */
export const RPCS: readonly Rpc[] = [KV, Watch, Lease, Cluster, Maintenance, Auth, Lock, Election, Health].flatMap(
  (table) => Object.values(table) as Rpc[],
);

/** The rpc at a request's :path, or undefined. */
export function rpcAt(path: string): Rpc | undefined {
  BY_PATH ??= new Map(RPCS.map((rpc) => [rpc.path, rpc]));
  return BY_PATH.get(path);
}
let BY_PATH: Map<string, Rpc> | null = null;
