import { hogSuite } from './hogs-suite.js';

hogSuite(40_000);
