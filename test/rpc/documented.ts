/**
 * What each rpc may answer, by the name and the texts of etcd semantics, and where a test of it stands: a step of a
 * script in test/testdata/rpc (found there by itself, no place is named), or another test, named. `etcdserver: ` in
 * front is left out. test/rpc/documented.test.ts holds this table, the contract and the tests together.
 */
export interface Documented {
  /** Texts of the refusals, without those that any rpc may meet (COMMON). A watch tells its own in `cancel_reason`. */
  readonly errors: readonly string[];
  /** By text, or 'OK' for success: the test file that shows it, where no script does. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

const ROOT = ['permission denied', 'user name is empty'];
const COMPACTED = 'mvcc: required revision has been compacted';
const FUTURE = 'mvcc: required revision is a future revision';
const NO_SPACE = 'mvcc: database space exceeded';
const CORRUPT = 'corrupt cluster';
const NO_LEASE = 'requested lease not found';
const DENIED = 'permission denied';
const AUTH = 'test/auth/real-etcd.test.ts';
/** Changes that take place, and what a cluster of several refuses. */
const MEMBERS = 'test/e2e/member-changes.test.ts';
/** Etcd 3.5, whose answers are on record, does not translate what guards these. */
const GUARDED = { [DENIED]: AUTH, 'user name is empty': AUTH };
const NOT_STARTED = 're-configuration failed due to not enough started members';
const UNHEALTHY = 'unhealthy cluster';
const URL_TAKEN = 'Peer URLs already exists';
const NOT_LEARNER = 'can only promote a learner member';
const NOT_IN_SYNC = 'can only promote a learner member which is in sync with leader';

/** Met before the handler, or by whatever goes through the log (etcd semantics §1.2, §1.3): by every rpc alike. */
export const COMMON: Readonly<Record<string, string>> = {
  'rpc not supported for learner': 'test/rpc/router.test.ts',
  'invalid client api version': 'test/rpc/router.test.ts',
  'no leader': 'test/rpc/router.test.ts',
  'server stopped': 'test/rpc/router.test.ts',
  'request is too large': 'test/rpc/limits.test.ts',
  'too many requests': 'test/rpc/errors.test.ts',
  'request timed out': 'test/e2e/quorum-loss.test.ts',
  'grpc: error unmarshalling request: unexpected EOF': 'test/testdata/rpc/transport.txt',
  'grpc: received message larger than max': 'test/rpc/limits.test.ts',
  'invalid auth token': 'test/testdata/auth/rules.txt',
};

export const DOCUMENTED: Readonly<Record<string, Documented>> = {
  'KV/Range': {
    errors: ['key is not provided', 'invalid sort option', COMPACTED, FUTURE, DENIED],
  },
  'KV/Put': {
    errors: [
      'key is not provided',
      'value is provided',
      'lease is provided',
      'key not found',
      NO_LEASE,
      NO_SPACE,
      CORRUPT,
      DENIED,
    ],
  },
  'KV/DeleteRange': {
    errors: ['key is not provided', CORRUPT, DENIED],
  },
  'KV/Txn': {
    errors: [
      ...['key is not provided', 'value is provided', 'lease is provided', 'key not found', 'invalid sort option'],
      ...['too many operations in txn request', 'duplicate key given in txn request'],
      ...[NO_LEASE, COMPACTED, FUTURE, NO_SPACE, CORRUPT, DENIED],
    ],
  },
  'KV/Compact': { errors: [COMPACTED, FUTURE, CORRUPT, DENIED] },
  'Watch/Watch': {
    errors: [COMPACTED, 'mvcc: watcher range is empty', 'mvcc: duplicate watch ID provided on the WatchStream', DENIED],
    elsewhere: { [DENIED]: AUTH },
  },
  'Lease/LeaseGrant': {
    errors: ['lease already exists', 'too large lease TTL', NO_SPACE, CORRUPT],
  },
  'Lease/LeaseRevoke': { errors: [NO_LEASE, CORRUPT, DENIED] },
  'Lease/LeaseKeepAlive': { errors: [DENIED] },
  'Lease/LeaseTimeToLive': { errors: [DENIED] },
  'Lease/LeaseLeases': { errors: [DENIED] },
  'Cluster/MemberAdd': {
    errors: [
      ...['given member URLs are invalid', NOT_STARTED, UNHEALTHY, URL_TAKEN],
      ...['too many learner members in cluster', ...ROOT],
    ],
    elsewhere: {
      OK: MEMBERS,
      [NOT_STARTED]: MEMBERS,
      [UNHEALTHY]: MEMBERS,
      [URL_TAKEN]: MEMBERS,
      'too many learner members in cluster': MEMBERS,
    },
  },
  'Cluster/MemberRemove': {
    errors: ['member not found', NOT_STARTED, UNHEALTHY, ...ROOT],
    elsewhere: { OK: MEMBERS, [NOT_STARTED]: MEMBERS, [UNHEALTHY]: MEMBERS },
  },
  'Cluster/MemberUpdate': {
    errors: ['member not found', URL_TAKEN, ...ROOT],
    elsewhere: { OK: MEMBERS, [URL_TAKEN]: MEMBERS },
  },
  'Cluster/MemberPromote': {
    errors: ['member not found', NOT_LEARNER, NOT_IN_SYNC, ...ROOT],
    elsewhere: { OK: 'test/e2e/members-suite.ts', [NOT_LEARNER]: MEMBERS, [NOT_IN_SYNC]: MEMBERS },
  },
  'Cluster/MemberList': { errors: [] },
  'Maintenance/Alarm': { errors: ROOT },
  'Maintenance/Status': { errors: [] },
  'Maintenance/Defragment': { errors: ROOT, elsewhere: GUARDED },
  'Maintenance/Hash': { errors: ROOT, elsewhere: GUARDED },
  'Maintenance/HashKV': { errors: [COMPACTED, FUTURE, ...ROOT], elsewhere: GUARDED },
  'Maintenance/Snapshot': { errors: ROOT, elsewhere: GUARDED },
  'Maintenance/MoveLeader': {
    errors: ['not leader', 'bad leader transferee', ...ROOT],
    elsewhere: { OK: MEMBERS, 'not leader': MEMBERS },
  },
  'Maintenance/Downgrade': {
    errors: ['wrong downgrade target version format', 'invalid downgrade target version', 'unknown method', ...ROOT],
  },
  'Auth/AuthEnable': { errors: ['root user does not exist', 'root user does not have root role'] },
  'Auth/AuthDisable': { errors: ROOT },
  'Auth/AuthStatus': { errors: ROOT },
  'Auth/Authenticate': {
    errors: ['authentication is not enabled', 'authentication failed, invalid user ID or password'],
  },
  'Auth/UserAdd': { errors: ['user name is empty', 'user name already exists', DENIED] },
  'Auth/UserGet': { errors: ['user name not found', DENIED] },
  'Auth/UserList': { errors: [DENIED] },
  'Auth/UserDelete': { errors: ['invalid auth management', 'user name not found', DENIED] },
  'Auth/UserChangePassword': { errors: ['user name not found', DENIED] },
  'Auth/UserGrantRole': { errors: ['user name not found', 'role name not found', DENIED] },
  'Auth/UserRevokeRole': {
    errors: ['invalid auth management', 'user name not found', 'role is not granted to the user', DENIED],
  },
  'Auth/RoleAdd': { errors: ['role name is empty', 'role name already exists', DENIED] },
  'Auth/RoleGet': { errors: ['role name not found', DENIED] },
  'Auth/RoleList': { errors: [DENIED] },
  'Auth/RoleDelete': {
    errors: ['invalid auth management', 'role name not found', DENIED],
  },
  'Auth/RoleGrantPermission': {
    errors: ['permission not given', 'invalid auth management', 'role name not found', DENIED],
  },
  'Auth/RoleRevokePermission': {
    errors: ['role name not found', 'permission is not granted to the role', DENIED],
  },
  'Lock/Lock': { errors: [NO_LEASE, 'mutex: session is expired'] },
  'Lock/Unlock': { errors: ['key is not provided'] },
  'Election/Campaign': { errors: [NO_LEASE] },
  'Election/Proclaim': { errors: ['"leader" field must be provided', 'election: not leader'] },
  'Election/Leader': { errors: ['election: no leader'] },
  'Election/Observe': { errors: [] },
  'Election/Resign': { errors: ['"leader" field must be provided'] },
  'Health/Check': { errors: ['unknown service'] },
  'Health/Watch': { errors: [] },
  'Health/List': { errors: [] },
};

/** Not served, and why in one word: docs/divergence.md says it in more. */
export const NOT_SERVED: Readonly<Record<string, string>> = {
  'KV/RangeStream': 'etcd 3.7',
};
