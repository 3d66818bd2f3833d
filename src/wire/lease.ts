import type { MessageType } from './codec.js';
import { bool, define, id, int, key, list, message, string } from './codec.js';
import { headerOnly } from './compaction.js';
import { ResponseHeader } from './response-header.js';

const header = message(1, () => ResponseHeader);

export const LeaseGrantRequest = define('etcdserverpb.LeaseGrantRequest', { ttl: int(1, 'TTL'), id: id(2, 'ID') });
export type LeaseGrantRequest = MessageType<typeof LeaseGrantRequest>;

export const LeaseGrantResponse = define('etcdserverpb.LeaseGrantResponse', {
  header,
  id: id(2, 'ID'),
  ttl: int(3, 'TTL'),
  error: string(4),
});
export type LeaseGrantResponse = MessageType<typeof LeaseGrantResponse>;

export const LeaseRevokeRequest = define('etcdserverpb.LeaseRevokeRequest', { id: id(1, 'ID') });
export type LeaseRevokeRequest = MessageType<typeof LeaseRevokeRequest>;
export const LeaseRevokeResponse = headerOnly('LeaseRevokeResponse');
export type LeaseRevokeResponse = MessageType<typeof LeaseRevokeResponse>;

export const LeaseCheckpoint = define('etcdserverpb.LeaseCheckpoint', {
  id: id(1, 'ID'),
  remainingTtl: int(2, 'remaining_TTL'),
});
export type LeaseCheckpoint = MessageType<typeof LeaseCheckpoint>;

export const LeaseCheckpointRequest = define('etcdserverpb.LeaseCheckpointRequest', {
  checkpoints: list(message(1, () => LeaseCheckpoint)),
});
export type LeaseCheckpointRequest = MessageType<typeof LeaseCheckpointRequest>;
export const LeaseCheckpointResponse = headerOnly('LeaseCheckpointResponse');
export type LeaseCheckpointResponse = MessageType<typeof LeaseCheckpointResponse>;

export const LeaseKeepAliveRequest = define('etcdserverpb.LeaseKeepAliveRequest', { id: id(1, 'ID') });
export type LeaseKeepAliveRequest = MessageType<typeof LeaseKeepAliveRequest>;

export const LeaseKeepAliveResponse = define('etcdserverpb.LeaseKeepAliveResponse', {
  header,
  id: id(2, 'ID'),
  ttl: int(3, 'TTL'),
});
export type LeaseKeepAliveResponse = MessageType<typeof LeaseKeepAliveResponse>;

export const LeaseTimeToLiveRequest = define('etcdserverpb.LeaseTimeToLiveRequest', { id: id(1, 'ID'), keys: bool(2) });
export type LeaseTimeToLiveRequest = MessageType<typeof LeaseTimeToLiveRequest>;

export const LeaseTimeToLiveResponse = define('etcdserverpb.LeaseTimeToLiveResponse', {
  header,
  id: id(2, 'ID'),
  ttl: int(3, 'TTL'),
  grantedTtl: int(4, 'grantedTTL'),
  keys: list(key(5)),
});
export type LeaseTimeToLiveResponse = MessageType<typeof LeaseTimeToLiveResponse>;

export const LeaseLeasesRequest = define('etcdserverpb.LeaseLeasesRequest', {});
export type LeaseLeasesRequest = MessageType<typeof LeaseLeasesRequest>;

export const LeaseStatus = define('etcdserverpb.LeaseStatus', { id: id(1, 'ID') });
export type LeaseStatus = MessageType<typeof LeaseStatus>;

export const LeaseLeasesResponse = define('etcdserverpb.LeaseLeasesResponse', {
  header,
  leases: list(message(2, () => LeaseStatus)),
});
export type LeaseLeasesResponse = MessageType<typeof LeaseLeasesResponse>;

/** A lease as the backend's `lease` bucket keeps it. */
export const StoredLease = define('leasepb.Lease', {
  id: id(1, 'ID'),
  ttl: int(2, 'TTL'),
  remainingTtl: int(3, 'RemainingTTL'),
});
export type StoredLease = MessageType<typeof StoredLease>;

/** What a member asks of the leader about a lease (etcd wire §8, /leases/internal). */
export const LeaseInternalRequest = define('leasepb.LeaseInternalRequest', {
  leaseTimeToLiveRequest: message(1, () => LeaseTimeToLiveRequest, 'LeaseTimeToLiveRequest'),
});
export type LeaseInternalRequest = MessageType<typeof LeaseInternalRequest>;

export const LeaseInternalResponse = define('leasepb.LeaseInternalResponse', {
  leaseTimeToLiveResponse: message(1, () => LeaseTimeToLiveResponse, 'LeaseTimeToLiveResponse'),
});
export type LeaseInternalResponse = MessageType<typeof LeaseInternalResponse>;
