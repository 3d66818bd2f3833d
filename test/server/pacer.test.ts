import { describe, expect, it } from 'vitest';
import { Pacer } from '../../src/server/pacer.js';

/** A leader's log whose indexes the test moves, and a clock that it advances. */
function setUp() {
  const calls: string[] = [];
  const raft = {
    lastIndex: 10,
    commitIndex: 10,
    owesNotice: false,
    holdNotices: (hold: boolean) => calls.push(hold ? 'hold' : 'free'),
    sendNotices: () => calls.push('notices'),
  };
  let now = 1000;
  let timers: { at: number; fn: () => void }[] = [];
  const env = {
    clock: { now: () => now },
    timers: { set: (ms: number, fn: () => void) => timers.push({ at: now + ms, fn }) },
  };
  const pacer = new Pacer(
    env as never,
    raft as never,
    () => calls.push('wake'),
    () => calls.push('save'),
  );
  return {
    pacer,
    raft,
    calls,
    now: () => now,
    timers: () => timers.length,
    /** Time passes; rounds of one entry begin every `every` ms, if given. */
    pass(ms: number, every = 0): void {
      for (const end = now + ms; now < end; ) {
        now += every || 0.5;
        if (every > 0) {
          pacer.began(now);
          pacer.wrote(now);
        }
        const due = timers.filter((t) => t.at <= now);
        timers = timers.filter((t) => t.at > now);
        for (const t of due) t.fn();
      }
    },
  };
}

describe('a round of the log', () => {
  it('begins at once where none is under way', () => {
    const { pacer, now } = setUp();
    expect(pacer.gathers(now(), 1, 100)).toBe(false);
  });

  it('waits for the end of the one that is under way', () => {
    const { pacer, raft, now, pass } = setUp();
    pacer.began(now());
    raft.lastIndex++;
    expect(pacer.gathers(now(), 1, 100)).toBe(true);
    pass(1);
    expect(pacer.gathers(now(), 1, 100)).toBe(true);
    raft.commitIndex++;
    expect(pacer.gathers(now(), 1, 100)).toBe(false);
  });

  it('does not wait longer than 2 ms, and is woken for that once', () => {
    const { pacer, raft, calls, now, pass } = setUp();
    pacer.began(now());
    raft.lastIndex++;
    pacer.gathers(now(), 1, 100);
    pass(0.5);
    pacer.gathers(now(), 2, 200);
    calls.length = 0;
    pass(3);
    expect(calls).toEqual(['wake']);
    expect(pacer.gathers(now(), 2, 200)).toBe(false);
  });

  it('does not wait when it is large', () => {
    const { pacer, raft, now } = setUp();
    pacer.began(now());
    raft.lastIndex++;
    expect(pacer.gathers(now(), 64, 100)).toBe(false);
    expect(pacer.gathers(now(), 2, 64 << 10)).toBe(false);
  });
});

describe('the news of a commit', () => {
  it('goes at once where rounds are rare', () => {
    const { calls, pass } = setUp();
    pass(100, 5);
    expect(new Set(calls)).toEqual(new Set(['free']));
  });

  it('waits for the next round where they are close, and goes when it does not come', () => {
    const { pacer, raft, calls, now, pass } = setUp();
    pass(20, 1);
    expect(calls.at(-1)).toBe('hold');
    calls.length = 0;
    raft.owesNotice = true;
    pacer.turnOver(now());
    pass(4);
    expect(calls).toEqual([]);
    pass(2);
    expect(calls).toEqual(['notices', 'wake']);
  });

  it('is not sent for as long as rounds come, with a timer in 5 ms', () => {
    const { pacer, raft, calls, now, timers, pass } = setUp();
    pass(20, 1);
    raft.owesNotice = true;
    for (let i = 0; i < 100; i++) {
      pass(1, 1);
      pacer.turnOver(now());
      expect(timers()).toBeLessThanOrEqual(1);
    }
    expect(calls).not.toContain('notices');
    raft.owesNotice = false;
    pass(20);
    expect(timers()).toBe(0);
    expect(calls).not.toContain('notices');
  });

  it('goes at once again soon after a burst', () => {
    const { calls, pass } = setUp();
    pass(100, 1);
    pass(20, 10);
    expect(calls.at(-1)).toBe('free');
  });
});

describe('the commit index in our own log', () => {
  it('is written at once where rounds are rare', () => {
    const { pacer, calls, now, pass } = setUp();
    pass(100, 5);
    calls.length = 0;
    pacer.commitMoved(now());
    expect(calls).toEqual(['save']);
  });

  it('goes with the next round where they are close', () => {
    const { pacer, calls, now, pass } = setUp();
    for (let i = 0; i < 50; i++) {
      pass(1, 1);
      if (i > 20) pacer.commitMoved(now());
    }
    expect(calls).not.toContain('save');
  });

  it('is written by itself after 5 ms without one', () => {
    const { pacer, calls, now, pass } = setUp();
    pass(20, 1);
    calls.length = 0;
    pacer.commitMoved(now());
    pass(4.5);
    expect(calls).toEqual([]);
    pass(1);
    expect(calls).toEqual(['save']);
    pass(50);
    expect(calls).toEqual(['save']);
  });
});
