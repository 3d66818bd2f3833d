/**
 * etcd's buckets (etcd wire §7.4). A row of ours is stored under one bucket byte followed by etcd's own key bytes, so
 * the order of rows within a bucket is etcd's. The numbers are part of the disk format: never renumber.
 */
export const Bucket = {
  /** 17-byte revision (main, `_`, sub; one more byte `t` on a tombstone) to the KeyValue message's bytes. */
  key: 1,
  /** consistent_index, term, confState (all three written by the backend itself), scheduledCompactRev, ... */
  meta: 2,
  /** 8-byte big-endian id to leasepb.Lease. */
  lease: 3,
  /** authEnabled, authRevision. */
  auth: 4,
  authUsers: 5,
  authRoles: 6,
  members: 7,
  membersRemoved: 8,
  alarm: 9,
  cluster: 10,
} as const;

export type Bucket = (typeof Bucket)[keyof typeof Bucket];

/** Our own rows: counters and flush numbers. Not part of etcd's schema; never exported, never counted in sizes. */
export const PRIVATE_BUCKET = 0;

/** etcd's name of a bucket, indexed by its number. */
export const BUCKET_NAMES: readonly string[] = [
  'keel',
  'key',
  'meta',
  'lease',
  'auth',
  'authUsers',
  'authRoles',
  'members',
  'members_removed',
  'alarm',
  'cluster',
];

export const BUCKET_MAX: number = Bucket.cluster;
