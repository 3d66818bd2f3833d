import { expect, it } from 'vitest';
import { LogCompactor } from '../../src/server/log-compactor.js';
import { nullLogger } from '../../src/util/log.js';

/** A log and a store whose flush ends when the test says so. */
function setUp() {
  const calls: string[] = [];
  let flushed: ((err: Error | null) => void) | null = null;
  const backend = {
    appliedIndex: 0,
    flushedIndex: 10,
    flushedTerm: 1,
    flushedConfState: undefined,
    flush: (cb: (err: Error | null) => void) => {
      calls.push('flush');
      flushed = cb;
    },
  };
  const compactor = new LogCompactor({
    raft: { logBytes: 0, appliedIndex: 0, firstIndex: 1, compact: () => {} } as never,
    backend: backend as never,
    wal: { saveSnapshot: () => calls.push('saveSnapshot'), release: () => calls.push('release') } as never,
    options: { snapshotCount: 10, catchUpEntries: 0, logBytesMax: 1 << 20 },
    log: nullLogger,
    fatal: (err) => {
      throw err;
    },
  });
  backend.appliedIndex = 10;
  compactor.check();
  return { calls, compactor, flushDone: () => flushed?.(null) };
}

it('records in the log what was flushed', () => {
  const { calls, flushDone } = setUp();
  flushDone();
  expect(calls).toEqual(['flush', 'saveSnapshot']);
});

it('leaves the log alone when a flush ends behind its close', () => {
  const { calls, compactor, flushDone } = setUp();
  compactor.stop();
  flushDone();
  expect(calls).toEqual(['flush']);
});
