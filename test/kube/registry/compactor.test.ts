import { afterAll, beforeAll, expect, it } from 'vitest';
import { KeelClient } from '../../../src/client/index.js';
import { Compactor } from '../../../src/kube/registry/compactor.js';
import { realTimers } from '../../../src/kube/registry/index.js';
import { nullLogger } from '../../../src/util/log.js';
import type { TestStore } from '../support/store.js';
import { describeBackends, startStore } from '../support/store.js';

describeBackends('compaction of history', (kind) => {
  let backend: TestStore;
  let client: KeelClient;

  beforeAll(async () => {
    backend = await startStore(kind);
    client = new KeelClient({ endpoints: backend.endpoint });
  });
  afterAll(async () => {
    await client?.close();
    await backend?.stop();
  });

  it('is done by one of several servers in a period, to where the period before ended', async () => {
    const servers = Array.from({ length: 3 }, () => new Compactor(client, realTimers, 0, nullLogger));
    const period = async () => {
      const done: number[] = [];
      for (const server of servers) done.push(await server.round());
      return done;
    };
    // The first one makes the marker; the others learn of it.
    expect(await period()).toEqual([0, 0, 0]);
    for (let round = 0; round < 3; round++) {
      const { header } = await client.put('x', String(round));
      const done = (await period()).filter((revision) => revision !== 0);
      expect(done).toHaveLength(1);
      expect(done[0]).toBeLessThan(header.revision);
      await expect(client.get('x', { revision: done[0]! - 1 })).rejects.toMatchObject({ code: 'ERR_COMPACTED' });
      await client.get('x', { revision: header.revision });
    }
    expect((await client.get('compact_rev_key')).kvs[0]!.version).toBe(4);
  });
});
