import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as wire from '../../src/wire/index.js';
import { check } from '../support/fc.js';
import { root } from './oracle.js';

/** A file that etcd 3.5.30 wrote: a log with members added and removed, auth, leases and a snapshot mark in it. */
function fixture(name: string): Buffer {
  return Buffer.from(readFileSync(new URL(`../testdata/wire/${name}.base64`, import.meta.url), 'latin1'), 'base64');
}

/** The records of a WAL segment, frames taken off. */
function* records(segment: Buffer): Generator<Buffer> {
  for (let pos = 0; pos < segment.length; ) {
    const length = segment.readUIntLE(pos, 6);
    if (length === 0) return;
    yield segment.subarray(pos + 8, pos + 8 + length);
    pos += 8 + length + ((segment[pos + 7] as number) & 7);
  }
}

const log = [...records(fixture('etcd-3.5.30.wal'))].map((bytes) => ({ bytes, record: wire.decodeWalRecord(bytes) }));
const entries = log.filter((r) => r.record.type === wire.WalRecordType.ENTRY).map((r) => r.record.data);

function dataOf(type: number): Buffer[] {
  return log.filter((r) => r.record.type === type).map((r) => r.record.data);
}

describe("etcd's own log decodes and encodes to the same bytes", () => {
  test('records', () => {
    expect(log.length).toBeGreaterThan(60);
    for (const { bytes, record } of log) expect(wire.encodeWalRecord(record)).toEqual(bytes);
    expect(new Set(log.map((r) => r.record.type))).toEqual(new Set(Object.values(wire.WalRecordType)));
  });

  test.each([
    ['metadata', wire.WalRecordType.METADATA, wire.Metadata as wire.AnyCodec, 1],
    ['hard states', wire.WalRecordType.STATE, wire.HardState as wire.AnyCodec, 20],
    ['snapshot marks', wire.WalRecordType.SNAPSHOT, wire.WalSnapshot as wire.AnyCodec, 2],
  ])('%s', (_, type, codec, atLeast) => {
    const all = dataOf(type);
    expect(all.length).toBeGreaterThanOrEqual(atLeast);
    for (const bytes of all) expect(codec.encode(codec.decode(bytes))).toEqual(bytes);
  });

  test('the snapshot mark names the voters', () => {
    const mark = wire.WalSnapshot.decode(dataOf(wire.WalRecordType.SNAPSHOT)[1] as Buffer);
    expect(mark.confState?.voters).toHaveLength(1);
    expect(mark.confState?.autoLeave).toBe(false);
  });

  test('entries', () => {
    for (const bytes of entries) {
      const entry = wire.decodeEntry(bytes);
      expect(entry.wire).toBe(bytes);
      const again = new wire.Entry(entry.type, entry.term, entry.index, Buffer.from(entry.data));
      expect(wire.entryWire(again)).toEqual(bytes);
      expect(again.data).toEqual(entry.data);
      if (entry.data.length > 0) expect(again.data.buffer).toBe(again.wire?.buffer);
    }
    // A leader begins its term with an entry of no data, whose field is left out.
    expect(entries.some((bytes) => wire.decodeEntry(bytes).data.length === 0)).toBe(true);
  });

  test('configuration changes', () => {
    const changes = entries.map(wire.decodeEntry).filter((e) => e.type === wire.EntryType.CONF_CHANGE);
    const types = changes.map((e) => {
      const change = wire.ConfChange.decode(e.data);
      expect(wire.ConfChange.encode(change)).toEqual(e.data);
      if (change.context.length > 0) expect(JSON.parse(change.context.toString())).toHaveProperty('peerURLs');
      return change.type;
    });
    const { ADD_NODE, ADD_LEARNER_NODE, UPDATE_NODE, REMOVE_NODE } = wire.ConfChangeType;
    expect(types).toEqual([ADD_NODE, ADD_LEARNER_NODE, UPDATE_NODE, REMOVE_NODE]);
  });

  test('requests, around the bodies as they are', () => {
    const kinds = new Set<number>();
    for (const { type, data } of entries.map(wire.decodeEntry)) {
      if (type !== wire.EntryType.NORMAL || data.length === 0 || isV2(data)) continue;
      const request = wire.decodeInternalRequest(data);
      kinds.add(request.kind);
      const { id, username, authRevision, kind, body } = request;
      expect(wire.encodeInternalRequest(id, username, authRevision, kind, body)).toEqual(data);
      expect(request.id).not.toBe(0n);
    }
    const { PUT, TXN, DELETE_RANGE, LEASE_GRANT, AUTHENTICATE, AUTH_USER_ADD, ALARM } = wire.InternalKind;
    for (const kind of [PUT, TXN, DELETE_RANGE, LEASE_GRANT, AUTHENTICATE, AUTH_USER_ADD, ALARM]) {
      expect(kinds).toContain(kind);
    }
  });

  test('of 3.5, bare v2 requests publish the member and the version', () => {
    const all = entries.map(wire.decodeEntry).filter((e) => e.type === 0 && e.data.length > 0 && isV2(e.data));
    const decoded = all.map((e) => wire.V2Request.decode(e.data));
    expect(all.map((e) => e.data)).toEqual(decoded.map((v) => wire.V2Request.encode(v)));
    expect(decoded.map((v) => [v.method, v.path.replace(/[0-9a-f]{8,}/, '<id>')])).toEqual([
      ['PUT', '/0/members/<id>/attributes'],
      ['PUT', '/0/version'],
    ]);
  });

  test('a snapshot file', () => {
    const bytes = fixture('etcd-3.5.30.snap');
    const file = wire.SnapFile.decode(bytes);
    expect(wire.SnapFile.encode(file)).toEqual(bytes);
    const snapshot = wire.RaftSnapshot.decode(file.data);
    expect(wire.RaftSnapshot.encode(snapshot)).toEqual(file.data);
    expect(snapshot.metadata?.confState?.voters).toHaveLength(1);
  });

  function isV2(data: Buffer): boolean {
    try {
      wire.decodeInternalRequest(data);
      return false;
    } catch (err) {
      expect(err).toBeInstanceOf(wire.WireError);
      return true;
    }
  }
});

