import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME_BYTES_MAX, FrameReader, FrameType, frameHeader } from '../../src/peer/frame.js';
import { check } from '../support/fc.js';

function frame(type: number, payload: Buffer): Buffer {
  return Buffer.concat([frameHeader(type, payload.length), payload]);
}

/** Cuts bytes at the given places. */
function pieces(bytes: Buffer, cuts: number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const out: Buffer[] = [];
  let from = 0;
  for (const cut of [...at, bytes.length]) {
    if (cut > from) out.push(bytes.subarray(from, cut));
    from = cut;
  }
  return out;
}

describe('frames', () => {
  test('come out as they went in, however the stream is cut', () => {
    const frames = fc.array(fc.tuple(fc.integer({ min: 1, max: 13 }), fc.uint8Array({ maxLength: 200 })), {
      maxLength: 20,
    });
    check(
      fc.property(frames, fc.array(fc.nat(5000)), (sent, cuts) => {
        const stream = Buffer.concat(sent.map(([type, payload]) => frame(type, Buffer.from(payload))));
        const reader = new FrameReader();
        const got: [number, string][] = [];
        for (const piece of pieces(stream, cuts)) {
          expect(reader.push(piece, (type, payload) => got.push([type, payload.toString('hex')]))).toBeNull();
        }
        expect(got).toEqual(sent.map(([type, payload]) => [type, Buffer.from(payload).toString('hex')]));
      }),
    );
  });

  test.each([0, FRAME_BYTES_MAX + 1, 0xffff_ffff])(
    'a length of %i is refused before anything is allocated for it',
    (length) => {
      const head = Buffer.alloc(5);
      head.writeUInt32LE(length, 0);
      head[4] = FrameType.Messages;
      expect(new FrameReader().push(head, () => expect.unreachable())).toMatch(/frame of \d+ bytes/);
    },
  );
});
