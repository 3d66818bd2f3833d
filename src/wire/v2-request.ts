import type { MessageType } from './codec.js';
import { always, bool, define, id, string, uid, uint } from './codec.js';

/**
 * etcdserverpb.Request, of the v2 API. etcd 3.5 still writes it, bare and not inside an
 * InternalRaftRequest, to publish a member's attributes and the cluster version (etcd wire §6).
 * proto2: only `prevExist` and `refresh` may be absent, and here absent is false.
 *
 * A bare Request and an InternalRaftRequest are told apart as etcd does it: data that does not
 * decode as the latter is the former (`method`, field 2, is a string where `v2` is a message).
 */
export const V2Request = define('etcdserverpb.Request', {
  id: always(uid(1, 'ID')),
  method: always(string(2, 'Method')),
  path: always(string(3, 'Path')),
  val: always(string(4, 'Val')),
  dir: always(bool(5, 'Dir')),
  prevValue: always(string(6, 'PrevValue')),
  prevIndex: always(uint(7, 'PrevIndex')),
  prevExist: bool(8, 'PrevExist'),
  expiration: always(id(9, 'Expiration')),
  wait: always(bool(10, 'Wait')),
  since: always(uint(11, 'Since')),
  recursive: always(bool(12, 'Recursive')),
  sorted: always(bool(13, 'Sorted')),
  quorum: always(bool(14, 'Quorum')),
  time: always(id(15, 'Time')),
  stream: always(bool(16, 'Stream')),
  refresh: bool(17, 'Refresh'),
});
export type V2Request = MessageType<typeof V2Request>;