describe('InternalRaftRequest', () => {
  const type = root.lookupType('etcdserverpb.InternalRaftRequest');
  const kinds = Object.values(wire.InternalKind).filter((kind) => kind !== 0);

  test('the kinds are the fields of proto/', () => {
    const fields = Object.values(type.fields).map((f): [string, number] => [f.name.toUpperCase(), f.id]);
    const requests = fields.filter(([name]) => name !== 'ID' && name !== 'HEADER');
    expect(Object.fromEntries(requests.concat([['NONE', 0]]))).toEqual({ ...wire.InternalKind });
  });

  test('is what protobuf.js makes of it', () => {
    const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    check(
      fc.property(u64, fc.string(), fc.maxSafeNat(), fc.constantFrom(...kinds), (id, username, authRevision, kind) => {
        const body = kind === wire.InternalKind.PUT ? wire.PutRequest.encode({ key: 'k', lease: -1n }) : wire.EMPTY;
        const bytes = wire.encodeInternalRequest(id, username, authRevision, kind, body);
        const again = wire.decodeInternalRequest(bytes);
        expect(again).toEqual({ id, username, authRevision, kind, body });
        // Re-encoding sorts the fields as etcd does, so ours must have been in that order.
        expect(Buffer.from(type.encode(type.decode(bytes)).finish())).toEqual(bytes);
      }),
      { runs: 300 },
    );
  });

  test('an entry older than headers has its id in field 1', () => {
    const bytes = Buffer.from('0807' + '22030a016b', 'hex');
    expect(wire.decodeInternalRequest(bytes)).toMatchObject({ id: 7n, kind: wire.InternalKind.PUT });
  });
});
