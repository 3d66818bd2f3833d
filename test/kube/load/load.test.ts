import { describe } from 'vitest';
import { loadSuite } from './load-suite.js';

/** A part of what load.long.test.ts does. */
const SIZE = { creates: 250, watchers: 40 };

describe('over a member of our own', () => loadSuite('embedded', SIZE));
if (process.env.KEEL_TEST_ETCD_BIN) describe('over a real etcd', () => loadSuite('etcd', SIZE));
else describe.skip('over a real etcd: KEEL_TEST_ETCD_BIN is not set', () => loadSuite('etcd', SIZE));
