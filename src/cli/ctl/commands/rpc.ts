import * as wire from '../../../wire/index.js';
import type { Context } from '../context.js';

/** The calls that commands make, with wire messages in and out: printers want them as they are. */
export interface CallSettings {
  /** Default: --command-timeout. 0 is none. */
  readonly timeoutMs?: number;
  readonly endpoint?: string;
}

function call<T>(
  context: Context,
  path: string,
  request: Buffer,
  codec: { decode(buf: Buffer): T },
  repeat: 'read' | 'write',
  settings: CallSettings = {},
): Promise<T> {
  const options = settings.timeoutMs === undefined ? {} : { timeoutMs: settings.timeoutMs };
  return context.client.caller.call(`/etcdserverpb.${path}`, request, codec, repeat, options, settings.endpoint);
}

export const rpc = {
  range: (c: Context, r: wire.RangeRequest, s?: CallSettings) =>
    call(c, 'KV/Range', wire.encodeRangeRequest(r), wire.RangeResponse, 'read', s),
  put: (c: Context, r: wire.PutRequest) => call(c, 'KV/Put', wire.encodePutRequest(r), wire.PutResponse, 'write'),
  deleteRange: (c: Context, r: wire.DeleteRangeRequest) =>
    call(c, 'KV/DeleteRange', wire.encodeDeleteRangeRequest(r), wire.DeleteRangeResponse, 'write'),
  txn: (c: Context, r: wire.TxnRequest) => call(c, 'KV/Txn', wire.encodeTxnRequest(r), wire.TxnResponse, 'write'),
  compact: (c: Context, r: wire.CompactionRequest) =>
    call(c, 'KV/Compact', wire.CompactionRequest.encode(r), wire.CompactionResponse, 'write'),

  leaseGrant: (c: Context, ttl: number) =>
    call(c, 'Lease/LeaseGrant', wire.LeaseGrantRequest.encode({ ttl }), wire.LeaseGrantResponse, 'write'),
  leaseRevoke: (c: Context, id: bigint) =>
    call(c, 'Lease/LeaseRevoke', wire.LeaseRevokeRequest.encode({ id }), wire.LeaseRevokeResponse, 'write'),
  leaseTimeToLive: (c: Context, id: bigint, keys: boolean) =>
    call(
      c,
      'Lease/LeaseTimeToLive',
      wire.LeaseTimeToLiveRequest.encode({ id, keys }),
      wire.LeaseTimeToLiveResponse,
      'read',
    ),
  leaseLeases: (c: Context) =>
    call(c, 'Lease/LeaseLeases', wire.LeaseLeasesRequest.encode({}), wire.LeaseLeasesResponse, 'read'),

  memberList: (c: Context, linearizable = true) =>
    call(c, 'Cluster/MemberList', wire.MemberListRequest.encode({ linearizable }), wire.MemberListResponse, 'read'),
  memberAdd: (c: Context, peerUrls: string[], isLearner: boolean) =>
    call(
      c,
      'Cluster/MemberAdd',
      wire.MemberAddRequest.encode({ peerUrls, isLearner }),
      wire.MemberAddResponse,
      'write',
    ),
  memberRemove: (c: Context, id: bigint) =>
    call(c, 'Cluster/MemberRemove', wire.MemberRemoveRequest.encode({ id }), wire.MemberRemoveResponse, 'write'),
  memberUpdate: (c: Context, id: bigint, peerUrls: string[]) =>
    call(
      c,
      'Cluster/MemberUpdate',
      wire.MemberUpdateRequest.encode({ id, peerUrls }),
      wire.MemberUpdateResponse,
      'write',
    ),
  memberPromote: (c: Context, id: bigint) =>
    call(c, 'Cluster/MemberPromote', wire.MemberPromoteRequest.encode({ id }), wire.MemberPromoteResponse, 'write'),

  status: (c: Context, endpoint: string) =>
    call(c, 'Maintenance/Status', wire.StatusRequest.encode({}), wire.StatusResponse, 'read', { endpoint }),
  hashKv: (c: Context, endpoint: string, revision: number) =>
    call(c, 'Maintenance/HashKV', wire.HashKVRequest.encode({ revision }), wire.HashKVResponse, 'read', { endpoint }),
  alarm: (c: Context, r: Partial<wire.AlarmRequest>, s?: CallSettings) =>
    call(c, 'Maintenance/Alarm', wire.AlarmRequest.encode(r), wire.AlarmResponse, r.action ? 'write' : 'read', s),
  defragment: (c: Context, endpoint: string) =>
    call(c, 'Maintenance/Defragment', wire.DefragmentRequest.encode({}), wire.DefragmentResponse, 'write', {
      endpoint,
    }),
  downgrade: (c: Context, r: Partial<wire.DowngradeRequest>) =>
    call(c, 'Maintenance/Downgrade', wire.DowngradeRequest.encode(r), wire.DowngradeResponse, 'write'),
  moveLeader: (c: Context, targetId: bigint, endpoint: string) =>
    call(c, 'Maintenance/MoveLeader', wire.MoveLeaderRequest.encode({ targetId }), wire.MoveLeaderResponse, 'write', {
      endpoint,
    }),
};
