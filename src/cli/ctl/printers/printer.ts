import type * as wire from '../../../wire/index.js';

/** A response to a watcher, as the printers see it. */
export interface WatchOutput {
  readonly header: wire.ResponseHeader;
  readonly events: readonly wire.Event[];
  readonly compactRevision: number;
  readonly canceled: boolean;
}

export interface GetStyle {
  readonly keysOnly: boolean;
  readonly valueOnly: boolean;
}

export interface Health {
  readonly endpoint: string;
  readonly health: boolean;
  /** As Go prints a duration. */
  readonly took: string;
  /** Empty if there was none. */
  readonly error: string;
}

export interface EndpointStatus {
  readonly endpoint: string;
  readonly status: wire.StatusResponse;
}

export interface EndpointHash {
  readonly endpoint: string;
  readonly hash: wire.HashKVResponse;
}

/** What a response looks like in one of the output formats. A format that has no form for it throws Fail (4). */
export interface Printer {
  get(r: wire.RangeResponse, style: GetStyle): void;
  put(r: wire.PutResponse): void;
  del(r: wire.DeleteRangeResponse): void;
  txn(r: wire.TxnResponse): void;
  watch(r: WatchOutput): void;
  grant(r: wire.LeaseGrantResponse): void;
  revoke(id: bigint, r: wire.LeaseRevokeResponse): void;
  keepAlive(r: wire.LeaseKeepAliveResponse): void;
  timeToLive(r: wire.LeaseTimeToLiveResponse, keys: boolean): void;
  leases(r: wire.LeaseLeasesResponse): void;
  memberAdd(r: wire.MemberAddResponse, learner: boolean): void;
  memberRemove(id: bigint, r: wire.MemberRemoveResponse): void;
  memberUpdate(id: bigint, r: wire.MemberUpdateResponse): void;
  memberPromote(id: bigint, r: wire.MemberPromoteResponse): void;
  memberList(r: wire.MemberListResponse): void;
  health(list: readonly Health[]): void;
  status(list: readonly EndpointStatus[]): void;
  hashKv(list: readonly EndpointHash[]): void;
  alarm(r: wire.AlarmResponse): void;
  downgrade(action: 'validate' | 'enable' | 'cancel', r: wire.DowngradeResponse): void;
  moveLeader(from: bigint, to: bigint, r: wire.MoveLeaderResponse): void;
}

export const ALARM_NAMES: readonly string[] = ['NONE', 'NOSPACE', 'CORRUPT'];
