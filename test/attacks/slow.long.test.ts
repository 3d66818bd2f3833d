import { slowSuite } from './slow-suite.js';

slowSuite(true);
