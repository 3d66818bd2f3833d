import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RingBuffer } from '../../src/util/ring-buffer.js';
import { check } from '../support/fc.js';

type Step = ['push' | 'unshift', number] | ['shift'] | ['pop'] | ['clear'];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('push' as const), fc.nat(99)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('unshift' as const), fc.nat(99)) },
  { weight: 4, arbitrary: fc.constant<Step>(['shift']) },
  { weight: 1, arbitrary: fc.constant<Step>(['pop']) },
  { weight: 1, arbitrary: fc.constant<Step>(['clear']) },
);

describe('RingBuffer', () => {
  test('behaves as an array does', () => {
    check(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 9 }), (steps, capacity) => {
        const ring = new RingBuffer<number>(capacity);
        const model: number[] = [];
        for (const [verb, value] of steps) {
          if (verb === 'push' || verb === 'unshift') {
            ring[verb](value);
            model[verb](value);
          } else if (verb === 'clear') {
            ring.clear();
            model.length = 0;
          } else {
            expect(ring[verb]()).toBe(model[verb]());
          }
          expect(ring.length).toBe(model.length);
          expect(ring.peek()).toBe(model[0]);
          expect(ring.last()).toBe(model.at(-1));
          expect([...ring]).toEqual(model);
          for (let i = 0; i < model.length; i++) expect(ring.at(i)).toBe(model[i]);
        }
      }),
    );
  });

  test('an index outside is a bug of the caller', () => {
    const ring = new RingBuffer<number>();
    expect(() => ring.at(0)).toThrow('ring buffer: index 0 of 0');
    ring.push(1);
    expect(() => ring.at(1)).toThrow('ring buffer: index 1 of 1');
    expect(() => ring.at(-1)).toThrow('ring buffer: index -1 of 1');
  });

  test('keeps nothing alive that was taken out', async () => {
    const ring = new RingBuffer<{ big: boolean }>(4);
    const ref = new WeakRef({ big: true });
    ring.push(ref.deref()!);
    ring.shift();
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    await new Promise((resolve) => setTimeout(resolve));
    gc();
    expect(ref.deref()).toBe(undefined);
  });
});
