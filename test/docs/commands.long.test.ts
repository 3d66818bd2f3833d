/** The commands of the pages that take long, or a real etcd beside: see commands.test.ts. */
import { expect, test } from 'vitest';
import { etcdBinary, sayIfMissing } from '../support/binaries.js';
import { LONG_PAGES, stepsOf } from '../support/docs.js';
import { run } from '../support/docs-shell.js';

const lacking = sayIfMissing('the commands of the long pages', 'keel');

test.skipIf(lacking).each([...LONG_PAGES])(
  '%s with %s',
  async (page, needs) => {
    const steps = stepsOf(page);
    expect(steps.length).toBeGreaterThan(3);
    if (needs === 'etcd' && etcdBinary() === undefined) {
      return console.warn(`SKIPPED the commands of ${page}: no etcd (KEEL_TEST_ETCD_BIN, or PATH)`);
    }
    await run(steps);
  },
  300_000,
);
