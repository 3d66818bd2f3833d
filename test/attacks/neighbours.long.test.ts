import { neighbourSuite } from './neighbours-suite.js';

neighbourSuite({ keys: 300_000, rangeMs: 10_000, p99Ms: 50, loadMs: 20_000 });
