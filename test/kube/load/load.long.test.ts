import { describe } from 'vitest';
import { loadSuite } from './load-suite.js';

const SIZE = { creates: 1000, watchers: 200 };

describe('over a member of our own', () => loadSuite('embedded', SIZE));
if (process.env.KEEL_TEST_ETCD_BIN) describe('over a real etcd', () => loadSuite('etcd', SIZE));
else describe.skip('over a real etcd: KEEL_TEST_ETCD_BIN is not set', () => loadSuite('etcd', SIZE));
