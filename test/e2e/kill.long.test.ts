import { describe } from 'vitest';
import { killTest } from './kill-suite.js';

describe('members are killed and paused while clients write, for longer', () => {
  killTest({ seconds: 60, lossyDisk: false, pauses: true });
  killTest({ seconds: 60, lossyDisk: true, pauses: true });
});
