import { describe } from 'vitest';
import { membersTest } from './members-suite.js';

// The short run of the suite; members.long.test.ts has the long one.
describe('the membership changes', () => {
  membersTest({ rounds: 1, timeoutMs: 90_000 });
});
