import { describe } from 'vitest';
import { membersTest } from './members-suite.js';

describe('the membership changes', () => {
  membersTest({ rounds: 4, snapshotCount: 200, timeoutMs: 240_000 });
});
