import { describe, expect, it, vi } from 'vitest';
import { encodeRevision } from '../../src/mvcc/revision.js';
import type { Bucket } from '../../src/storage/backend/index.js';
import { MemoryBackend } from '../../src/storage/backend/index.js';
import { TestStore } from './support/harness.js';
import { put } from './support/requests.js';

/** Compacts at `revision`. @returns the first revisions of the ranges that the backend was asked to reclaim */
function reclaimed(subject: TestStore, revision: number): string[] {
  const from: string[] = [];
  subject.backend.reclaim = (_: Bucket, gte: Buffer) => void from.push(gte.toString('hex'));
  subject.apply((store) => store.applyCompact(revision));
  subject.loop.run();
  return from;
}

const at = (revision: number): string => encodeRevision(revision, 0, false).toString('hex');

describe('what a compaction reclaims', () => {
  it('begins at the lowest revision that it removed, and is nothing where it removed nothing', () => {
    const subject = new TestStore();
    for (const key of ['a', 'a', 'b', 'b', 'a', 'c']) subject.apply((store) => store.applyPut(put(key)));
    // 2 and 3 are a's, 4 and 5 are b's, 6 is a's again.
    expect(reclaimed(subject, 3)).toEqual([at(2)]);
    expect(reclaimed(subject, 5)).toEqual([at(4)]);
    expect(reclaimed(subject, 6)).toEqual([at(3)]);
    expect(reclaimed(subject, 7)).toEqual([]);
  });

  it('begins at the first revision where a crash came between', () => {
    let resting = true;
    const compactionPause = (resume: () => void): void => {
      if (!resting) subject.loop.defer(resume);
    };
    const subject: TestStore = new TestStore({ compactionSliceRows: 1, compactionPause });
    for (let i = 0; i < 6; i++) subject.apply((store) => store.applyPut(put('a')));
    subject.apply((store) => store.applyCompact(6));
    subject.flush();
    const reclaim = vi.spyOn(MemoryBackend.prototype, 'reclaim');
    try {
      subject.loop.run();
      expect(reclaim.mock.calls).toEqual([]);
      resting = false;
      subject.crash();
      subject.loop.run();
      expect((reclaim.mock.calls as unknown[][]).map(([, gte]) => (gte as Buffer).toString('hex'))).toEqual([at(0)]);
    } finally {
      reclaim.mockRestore();
    }
  });
});
