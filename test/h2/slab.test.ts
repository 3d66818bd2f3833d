import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SocketListener } from '../../src/h2/index.js';
import { H2Server } from '../../src/h2/index.js';
import { Slab } from '../../src/h2/slab.js';
import { check } from '../support/fc.js';
import { FakeTime } from './support/dial.js';
import { call, FrameLog, message, PREFACE, settings, settingsAck } from './support/wire.js';

test('memory that a socket still holds is not written to again, whatever others write meanwhile', () => {
  const write = fc.record({
    sizes: fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 3_000, max: 20_000 })), { minLength: 1, maxLength: 8 }),
    free: fc.boolean(),
  });
  check(
    fc.property(fc.array(write, { maxLength: 40 }), (writes) => {
      const slab = new Slab();
      const held: { chunks: Buffer[]; wanted: Buffer }[] = [];
      writes.forEach(({ sizes, free }, i) => {
        const wanted: Buffer[] = [];
        slab.begin();
        for (const size of sizes) {
          const payload = Buffer.alloc(size, i + 1);
          wanted.push(payload);
          slab.put(payload, 0, size);
        }
        expect(slab.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
        const chunks = [...slab.chunks()];
        expect(Buffer.concat(chunks).equals(Buffer.concat(wanted))).toBe(true);
        if (!free) held.push({ chunks, wanted: Buffer.concat(wanted) });
        slab.done(free);
      });
      for (const { chunks, wanted } of held) expect(Buffer.concat(chunks).equals(wanted)).toBe(true);
    }),
  );
});

/** Keeps what it is given as it is given, and reads it when the test says so. */
class HoldingSocket {
  listener!: SocketListener;
  readonly full = false;
  readonly chunks: Buffer[] = [];

  write(chunks: readonly Buffer[]): boolean {
    this.chunks.push(...chunks);
    return false;
  }

  end(): void {}
  destroy(): void {}
  listen(listener: SocketListener): void {
    this.listener = listener;
  }
}

test('two slow connections of one server get their own bytes', () => {
  const time = new FakeTime();
  const server = new H2Server({
    handlers: { lookup: () => ({ kind: 'unary', onCall: (one) => one.reply(one.request) }) },
    clock: time.clock,
    timers: time.timers,
  });
  const sockets = [new HoldingSocket(), new HoldingSocket()];
  for (const socket of sockets) {
    server.accept(socket);
    socket.listener.onData(Buffer.concat([PREFACE, settings(), settingsAck]));
  }
  for (let i = 0; i < 200; i++) {
    for (const [which, socket] of sockets.entries()) {
      socket.listener.onData(call(2 * i + 1, `${which}:${i}`.repeat(20)));
    }
    if (i % 3 === 0) time.settle();
  }
  time.settle();
  sockets.forEach((socket, which) => {
    const log = new FrameLog();
    log.push(Buffer.concat(socket.chunks));
    const bodies = log.of(0).map(({ payload }) => payload.toString('latin1'));
    const wanted = Array.from({ length: 200 }, (_, i) => message(`${which}:${i}`.repeat(20)).toString('latin1'));
    expect(bodies).toEqual(wanted);
  });
});
