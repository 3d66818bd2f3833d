import { hogSuite } from './hogs-suite.js';

hogSuite(true);
