import { expect, test } from 'vitest';
import { refusal } from '../../src/server/errors.js';
import type { Completion } from '../../src/server/index.js';
import { Publisher } from '../../src/server/publisher.js';

/** A publisher under a clock of whole milliseconds. */
function setup() {
  let now = 0;
  const timers: { at: number; fn: () => void }[] = [];
  const attempts: { at: number; done: Completion<unknown> }[] = [];
  let published = 0;
  const publisher = new Publisher(
    {
      set: (ms: number, fn: () => void) => timers.push({ at: now + ms, fn }),
      clear: () => {},
      defer: () => {},
    },
    (_kind, _body, done) => attempts.push({ at: now, done }),
    { memberId: 1n, name: 'a', clientUrls: [] },
    () => published++,
  );
  const run = (until: number) => {
    for (; now < until; now++) for (const t of timers.filter((timer) => timer.at === now)) t.fn();
  };
  return { publisher, attempts, run, published: () => published };
}

test('an attempt that was lost with its leader does not delay the next', () => {
  const { publisher, attempts, run, published } = setup();
  publisher.start();
  run(2500);
  expect(attempts.map((attempt) => attempt.at)).toEqual([0, 1000, 2000]);
  attempts[1]?.done.ok(undefined);
  attempts[0]?.done.fail(refusal('ERR_TIMEOUT'));
  attempts[2]?.done.ok(undefined);
  run(6000);
  expect(published()).toBe(1);
  expect(attempts).toHaveLength(3);
});

test('a stop ends it', () => {
  const { publisher, attempts, run, published } = setup();
  publisher.start();
  publisher.stop();
  attempts[0]?.done.ok(undefined);
  run(5000);
  expect(published()).toBe(0);
  expect(attempts).toHaveLength(1);
});
