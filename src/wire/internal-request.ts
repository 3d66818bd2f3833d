import type { MessageType } from './codec.js';
import { define, string, uid, uint } from './codec.js';
import type { Known } from './reader.js';
import { EMPTY, Reader } from './reader.js';
import type { Writer } from './writer.js';
import { scratch } from './writer.js';

/** etcdserverpb.RequestHeader: who proposed. */
export const RequestHeader = define('etcdserverpb.RequestHeader', {
  id: uid(1, 'ID'),
  username: string(2),
  authRevision: uint(3),
});
export type RequestHeader = MessageType<typeof RequestHeader>;

/** The request that an InternalRaftRequest holds: its field number. */
export const InternalKind = {
  NONE: 0,
  V2: 2,
  RANGE: 3,
  PUT: 4,
  DELETE_RANGE: 5,
  TXN: 6,
  COMPACTION: 7,
  LEASE_GRANT: 8,
  LEASE_REVOKE: 9,
  ALARM: 10,
  LEASE_CHECKPOINT: 11,
  AUTH_ENABLE: 1000,
  AUTH_DISABLE: 1011,
  AUTHENTICATE: 1012,
  AUTH_STATUS: 1013,
  AUTH_USER_ADD: 1100,
  AUTH_USER_DELETE: 1101,
  AUTH_USER_GET: 1102,
  AUTH_USER_CHANGE_PASSWORD: 1103,
  AUTH_USER_GRANT_ROLE: 1104,
  AUTH_USER_REVOKE_ROLE: 1105,
  AUTH_USER_LIST: 1106,
  AUTH_ROLE_LIST: 1107,
  AUTH_ROLE_ADD: 1200,
  AUTH_ROLE_DELETE: 1201,
  AUTH_ROLE_GET: 1202,
  AUTH_ROLE_GRANT_PERMISSION: 1203,
  AUTH_ROLE_REVOKE_PERMISSION: 1204,
  CLUSTER_VERSION_SET: 1300,
  CLUSTER_MEMBER_ATTR_SET: 1301,
  DOWNGRADE_INFO_SET: 1302,
  DOWNGRADE_VERSION_TEST: 9900,
} as const;

/** etcdserverpb.InternalRaftRequest: the data of a normal entry. */
export interface InternalRequest {
  /** What the proposer waits for: the header's id, or field 1 of an entry older than headers. */
  id: bigint;
  username: string;
  authRevision: number;
  /** A value of InternalKind; 0 if there is no request. */
  kind: number;
  /** The request's own bytes, a view. */
  body: Buffer;
}

/**
 * Marshals a proposal around the client's request, whose bytes are copied as they are. As etcd
 * 3.5 and 3.6 write it: the id is in the header (field 100) only, and fields ascend, so that the
 * header follows the requests of KV and Lease and precedes those of Auth and Cluster.
 */
export function encodeInternalRequest(
  id: bigint,
  username: string,
  authRevision: number,
  kind: number,
  body: Buffer,
): Buffer {
  const w = scratch.reset();
  w.reserve(body.length + 64);
  const bodyFirst = kind < HEADER;
  if (!bodyFirst) w.bytes(kind * 8 + 2, body);
  writeHeader(w, id, username, authRevision);
  if (bodyFirst) w.bytes(kind * 8 + 2, body);
  return w.finish();
}
const HEADER = 100;

function writeHeader(w: Writer, id: bigint, username: string, authRevision: number): void {
  const mark = w.size;
  w.intField(24, authRevision);
  w.utf8Field(18, username);
  w.idField(8, id);
  w.close(HEADER * 8 + 2, mark);
}

/** @throws WireError */
export function decodeInternalRequest(buf: Buffer): InternalRequest {
  const r = new Reader(buf);
  const m: InternalRequest = { id: 0n, username: '', authRevision: 0, kind: 0, body: EMPTY };
  let ownId = 0n;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 8) ownId = r.uid();
    else if (tag === HEADER * 8 + 2) readHeader(r, m);
    else if ((tag & 7) === 2 && KINDS.has(tag >>> 3)) {
      m.kind = tag >>> 3;
      m.body = r.bytes();
    } else r.skip(tag, KNOWN);
  }
  if (ownId !== 0n) m.id = ownId;
  return m;
}
const KINDS = new Set<number>(Object.values(InternalKind).filter((kind) => kind !== 0));
const KNOWN: Known = {
  name: 'InternalRaftRequest',
  fields: Object.fromEntries([1, HEADER, ...KINDS].map((n) => [n, `${n}`])),
};

function readHeader(r: Reader, m: InternalRequest): void {
  const outer = r.enter();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.id = r.uid();
        break;
      case 18:
        m.username = r.utf8();
        break;
      case 24:
        m.authRevision = r.uint();
        break;
      default:
        r.skip(tag, RequestHeader.known);
    }
  }
  r.leave(outer);
}

/** etcdserverpb.InternalAuthenticateRequest: an Authenticate whose token the proposer has chosen. */
export const InternalAuthenticateRequest = define('etcdserverpb.InternalAuthenticateRequest', {
  name: string(1),
  password: string(2),
  simpleToken: string(3),
});
export type InternalAuthenticateRequest = MessageType<typeof InternalAuthenticateRequest>;
