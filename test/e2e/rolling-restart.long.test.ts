/**
 * All three members are restarted, one after the other and twice over, while clients read, write, watch and hold a
 * lease. A stop lets the calls under way come to their end, hands leadership on and tells the clients to go elsewhere
 * (etcd operations §1.6): nothing that the client may try again comes out as an error, and nothing is lost.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeelClient, KeelError } from '../../src/client/index.js';
import { kindUnderTest, sayIfMissing } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';

const kind = kindUnderTest();
const WORKERS = 8;
const PAUSE_MS = 500;

let cluster: Cluster;
let client: KeelClient;

beforeAll(async () => {
  if (sayIfMissing('the rolling restart', kind)) return;
  cluster = await Cluster.start({ kind, electionMs: 1000 });
  client = new KeelClient({ endpoints: cluster.endpoints });
}, 60_000);

afterAll(async () => {
  await client?.close();
  await cluster?.dispose();
});

test.skipIf(sayIfMissing('the rolling restart', kind))(
  `${kind}: a rolling restart under load`,
  async () => {
    let stopped = false;
    const failures: string[] = [];
    let reads = 0;
    let writes = 0;
    const note = (what: string, err: unknown) =>
      void failures.push(`${what}: ${err instanceof KeelError ? `${err.code} ${err.message}` : String(err)}`);

    // Each worker has a key of its own, which it counts up: what it reads is what it wrote last, or what it could not
    // know the end of, since that was sent and not answered. Such a write is the only thing that may fail.
    const acked = Array.from({ length: WORKERS }, (): number[] => []);
    const revisions = new Map<string, number>();
    const unsure = Array.from({ length: WORKERS }, () => new Set<number>());
    const work = async (worker: number): Promise<void> => {
      const key = `count/${worker}`;
      for (let n = 1; !stopped; n++) {
        try {
          const { header } = await client.kv.put(key, String(n));
          revisions.set(`${key} ${n}`, header.revision);
          writes++;
          acked[worker]?.push(n);
        } catch (err) {
          if (err instanceof KeelError && err.mayHaveHappened) unsure[worker]?.add(n);
          else note(`put ${key} ${n}`, err);
        }
        try {
          const { kvs } = await client.kv.get(key);
          reads++;
          const value = Number(kvs[0]?.value.toString() ?? 0);
          if (value !== (acked[worker]?.at(-1) ?? 0) && !unsure[worker]?.has(value))
            failures.push(`get ${key}: ${value}, not ${n}`);
        } catch (err) {
          note(`get ${key} ${n}`, err);
        }
        await new Promise((done) => setTimeout(done, 2));
      }
    };

    const seen = Array.from({ length: WORKERS }, (): number[] => []);
    const watch = client.watch('count/', { prefix: true });
    const watching = (async () => {
      for await (const { events } of watch) {
        for (const { kv } of events)
          seen[Number(kv.key.toString().slice('count/'.length))]?.push(Number(kv.value.toString()));
      }
    })().catch((err: unknown) => note('watch', err));
    const { id } = await client.lease.grant(5);
    const alive = client.lease.keepAlive(id);

    const workers = Array.from({ length: WORKERS }, (_, worker) => work(worker));
    for (let round = 0; round < 2; round++) {
      for (const name of cluster.names) {
        const before = reads + writes;
        await new Promise((done) => setTimeout(done, PAUSE_MS));
        // It went on beside the member before.
        expect(reads + writes).toBeGreaterThan(before);
        expect(await cluster.stop(name)).toBe('was ended by SIGTERM');
        await cluster.restart(name);
      }
    }
    stopped = true;
    await Promise.all(workers);
    expect((await client.lease.timeToLive(id)).ttl).toBeGreaterThan(0);
    const missed = () =>
      acked.flatMap((list, worker) =>
        list.filter((n) => !seen[worker]?.includes(n)).map((n) => `count/${worker} ${n}`),
      );
    const until = Date.now() + 10_000;
    while (missed().length > 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 50));
    // What the watch did not bring: is it the watch's loss, or the store's?
    for (const name of missed()) {
      const [key = '', n = ''] = name.split(' ');
      const revision = revisions.get(name) ?? 0;
      const kv = (await client.kv.get(key, { revision })).kvs[0];
      const there = kv?.value.toString() === n && kv.modRevision === revision;
      failures.push(`watch: no ${name} of revision ${revision}, which is ${there ? '' : 'not '}in the store`);
    }
    expect(failures).toEqual([]);
    for (const [worker, list] of seen.entries()) {
      expect(new Set(list).size, `count/${worker} without repetition`).toBe(list.length);
      const known = new Set([...(acked[worker] ?? []), ...(unsure[worker] ?? [])]);
      expect(list.filter((n) => !known.has(n))).toEqual([]);
    }
    watch.cancel();
    await watching;
    alive.stop();
    console.info(
      `${writes} writes and ${reads} reads beside ${2 * cluster.names.length} restarts, ${unsure.flatMap((set) => [...set]).length} writes without an answer`,
    );
    expect(failures).toEqual([]);
  },
  180_000,
);
