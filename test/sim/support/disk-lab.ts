import { expect } from 'vitest';
import type { Completion, Member, MemberConfig, MemberTuning } from '../../../src/server/index.js';
import { SimCluster } from '../../../src/sim/cluster.js';
import type { SimNode } from '../../../src/sim/node.js';
import type { LogLine } from '../../../src/util/log.js';
import { memoryLogger } from '../../../src/util/log.js';
import { decodeKeyValue, encodePutRequest, makePutRequest, makeRangeRequest } from '../../../src/wire/index.js';

const NO_DEADLINE = { deadline: 0 };

export interface LabOptions {
  readonly seed: number;
  readonly size?: number;
  readonly config?: Partial<MemberConfig>;
  readonly tuning?: Partial<MemberTuning>;
}

/**
 * A simulated cluster under a steady load of writes and reads. Every value tells its key, so that a wrong byte in any
 * answer is seen; every acknowledged write is remembered.
 */
export class DiskLab {
  readonly cluster: SimCluster;
  readonly lines: LogLine[] = [];
  readonly acked = new Map<string, number>();
  /** Why members stopped by themselves, in order. */
  readonly failures: { node: string; err: Error & { code?: string } }[] = [];
  reads = 0;
  #next = 0;

  constructor({ seed, size = 3, config = {}, tuning = {} }: LabOptions) {
    this.cluster = new SimCluster({
      seed,
      size,
      logger: memoryLogger(this.lines),
      config: { snapshotCount: 40, snapshotCatchUpEntries: 10, maxWals: 1, ...config },
      tuning: { walSegmentBytes: 16 * 1024, ...tuning },
    });
    for (const node of this.cluster.nodes) {
      node.onFailure = (err) => this.failures.push({ node: node.name, err });
    }
  }

  get nodes(): SimNode[] {
    return this.cluster.nodes;
  }

  start(): void {
    this.cluster.startAll();
    this.until(30_000, 'all members serve', () => this.nodes.every((node) => node.ready) && this.leader !== null);
  }

  get leader(): SimNode | null {
    return this.cluster.leader();
  }

  /** One that follows, drawn. */
  follower(): SimNode {
    return this.cluster.rng.pick(this.nodes.filter((node) => node !== this.leader && node.up));
  }

  until(ms: number, what: string, done: () => boolean): void {
    const end = this.cluster.engine.now + ms * 1000;
    while (!done()) {
      if (this.cluster.engine.now >= end) throw new Error(`not within ${ms} ms: ${what}\n${this.tail()}`);
      this.cluster.run(20);
    }
  }

  /** Virtual time under load. */
  load(ms: number): void {
    const end = this.cluster.engine.now + ms * 1000;
    while (this.cluster.engine.now < end) {
      const node = this.cluster.rng.pick(this.nodes);
      this.put(node);
      if (this.cluster.rng.chance(1, 3)) this.readSome(this.cluster.rng.pick(this.nodes));
      this.cluster.run(15);
    }
  }

  put(node: SimNode): void {
    const key = `k${String(this.#next++).padStart(5, '0')}`;
    const req = { ...makePutRequest(), key, value: valueFor(key) };
    const done: Completion<{ revision: number }> = {
      ok: ({ revision }) => this.acked.set(key, revision),
      fail: () => {},
    };
    node.enter((member) => member.put(req, encodePutRequest(req), NO_DEADLINE, done as never));
  }

  /** A serializable read of everything a member has; each row must be what was written under its key. */
  readSome(node: SimNode): void {
    const req = { ...makeRangeRequest(), key: '\0', rangeEnd: '\0', serializable: true };
    node.enter((member) =>
      member.range(req, NO_DEADLINE, {
        ok: ({ kvs }) => {
          this.reads++;
          for (const kv of kvs) checkRow(node, kv);
        },
        fail: () => {},
      }),
    );
  }

  rowsOf(node: SimNode): Map<string, number> {
    let rows: Map<string, number> | null = null;
    const req = { ...makeRangeRequest(), key: '\0', rangeEnd: '\0', serializable: true };
    node.enter((member) =>
      member.range(req, NO_DEADLINE, {
        ok: ({ kvs }) => {
          rows = new Map(kvs.map((kv) => checkRow(node, kv)));
        },
        fail: () => {},
      }),
    );
    this.until(10_000, `${node.name} answers a read`, () => rows !== null);
    return rows as unknown as Map<string, number>;
  }

