import { describe, expect, test } from 'vitest';
import type { Completion } from '../../src/server/index.js';
import { SimCluster } from '../../src/sim/cluster.js';
import type { SimNode } from '../../src/sim/node.js';
import type { LogLine } from '../../src/util/log.js';
import { memoryLogger } from '../../src/util/log.js';
import { decodeKeyValue, encodePutRequest, makePutRequest, makeRangeRequest } from '../../src/wire/index.js';

const SEEDS = process.env.KEEL_SIM_SEED === undefined ? [1, 2, 3, 4, 5] : [Number(process.env.KEEL_SIM_SEED)];

/** Puts values through any member that is up while members crash; remembers what was acknowledged. */
class Writer {
  readonly acked = new Map<string, number>();
  unknown = 0;
  readonly #cluster: SimCluster;
  #next = 0;
  lastRevision = 0;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  put(node: SimNode): void {
    const req = { ...makePutRequest(), key: `k${this.#next}`, value: Buffer.from(String(this.#next)) };
    this.#next++;
    const done: Completion<{ revision: number }> = {
      ok: ({ revision }) => {
        this.acked.set(req.key, revision);
        this.lastRevision = Math.max(this.lastRevision, revision);
      },
      fail: () => {
        this.unknown++;
      },
    };
    node.enter((member) => member.put(req, encodePutRequest(req), { deadline: 0 }, done as never));
  }

  run(ms: number, everyMs: number): void {
    const end = this.#cluster.engine.now + ms * 1000;
    while (this.#cluster.engine.now < end) {
      this.put(this.#cluster.rng.pick(this.#cluster.nodes));
      this.#cluster.run(everyMs);
    }
  }
}

function readAll(cluster: SimCluster, node: SimNode): Map<string, number> {
  const found = new Map<string, number>();
  let answered = false;
  const req = { ...makeRangeRequest(), key: '\0', rangeEnd: '\0' };
  node.enter((member) =>
    member.range(
      req,
      { deadline: 0 },
      {
        ok: ({ kvs }) => {
          for (const kv of kvs) {
            const { key, modRevision } = decodeKeyValue(kv);
            found.set(key, modRevision);
          }
          answered = true;
        },
        fail: (err) => {
          throw err;
        },
      },
    ),
  );
  cluster.run(8000, () => answered);
  expect(answered, `a read through ${node.name} is answered`).toBe(true);
  return found;
}

function hashes(cluster: SimCluster): Set<number> {
  const seen = new Set<number>();
  let answers = 0;
  for (const node of cluster.nodes) {
    node.enter((member) =>
      member.hashKv(0, {
        ok: ({ hash }) => {
          seen.add(hash);
          answers++;
        },
        fail: (err) => {
          throw err;
        },
      }),
    );
  }
  cluster.run(5000, () => answers === cluster.nodes.length);
  expect(answers).toBe(cluster.nodes.length);
  return seen;
}

function scenario(seed: number): { hash: number; acked: number } {
  const lines: LogLine[] = [];
  const logger = memoryLogger(lines);
  const cluster = new SimCluster({ seed, logger, config: { snapshotCount: 50, snapshotCatchUpEntries: 10 } });
  cluster.startAll();
  for (const node of cluster.nodes) {
    node.onFailure = (err) => {
      const log = lines
        .filter((line) => line.fields.member === node.name && line.level !== 'debug')
        .map(
          (line) =>
            `${line.msg} ${JSON.stringify(line.fields, (_k, v) => (typeof v === 'bigint' ? v.toString(16) : v))}`,
        );
      throw new Error(`${node.name} stopped by itself: ${err.stack}\n${log.slice(-25).join('\n')}`);
    };
  }
  cluster.run(15_000, () => cluster.leader() !== null);
  expect(cluster.leader(), 'a leader is elected').not.toBeNull();
  const writer = new Writer(cluster);
  writer.run(1000, 20);
  expect(writer.acked.size).toBeGreaterThan(0);
  const rng = cluster.rng.split('faults');
  for (let round = 0; round < 6; round++) {
    const victims =
      round === 0 ? [cluster.leader() ?? cluster.nodes[0]] : rng.shuffle([...cluster.nodes]).slice(0, 1 + rng.below(3));
    for (const node of victims) node?.crash('mixed');
    writer.run(rng.between(100, 3000), 20);
    for (const node of cluster.nodes) node.start();
    writer.run(rng.between(500, 4000), 20);
  }
  cluster.run(20_000);
  const rows = readAll(cluster, cluster.nodes[0] as SimNode);
  for (const [key, revision] of writer.acked) {
    expect(rows.get(key), `seed ${seed}: ${key}, acknowledged at ${revision}, is there`).toBe(revision);
  }
  expect(hashes(cluster).size, `seed ${seed}: HashKV is equal on all members`).toBe(1);
  return { hash: cluster.engine.traceHash, acked: writer.acked.size };
}

describe('three simulated members through crashes that lose unsynced writes', () => {
  for (const seed of SEEDS) {
    test(`seed ${seed}: every acknowledged write is there, the members agree`, () => {
      const { acked } = scenario(seed);
      expect(acked).toBeGreaterThan(50);
    });
  }

  test('one seed is one history', () => {
    const seed = SEEDS[0] as number;
    expect(scenario(seed)).toEqual(scenario(seed));
  });
});
