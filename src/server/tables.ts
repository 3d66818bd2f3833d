import type { AuthStore } from '../auth/index.js';
import type { Backend } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import type { Alarms } from './alarms.js';
import { CLUSTER_VERSION_KEY } from './applier.js';
import type { Membership } from './membership.js';
import { readBucket } from './rows.js';

/** Fills the small tables (members, alarms, users and roles, the cluster's version) from a backend: at open and after a snapshot. */
export function loadTables(
  backend: Backend,
  membership: Membership,
  alarms: Alarms,
  auth: AuthStore,
  cb: (err: Error | null, clusterVersion: string | null) => void,
  fromSnapshot = false,
): void {
  readBucket(backend, Bucket.members, (membersError, members) => {
    if (membersError !== null) return cb(membersError, null);
    readBucket(backend, Bucket.membersRemoved, (removedError, removed) => {
      if (removedError !== null) return cb(removedError, null);
      readBucket(backend, Bucket.alarm, (alarmError, alarmRows) => {
        if (alarmError !== null) return cb(alarmError, null);
        membership.load(backend, {
          members: members.map((row) => row[1]),
          removed: removed.map((row) => row[0].toString()),
        });
        alarms.load(
          backend,
          alarmRows.map((row) => row[0]),
        );
        loadAuth(backend, auth, fromSnapshot, (authError) => {
          if (authError !== null) return cb(authError, null);
          let version: Buffer | undefined;
          try {
            version = backend.get(Bucket.cluster, CLUSTER_VERSION_KEY);
          } catch (err) {
            // Damage, as what the buckets' reads answer.
            return cb(err as Error, null);
          }
          cb(null, version === undefined ? null : version.toString());
        });
      });
    });
  });
}

function loadAuth(backend: Backend, store: AuthStore, fromSnapshot: boolean, cb: (err: Error | null) => void): void {
  readBucket(backend, Bucket.auth, (authError, auth) => {
    if (authError !== null) return cb(authError);
    readBucket(backend, Bucket.authUsers, (usersError, users) => {
      if (usersError !== null) return cb(usersError);
      readBucket(backend, Bucket.authRoles, (rolesError, roles) => {
        if (rolesError !== null) return cb(rolesError);
        store.load(
          backend,
          { auth, users: users.map((row) => row[1]), roles: roles.map((row) => row[1]) },
          fromSnapshot,
        );
        cb(null);
      });
    });
  });
}
