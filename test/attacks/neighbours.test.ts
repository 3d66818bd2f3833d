import { neighbourSuite } from './neighbours-suite.js';

// Much less than the seconds that one turn of such a sort takes, and much more than what other tests leave of two cores.
neighbourSuite({ keys: 40_000, rangeMs: 1200, p99Ms: 400, loadMs: 4000 });
