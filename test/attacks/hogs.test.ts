import { hogSuite } from './hogs-suite.js';

hogSuite(false);
