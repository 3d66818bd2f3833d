import { neighbourSuite } from './neighbours-suite.js';

// The honest client's p99 (KEEL_ATTACK_REPORT=1 prints it), on two cores with a load of ten: 26 to 36 ms beside ranges of
// 40,000 keys, 134 to 183 ms beside 300,000. What is meant is 50 ms on a quiet machine; the bound leaves room for others.
neighbourSuite({ keys: 300_000, rangeMs: 10_000, p99Ms: 400, loadMs: 20_000 });