  #ask<T>(node: SimNode, ask: (member: Member, done: Completion<T>) => void): T {
    const got: T[] = [];
    node.enter((member) => ask(member, { ok: (value: T) => got.push(value), fail: () => {} } as Completion<T>));
    this.until(10_000, `${node.name} answers`, () => got.length > 0);
    return got[0] as T;
  }

  /** Everything is as it should be: all serve, are equal, vote, and have every acknowledged write. */
  settle(): void {
    for (const node of this.nodes) node.start();
    // What is under way ends by itself, as done or as too late.
    this.cluster.run(9000);
    const applied = (): number[] => this.nodes.map((node) => node.member?.status().raftAppliedIndex ?? -1);
    const votes = (): boolean => this.nodes.every((node) => node.member !== null && !this.withheld(node));
    this.until(
      60_000,
      `all serve, vote and are equal (${applied().join(' ')})`,
      () => this.nodes.every((node) => node.ready) && new Set(applied()).size === 1 && applied()[0] !== -1 && votes(),
    );
    const hashes = this.nodes.map((node) =>
      this.#ask<{ hash: number; hashRevision: number }>(node, (member, done) => member.hashKv(0, done as never)),
    );
    const shown = hashes.map(({ hash, hashRevision }) => `${hash} at ${hashRevision}`);
    expect(new Set(shown).size, `HashKV: ${shown.join(', ')}`).toBe(1);
    const whole = new Set(this.nodes.map((node) => this.#ask<number>(node, (member, done) => member.hash(done))));
    expect(whole.size, 'Hash of all tables').toBe(1);
    for (const node of this.nodes) {
      const rows = this.rowsOf(node);
      for (const [key, revision] of this.acked) {
        expect(rows.get(key), `${key}, acknowledged, is on ${node.name}`).toBe(revision);
      }
    }
  }

  /** Its raft does not vote until a leader has caught it up. */
  withheld(node: SimNode): boolean {
    // biome-ignore lint/complexity/useLiteralKeys: what only its own class may see otherwise
    return node.member?.['parts'].raft.status().withheld ?? false;
  }

  linesOf(node: SimNode): LogLine[] {
    return this.lines.filter((line) => line.fields.member === node.name && line.level !== 'debug');
  }

  /** What was set aside on a node so far, as its log says. */
  asides(node: SimNode): LogLine[] {
    return this.linesOf(node).filter((line) => line.msg.startsWith('damaged data was set aside'));
  }

  tail(): string {
    return this.lines
      .filter((line) => line.level !== 'debug')
      .slice(-25)
      .map(
        (line) =>
          `${line.level} ${line.msg} ${JSON.stringify(line.fields, (_k, v) => (typeof v === 'bigint' ? v.toString(16) : v))}`,
      )
      .concat(this.failures.map(({ node, err }) => `${node} stopped: ${err.message}`))
      .join('\n');
  }

  // --- where things are on a member's disk ---

  folder(node: SimNode): string {
    return `/${node.name}/member`;
  }

  segments(node: SimNode): string[] {
    const dir = `${this.folder(node)}/wal`;
    return node.disk
      .list(dir)
      .filter((name) => name.endsWith('.wal'))
      .map((name) => `${dir}/${name}`);
  }

  /** Of the newest segment: where its records begin that are neither head nor tail, and where they end. */
  written(node: SimNode): { path: string; end: number } {
    const path = this.segments(node).at(-1) as string;
    const bytes = node.disk.read(path, 0, node.disk.size(path));
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end--;
    return { path, end };
  }

  store(node: SimNode): string {
    const dir = `${this.folder(node)}/keel`;
    const name = /"store":"(db-\d+)"/.exec(node.disk.read(`${dir}/KEEL`, 0, 4096).toString())?.[1];
    return `${dir}/${name}`;
  }
}

export function valueFor(key: string): Buffer {
  return Buffer.from(`${key} `.repeat(12));
}

function checkRow(node: SimNode, kv: Buffer): [string, number] {
  const { key, value, modRevision } = decodeKeyValue(kv);
  expect(value.toString(), `what ${node.name} serves for ${key}`).toBe(valueFor(key).toString());
  return [key, modRevision];
}
