import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Header } from '../h2/support/wire.js';
import { data, headers, message, windowUpdate } from '../h2/support/wire.js';
import { Cluster } from '../support/cluster.js';
import { encode } from '../support/etcd-proto.js';
import { RawClient } from '../support/raw-client.js';
import { fill } from './support/fill.js';
import { Honest } from './support/honest.js';
import { pause, RawH2 } from './support/raw-h2.js';
import { Victim } from './support/victim.js';

const call = (path: string): Header[] => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', `/etcdserverpb.${path}`],
  [':authority', 'a'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

export interface Sizes {
  readonly keys: number;
  /** How long big ranges are asked for, one behind the other. */
  readonly rangeMs: number;
  /** Of the honest client meanwhile, ms. */
  readonly p99Ms: number;
  readonly loadMs: number;
}

const told = process.env.KEEL_ATTACK_REPORT === '1';

/** Clients that mean no harm and want much, beside others that want little. */
export function neighbourSuite({ keys, rangeMs, p99Ms, loadMs }: Sizes): void {
  describe('huge ranges', () => {
    let victim: Victim;

    beforeAll(async () => {
      victim = await Victim.start();
      await fill(victim.endpoint, keys, 60);
    }, 120_000);
    afterAll(() => victim.stop());

    test.each<[string, Record<string, unknown>]>([
      ['by key', {}],
      ['by revision, downwards', { sort_target: 3, sort_order: 2 }],
      ['by value', { sort_target: 4, sort_order: 1 }],
      ['keys alone', { keys_only: true }],
    ])(`of ${keys} keys let others through: %s`, async (_, more) => {
      const honest = await Honest.start(victim.endpoint);
      await pause(500);
      const alone = honest.latencies();
      const reader = await RawH2.open(victim.clientPort, [4, 0x7fffffff]);
      reader.onlyCount();
      reader.write(windowUpdate(0, 0x7fff0000 - 65_535));
      const request = encode('RangeRequest', { key: Buffer.from('k'), range_end: Buffer.from('l'), ...more });
      const enough = keys * 12;
      const until = Date.now() + rangeMs;
      let ranges = 0;
      for (let id = 1; Date.now() < until; id += 2, ranges++) {
        const before = reader.bytes;
        reader.write(headers(id, call('KV/Range')), data(id, message(request), true));
        await reader.until(() => reader.bytes - before > enough, 60_000);
      }
      reader.destroy();
      const beside = honest.latencies();
      await honest.stop();
      if (told)
        console.log(
          `${ranges} ranges of ${keys} keys: alone ${JSON.stringify(alone)}, beside ${JSON.stringify(beside)}`,
        );
      expect(ranges).toBeGreaterThan(0);
      expect(beside.p99Ms).toBeLessThan(p99Ms);
    });
  });

  describe('three members', () => {
    let cluster: Cluster;

    beforeAll(async () => {
      cluster = await Cluster.start({ kind: 'keel', electionMs: 1000, heartbeatMs: 100 });
    }, 60_000);
    afterAll(() => cluster.dispose());

    test('full of puts: a short lease stays alive by way of each of them, and the leader stays', async () => {
      const clients = cluster.members.map(({ endpoint }) => new RawClient(endpoint));
      const status = async (client: RawClient): Promise<string> => {
        const result = await client.status(5000);
        if (!result.ok) throw new Error(result.error.message);
        return `${result.value.leader} in term ${result.value.raftTerm}`;
      };
      const before = await status(clients[0] as RawClient);
      const value = 'x'.repeat(1000);
      let puts = 0;
      const refused = new Map<string, number>();
      let stop = false;
      const loads = clients.flatMap((client) =>
        Array.from({ length: 150 }, async (_, n) => {
          while (!stop) {
            const result = await client.run({ kind: 'put', key: `bulk${n}`, value, lease: '0' } as never, 20_000);
            if (result.ok) puts++;
            else refused.set(result.error.message, (refused.get(result.error.message) ?? 0) + 1);
          }
        }),
      );
      const leases = clients.map((_, n) => `${1000 + n}`);
      for (const [n, client] of clients.entries()) {
        const granted = await client.run({ kind: 'grant', lease: leases[n] as string, ttl: 5e6 } as never, 10_000);
        expect(granted).toMatchObject({ ok: true });
      }
      const end = Date.now() + loadMs;
      let slowest = 0;
      while (Date.now() < end) {
        const start = performance.now();
        const kept = await Promise.all(clients.map((client, n) => client.keepAlive(leases[n] as string, 10_000)));
        slowest = Math.max(slowest, performance.now() - start);
        for (const one of kept) expect(one).toMatchObject({ ok: true, value: { ttl: 5 } });
        await pause(300);
      }
      expect(await status(clients[0] as RawClient)).toBe(before);
      stop = true;
      await Promise.all(loads);
      if (told)
        console.log(`${puts} puts, slowest renewal ${Math.round(slowest)} ms, refused ${JSON.stringify([...refused])}`);
      expect(puts).toBeGreaterThan(100);
      expect([...refused.keys()].filter((text) => text !== 'etcdserver: too many requests')).toEqual([]);
      for (const client of clients) client.close();
    });

    test('a leader that is told to stop under load hands over, answers what it took, and hangs up', async () => {
      const clients = cluster.members.map(({ endpoint }) => new RawClient(endpoint));
      const leaderOf = async (): Promise<number> => {
        for (const [n, client] of clients.entries()) {
          const result = await client.status(5000);
          if (result.ok && result.value.leader === result.value.memberId) return n;
        }
        return -1;
      };
      const leader = await leaderOf();
      expect(leader).toBeGreaterThanOrEqual(0);
      const watcher = await RawH2.open(cluster.members[leader]?.clientPort as number);
      const outcomes = { ok: 0, gone: 0, lost: [] as string[] };
      let stop = false;
      const loads = Array.from({ length: 30 }, async (_, n) => {
        const client = clients[leader] as RawClient;
        while (!stop) {
          const result = await client.run({ kind: 'put', key: `k${n}`, value: 'v', lease: '0' } as never, 10_000);
          if (result.ok) {
            outcomes.ok++;
            continue;
          }
          // Nothing listens any more: it was not taken by anybody.
          if (result.error.code === 14) outcomes.gone++;
          else outcomes.lost.push(`${result.error.code} ${result.error.message}`);
          await pause(50);
        }
      });
      await pause(500);
      const began = Date.now();
      const how = await cluster.members[leader]?.process.stop(20_000);
      const took = Date.now() - began;
      await watcher.over;
      const next = await leaderOf();
      const handedOver = Date.now() - began;
      stop = true;
      await Promise.all(loads);
      if (told)
        console.log(
          `stop under load: ${how} after ${took} ms, a leader after ${handedOver} ms, ${JSON.stringify(outcomes)}`,
        );
      expect(how).toMatch(/code 0|SIGTERM/);
      expect(watcher.goaway?.[0]).toBe(0);
      expect(next).toBeGreaterThanOrEqual(0);
      expect(outcomes.ok).toBeGreaterThan(30);
      expect(outcomes.lost).toEqual([]);
      expect(took).toBeLessThan(10_000);
      cluster.members[leader]?.process.start();
      for (const client of clients) client.close();
    });
  });
}
