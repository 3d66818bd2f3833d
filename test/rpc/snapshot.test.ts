import { describe, expect, test } from 'vitest';
import type { StreamRoute } from '../../src/rpc/index.js';
import type { SnapshotFile } from '../../src/server/index.js';
import { refusal } from '../../src/server/index.js';
import { sha256 } from '../../src/util/sha.js';
import { Maintenance, SnapshotResponse } from '../../src/wire/index.js';
import { FakeStream, fakeMember, fakeRouter } from './support/fake.js';

const BLOB = 32 << 10;

/** A file whose pages come when the test says so. */
class FakeFile implements SnapshotFile {
  readonly version = '3.6.0';
  readonly index = 7;
  readonly size: number;
  asked = 0;
  closed = 0;
  #cb: ((err: Error | null, pages: Buffer[] | null) => void) | null = null;

  constructor(size: number) {
    this.size = size;
  }

  next(cb: (err: Error | null, pages: Buffer[] | null) => void): void {
    this.asked++;
    this.#cb = cb;
  }

  give(err: Error | null, pages: Buffer[] | null): void {
    const cb = this.#cb;
    this.#cb = null;
    cb!(err, pages);
  }

  close(): void {
    this.closed++;
  }
}

function open(file: FakeFile | 'refused'): FakeStream {
  const snapshot = (done: { ok(f: FakeFile): void; fail(e: unknown): void }) =>
    file === 'refused' ? done.fail(refusal('ERR_STOPPED')) : done.ok(file);
  const { router } = fakeRouter(fakeMember({ snapshot } as never));
  const call = new FakeStream();
  router.stream(router.at(Maintenance.Snapshot.path) as StreamRoute, call);
  call.push(Buffer.alloc(0));
  return call;
}

const sentBy = (call: FakeStream) => call.sent.map((message) => SnapshotResponse.decode(message));

describe('Maintenance.Snapshot', () => {
  test('blobs of 32 KiB with what remains, then the sha256 alone; no header, the version on each', () => {
    const bytes = Buffer.alloc(2 * BLOB + 4096);
    for (let i = 0; i < bytes.length; i++) bytes[i] = i % 251;
    const file = new FakeFile(bytes.length);
    const call = open(file);
    // Pages come as they are made: one of them larger than a blob.
    file.give(null, [bytes.subarray(0, 4096), bytes.subarray(4096, 4096 + 40_960)]);
    expect(sentBy(call).map((r) => r.blob.length)).toEqual([BLOB]);
    file.give(null, [bytes.subarray(45_056)]);
    const sent = sentBy(call);
    expect(sent.map((r) => [r.blob.length, r.remainingBytes])).toEqual([
      [BLOB, BLOB + 4096],
      [BLOB, 4096],
      [4096, 0],
      [32, 0],
    ]);
    expect(Buffer.concat(sent.slice(0, 3).map((r) => r.blob)).equals(bytes)).toBe(true);
    expect(sent[3]!.blob.equals(sha256(bytes))).toBe(true);
    expect(sent.every((r) => r.header === null && r.version === '3.6.0')).toBe(true);
    expect(call.status).toEqual({ code: 0, message: '' });
    expect(file.closed).toBe(1);
  });

  test('nothing is made while the transport is full', () => {
    const file = new FakeFile(4 * BLOB);
    const call = open(file);
    call.full = true;
    file.give(null, [Buffer.alloc(2 * BLOB)]);
    expect(call.sent).toHaveLength(1);
    expect(file.asked).toBe(1);
    call.drain();
    expect(call.sent).toHaveLength(2);
    expect(file.asked).toBe(2);
  });

  test('a client that goes away closes the file, also when it was not there yet', () => {
    const file = new FakeFile(4 * BLOB);
    const call = open(file);
    call.disconnect();
    expect(file.closed).toBe(1);
    file.give(new Error('snapshot: closed'), null);
    expect(call.sent).toEqual([]);

    const late = new FakeFile(BLOB);
    let give: () => void = () => {};
    const member = fakeMember({ snapshot: (done: { ok(f: FakeFile): void }) => (give = () => done.ok(late)) } as never);
    const { router } = fakeRouter(member);
    const gone = new FakeStream();
    router.stream(router.at(Maintenance.Snapshot.path) as StreamRoute, gone);
    gone.push(Buffer.alloc(0));
    gone.disconnect();
    give();
    expect([late.closed, late.asked]).toEqual([1, 0]);
  });

  test('a store that fails ends the stream with an error, and so does one that gives too little', () => {
    const file = new FakeFile(4 * BLOB);
    const call = open(file);
    file.give(new Error('backend: read: EIO'), null);
    expect(call.status).toEqual({ code: 13, message: 'backend: read: EIO' });

    const short = new FakeFile(4 * BLOB);
    const cut = open(short);
    short.give(null, null);
    expect(cut.status?.code).toBe(13);
    expect(open('refused').status).toEqual({ code: 14, message: 'etcdserver: server stopped' });
  });

  test('a learner gives it too', () => {
    const file = new FakeFile(BLOB);
    const member = fakeMember({
      isLearner: true,
      snapshot: (done: { ok(f: FakeFile): void }) => done.ok(file),
    } as never);
    const { router } = fakeRouter(member);
    const call = new FakeStream();
    router.stream(router.at(Maintenance.Snapshot.path) as StreamRoute, call);
    call.push(Buffer.alloc(0));
    expect(file.asked).toBe(1);
    expect(call.status).toBeNull();
  });
});
