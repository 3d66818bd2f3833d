import { describe } from 'vitest';
import { watchTest } from './watch-suite.js';

describe('watchers lose nothing', () => watchTest(8));
