import { expect, test } from 'vitest';
import { missing } from '../../support/binaries.js';
import { runController } from './controller-run.js';

test.skipIf(missing('keel'))(
  'a controller of two replicas while the leader of the store is killed: 60 s',
  async () => {
    const line = await runController(60);
    console.log(line);
    expect(line).toMatch(/each with its child/);
  },
  180_000,
);
