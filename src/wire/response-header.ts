import { defineByHand, int, uid, uint } from './codec.js';
import type { Reader } from './reader.js';
import { EMPTY } from './reader.js';
import type { Writer } from './writer.js';

/** etcdserverpb.ResponseHeader. */
export interface ResponseHeader {
  clusterId: bigint;
  memberId: bigint;
  revision: number;
  raftTerm: number;
}

export function makeResponseHeader(clusterId = 0n, memberId = 0n, revision = 0, raftTerm = 0): ResponseHeader {
  return { clusterId, memberId, revision, raftTerm };
}

export const ResponseHeader = defineByHand<ResponseHeader>(
  'etcdserverpb.ResponseHeader',
  { clusterId: uid(1), memberId: uid(2), revision: int(3), raftTerm: uint(4) },
  { make: makeResponseHeader, read: readResponseHeader, write: writeResponseHeader },
);

export function readResponseHeader(r: Reader): ResponseHeader {
  const m = makeResponseHeader();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.clusterId = r.uid();
        break;
      case 16:
        m.memberId = r.uid();
        break;
      case 24:
        m.revision = r.int();
        break;
      case 32:
        m.raftTerm = r.uint();
        break;
      default:
        r.skip(tag, ResponseHeader.known);
    }
  }
  return m;
}

export function writeResponseHeader(w: Writer, m: ResponseHeader): void {
  w.intField(32, m.raftTerm);
  w.intField(24, m.revision);
  if (m.memberId !== last.memberId || m.clusterId !== last.clusterId) {
    const mark = w.size;
    w.idField(16, m.memberId);
    w.idField(8, m.clusterId);
    last = { memberId: m.memberId, clusterId: m.clusterId, bytes: w.since(mark) };
  } else w.raw(last.bytes);
}

/** The ids of the header that was written last: a member writes the same in all its responses, and bigints are slow. */
let last = { memberId: 0n, clusterId: 0n, bytes: EMPTY };

/** Field 1 of every response. */
export function writeHeaderField(w: Writer, header: ResponseHeader | null): void {
  if (header === null) return;
  const mark = w.size;
  writeResponseHeader(w, header);
  w.close(10, mark);
}

export function readHeaderField(r: Reader): ResponseHeader {
  const outer = r.enter();
  const header = readResponseHeader(r);
  r.leave(outer);
  return header;
}
