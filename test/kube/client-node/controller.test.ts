import { expect, test } from 'vitest';
import { missing } from '../../support/binaries.js';
import { runController } from './controller-run.js';

test.skipIf(missing('keel'))(
  'a controller of two replicas while the leader of the store is killed: 10 s',
  async () => {
    const line = await runController(10);
    console.log(line);
    expect(line).toMatch(/each with its child/);
  },
  90_000,
);
