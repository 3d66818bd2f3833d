import { describe } from 'vitest';
import { killTest } from './kill-suite.js';

// The short run of the suite; kill.long.test.ts has the long one.
describe('members are killed while clients write', () => {
  killTest({ seconds: 20, lossyDisk: false });
  killTest({ seconds: 20, lossyDisk: true });
});
