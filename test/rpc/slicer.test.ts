import { expect, test } from 'vitest';
import { toJson } from '../../src/gateway/json/encode.js';
import { JsonParts } from '../../src/gateway/json-parts.js';
import { isLarge, Slicer } from '../../src/rpc/slicer.js';
import { encodeKeyValue, encodeRangeResponse, RangeResponse } from '../../src/wire/index.js';
import { FakeUnary, fakeMember } from './support/fake.js';

const member = fakeMember();
const HEADER = { clusterId: 1n, memberId: 2n, revision: 9, raftTerm: 3 };

function rowsOf(sizes: readonly number[]): Buffer[] {
  return sizes.map((size, i) =>
    encodeKeyValue({
      key: `k${i}`,
      createRevision: 2,
      modRevision: 3,
      version: 1,
      value: Buffer.alloc(size, i),
      lease: 0n,
    }),
  );
}

class PartsCall extends FakeUnary {
  parts: readonly Buffer[] = [];

  override replyParts(parts: readonly Buffer[]): void {
    this.parts = parts;
    super.replyParts(parts);
  }
}

function sliced(kvs: readonly Buffer[], calls = 1): { calls: PartsCall[]; turns: number } {
  const turns: (() => void)[] = [];
  const slicer = new Slicer((fn) => turns.push(fn));
  const all = Array.from({ length: calls }, () => new PartsCall(Buffer.alloc(0)));
  for (const call of all) slicer.reply(member, { revision: 9, kvs, more: true, count: 123_456 }, call);
  expect(slicer.isFull).toBe(calls > 1);
  let count = 0;
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift(), count++) turn();
  expect(slicer.isFull).toBe(false);
  return { calls: all, turns: count };
}

test.each([
  ['many small rows', Array.from({ length: 10_001 }, () => 8), 6],
  ['a few large ones', Array.from({ length: 5 }, () => 700_000), 3],
  ['large and small', [3_000_000, 1, 2, 3_000_000, 5], 3],
])('a large answer is the same in slices as at once: %s', (_, sizes, turns) => {
  const kvs = rowsOf(sizes);
  expect(isLarge(kvs)).toBe(true);
  const done = sliced(kvs);
  expect(done.turns).toBe(turns);
  const whole = encodeRangeResponse(HEADER, kvs, true, 123_456);
  expect(done.calls[0]?.response?.equals(whole)).toBe(true);
});

test('several are made one after the other, and one whose client has gone is left out', () => {
  const kvs = rowsOf(Array.from({ length: 10_001 }, () => 8));
  const done = sliced(kvs, 3);
  expect(done.turns).toBe(18);
  expect(done.calls.map((call) => call.answers)).toEqual([1, 1, 1]);
  class Gone extends FakeUnary {
    override get isOver(): boolean {
      return true;
    }
  }
  const turns: (() => void)[] = [];
  new Slicer((fn) => turns.push(fn)).reply(
    member,
    { revision: 9, kvs, more: false, count: 1 },
    new Gone(Buffer.alloc(0)),
  );
  turns.shift()?.();
  expect(turns).toEqual([]);
});

test('as JSON it is the same as well, and waits for its client', () => {
  const kvs = rowsOf(Array.from({ length: 10_001 }, (_, i) => i % 5));
  const { parts } = sliced(kvs).calls[0] as PartsCall;
  const turns: (() => void)[] = [];
  const timers = {
    defer: (fn: () => void) => turns.push(fn),
    set: (_ms: number, fn: () => void) => fn,
    clear: () => {},
  };
  const written: string[] = [];
  let ended = 0;
  const exchange = {
    write: (text: string) => written.push(text) % 2 === 0,
    end: (text?: string) => written.push(text ?? ''),
  };
  const json = new JsonParts({ timers } as never, exchange as never, parts, () => ended++);
  json.next();
  for (let i = 0; i < 20 && ended === 0; i++) {
    const turn = turns.shift();
    if (turn === undefined) json.onDrain();
    else turn();
  }
  expect([ended, written.length]).toEqual([1, parts.length]);
  const whole = encodeRangeResponse(HEADER, kvs, true, 123_456);
  expect(written.join('')).toBe(toJson(RangeResponse, RangeResponse.decode(whole)));
  json.onDrain();
  expect(ended).toBe(1);
});
