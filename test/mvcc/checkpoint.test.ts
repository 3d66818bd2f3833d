import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckpointSource, CheckpointWalk } from '../../src/mvcc/index.js';
import { check } from '../support/fc.js';
import { TestStore } from './support/harness.js';
import { del, opDel, opPut, put, range, txn } from './support/requests.js';

type Step =
  | { kind: 'put'; key: number; leased: boolean }
  | { kind: 'delete'; key: number; count: number }
  | { kind: 'txn'; keys: number[]; gone: number }
  | { kind: 'compact'; back: number; settle: boolean }
  | { kind: 'begin' }
  | { kind: 'slice'; bytes: number }
  | { kind: 'run'; turns: number }
  | { kind: 'restart' };

const key = fc.nat({ max: 12 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, leased: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), key, count: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('txn' as const), keys: fc.array(key, { maxLength: 4 }), gone: key }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('compact' as const), back: fc.nat({ max: 8 }), settle: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'begin' as const }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('slice' as const), bytes: fc.integer({ min: 1, max: 300 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('run' as const), turns: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'restart' as const }) },
);

const name = (n: number): string => `k${String(n).padStart(2, '0')}`;

interface Written {
  revision: number;
  compacted: number;
  blocks: Buffer[];
}

/** A checkpoint in memory. `refused` says why it was not used. */
class Kept implements CheckpointSource {
  readonly revision: number;
  readonly compacted: number;
  refused: string | null = null;
  readonly #blocks: Buffer[];
  readonly #defer: (fn: () => void) => void;

  constructor(written: Written, defer: (fn: () => void) => void) {
    this.revision = written.revision;
    this.compacted = written.compacted;
    this.#blocks = [...written.blocks];
    this.#defer = defer;
  }

  next(cb: (block: Buffer | null | undefined) => void): void {
    this.#defer(() => cb(this.#blocks.shift()));
  }

  refuse(why: string): void {
    this.refused = why;
  }
}

class Run {
  readonly options = { sliceRows: 3, compactionSliceRows: 2, checkpoint: null as CheckpointSource | null };
  readonly it = new TestStore(this.options);
  used = 0;
  refused = 0;
  #walk: CheckpointWalk | null = null;
  #blocks: Buffer[] = [];
  #kept: Written | null = null;

  constructor() {
    this.it.apply((_, lessor) => lessor.grant(7n, 100));
  }

  step(step: Step): void {
    const { it } = this;
    switch (step.kind) {
      case 'put':
        it.apply((store) => store.applyPut(put(name(step.key), 'v', { lease: step.leased ? 7n : 0n })));
        return;
      case 'delete':
        it.apply((store) => store.applyDeleteRange(del(name(step.key), name(step.key + step.count))));
        return;
      case 'txn': {
        const keys = [...new Set(step.keys)].filter((n) => n !== step.gone);
        it.apply((store) =>
          store.applyTxn(txn({ success: [opDel(name(step.gone)), ...keys.map((n) => opPut(name(n), 't'))] })),
        );
        return;
      }
      case 'compact':
        it.apply((store) => store.applyCompact(Math.max(1, store.currentRev - step.back)));
        if (step.settle) it.loop.run();
        return;
      case 'begin':
        if (this.#walk !== null) return;
        this.#walk = it.store.checkpoint();
        this.#blocks = [];
        return;
      case 'slice': {
        const walk = this.#walk;
        if (walk === null) return;
        const block = walk.next(step.bytes);
        if (block !== null) {
          this.#blocks.push(Buffer.from(block));
          return;
        }
        walk.close();
        it.flush();
        this.#kept = { revision: walk.revision, compacted: walk.compacted, blocks: this.#blocks };
        this.#walk = null;
        return;
      }
      case 'run':
        it.loop.run(step.turns);
        return;
      case 'restart':
        this.restart();
    }
  }

  /** The same store, from its rows alone and by way of the checkpoint, is the same. */
  restart(): void {
    const { it } = this;
    this.#walk = null;
    this.options.checkpoint = null;
    it.flush();
    it.crash();
    const plain = this.look();
    if (this.#kept === null) return;
    const kept = new Kept(this.#kept, (fn) => it.loop.defer(fn));
    this.options.checkpoint = kept;
    it.crash();
    if (kept.refused === null) this.used++;
    else this.refused++;
    expect(this.look()).toEqual(plain);
    this.options.checkpoint = null;
  }

  look(): unknown {
    const { store, lessor } = this.it;
    const states: unknown[] = [];
    for (let revision = Math.max(1, store.compactRev); revision <= store.currentRev; revision++) {
      const result = store.range(range({ key: '\0', rangeEnd: '\0', revision }));
      states.push(typeof result === 'string' ? result : result.kvs.map((row) => row.toString('latin1')));
    }
    const leases = Array.from({ length: 20 }, (_, n) => lessor.leaseOf(name(n)));
    return { revision: store.currentRev, compact: store.compactRev, states, leases };
  }

  /** Compactions come to their end, with the same rows left as without a checkpoint. */
  settle(): unknown {
    this.it.loop.run();
    this.it.flush();
    const { rowCount, sizeInUse } = this.it.backend as unknown as { rowCount: number; sizeInUse: number };
    return { rowCount, sizeInUse, look: this.look() };
  }
}

describe('an index checkpoint', () => {
  let used = 0;
  it('brings back what the rows say, whenever it was taken and whatever came after', () => {
    check(
      fc.property(fc.array(anyStep, { maxLength: 80, size: 'max' }), (steps) => {
        const run = new Run();
        for (const step of steps) run.step(step);
        run.restart();
        used += run.used;
        const twin = new Run();
        for (const step of steps.filter(({ kind }) => !['begin', 'slice', 'restart', 'run'].includes(kind)))
          twin.step(step);
        expect(run.settle()).toEqual(twin.settle());
      }),
      { runs: 300 },
    );
    expect(used).toBeGreaterThan(50);
  });

  it('is refused when a compaction has overtaken it', () => {
    const run = new Run();
    for (let n = 0; n < 5; n++) run.step({ kind: 'put', key: n, leased: false });
    run.step({ kind: 'begin' });
    run.step({ kind: 'slice', bytes: 1000 });
    run.step({ kind: 'slice', bytes: 1000 });
    run.step({ kind: 'put', key: 1, leased: false });
    run.step({ kind: 'compact', back: 0, settle: true });
    run.restart();
    expect([run.used, run.refused]).toEqual([0, 1]);
  });

  it('holds compactions back while it is taken, and no longer', () => {
    const run = new Run();
    for (let n = 0; n < 5; n++) run.step({ kind: 'put', key: 1, leased: false });
    const walk = run.it.store.checkpoint();
    run.step({ kind: 'compact', back: 0, settle: true });
    let done = false;
    run.it.store.onCompacted(() => {
      done = true;
    });
    run.it.loop.run();
    expect(done).toBe(false);
    expect(run.it.store.checkpoint()).toBeNull();
    walk?.close();
    run.it.loop.run();
    expect(done).toBe(true);
  });

  it('writes keys, revisions and sizes of any magnitude', () => {
    const run = new Run();
    run.it.apply((store) => store.applyPut(put('x'.repeat(100_000), 'y'.repeat(200_000))));
    run.it.apply((store) => store.applyPut(put('\xff\x00\x80', '')));
    for (let n = 0; n < 200; n++) run.step({ kind: 'put', key: 3, leased: n % 2 === 0 });
    run.step({ kind: 'begin' });
    for (let n = 0; n < 10; n++) run.step({ kind: 'slice', bytes: 10 });
    run.restart();
    expect(run.used).toBe(1);
  });
});
