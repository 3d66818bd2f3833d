import { expect, it } from 'vitest';
import { KeelClient } from '../../src/client/index.js';
import { kindUnderTest, missing } from '../support/binaries.js';
import { withCluster } from '../support/cluster.js';

/**
 * A database that is full, on three members (etcd semantics §8): the alarm of the one that met its quota holds for all,
 * until it is disarmed; only then does any of them take writes again.
 */
const kind = kindUnderTest();
const reason = missing(kind);
if (reason) console.warn(`SKIPPED a quota on three members: ${reason}`);

const QUOTA = 256 << 10;
const VALUE = 'x'.repeat(16 << 10);
const NO_SPACE = { grpcCode: 8, message: 'etcdserver: mvcc: database space exceeded' };

it.skipIf(reason)('what fills one member stops all, and disarming sets all going', { timeout: 60_000 }, async () => {
  await withCluster({ kind, size: 3, flags: [`--quota-backend-bytes=${QUOTA}`] }, async (cluster) => {
    const clients = cluster.endpoints.map((endpoint) => new KeelClient({ endpoints: [endpoint] }));
    const [first, second, third] = clients as [KeelClient, KeelClient, KeelClient];
    const alarmsOf = async (client: KeelClient) => (await client.maintenance.alarms()).alarms;
    try {
      const { id } = await first.lease.grant(1000);
      let refused: unknown = null;
      let written = 0;
      for (; refused === null && written < 100; written++) {
        await first.put(`k${written}`, VALUE).catch((err) => {
          refused = err;
        });
      }
      expect(refused).toMatchObject(NO_SPACE);
      // The alarm went through the log: whoever is asked, and whichever member it is.
      for (const client of clients) {
        const full = expect.objectContaining({ alarm: 'NOSPACE' });
        await expect.poll(() => alarmsOf(client), { timeout: 5000 }).toContainEqual(full);
        const { errors } = await client.maintenance.status();
        expect(errors.join()).toContain('NOSPACE');
      }
      for (const client of clients) {
        await expect(client.put('small', 'x')).rejects.toMatchObject(NO_SPACE);
        await expect(client.lease.grant(10)).rejects.toMatchObject(NO_SPACE);
        expect((await client.get('k0')).kvs[0]?.value.length).toBe(VALUE.length);
      }
      // Room is made by another member than the one that filled it.
      const { header } = await second.delete('k', { prefix: true });
      await third.compact(header.revision, { physical: true });
      await expect(second.put('small', 'x')).rejects.toMatchObject(NO_SPACE);
      for (const client of clients) await client.maintenance.defragment();
      await expect(third.put('small', 'x')).rejects.toMatchObject(NO_SPACE);
      await first.lease.revoke(id);

      for (const alarm of await alarmsOf(third)) {
        expect((await third.maintenance.disarm(alarm)).alarms).toEqual([alarm]);
      }
      for (const client of clients) {
        expect(await alarmsOf(client)).toEqual([]);
        await client.put('small', 'x');
      }
      const revision = await cluster.converged();
      const hashes = await Promise.all(cluster.names.map((name) => cluster.client(name).hashKv(revision)));
      expect(new Set(hashes.map((hash) => (hash.ok ? hash.value.hash : hash.error.message))).size).toBe(1);
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  });
});
