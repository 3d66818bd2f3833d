import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeForward, decodeMessages, encodeForward, encodeMessages } from '../../src/peer/envelope.js';
import type { MessageKind } from '../../src/raft/index.js';
import { Message } from '../../src/raft/index.js';
import { Entry, entryWire } from '../../src/wire/index.js';
import { check } from '../support/fc.js';

const index = fc.nat(2 ** 31);
const entry = fc
  .tuple(fc.constantFrom(0, 1), index, index, fc.uint8Array({ maxLength: 300 }))
  .map(([type, term, at, data]) => new Entry(type, term, at, Buffer.from(data)));

const message = fc
  .record({
    kind: fc.constantFrom(3, 4, 5, 6, 8, 9, 14, 15, 16, 17, 18),
    term: index,
    logTerm: index,
    index,
    commit: index,
    reject: fc.boolean(),
    rejectHint: index,
    context: fc.nat(Number.MAX_SAFE_INTEGER),
    entries: fc.array(entry, { maxLength: 5 }),
  })
  .map(({ kind, term, ...rest }) => Object.assign(new Message(kind as MessageKind, 2n, 1n, term), rest));

const plain = (m: Message) => ({
  ...m,
  entries: m.entries.map((e) => [e.type, e.term, e.index, e.data.toString('hex')]),
});

describe('raft messages in one frame', () => {
  test('come out as they went in, from the sender to the receiver', () => {
    check(
      fc.property(fc.array(message, { maxLength: 6 }), (sent) => {
        const { chunks, bytes } = encodeMessages(sent);
        const payload = Buffer.concat(chunks);
        expect(payload.length).toBe(bytes);
        expect(decodeMessages(payload, 1n, 2n).map(plain)).toEqual(sent.map(plain));
      }),
    );
  });

  test('an entry keeps the bytes that came', () => {
    const { chunks } = encodeMessages([
      Object.assign(new Message(3, 2n, 1n, 1), { entries: [new Entry(0, 1, 7, Buffer.from('x'))] }),
    ]);
    const [got] = decodeMessages(Buffer.concat(chunks), 1n, 2n);
    expect(got?.entries[0]?.wire?.toString('hex')).toBe(
      entryWire(new Entry(0, 1, 7, Buffer.from('x'))).toString('hex'),
    );
  });

  test('bytes that are cut anywhere are refused, never read past their end', () => {
    const one = Object.assign(new Message(3, 2n, 1n, 1), { entries: [new Entry(0, 1, 7, Buffer.from('abc'))] });
    const payload = Buffer.concat(encodeMessages([one]).chunks);
    for (let n = 0; n < payload.length; n++) expect(() => decodeMessages(payload.subarray(0, n), 1n, 2n)).toThrow();
  });
});

describe('forwarded proposals', () => {
  test('round trip, and cut bytes are refused', () => {
    const sent = [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(300, 7)];
    const { chunks, bytes } = encodeForward(sent);
    const payload = Buffer.concat(chunks);
    expect(payload.length).toBe(bytes);
    expect(decodeForward(payload)).toEqual(sent);
    for (let n = 0; n < payload.length; n++) expect(() => decodeForward(payload.subarray(0, n))).toThrow();
  });
});
