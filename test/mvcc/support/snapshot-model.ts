import fc from 'fast-check';
import type { MvccOptions } from '../../../src/mvcc/index.js';
import { checkTxn } from '../../../src/mvcc/index.js';
import type { DeleteRangeRequest, PutRequest, TxnRequest, WatchCreateRequest } from '../../../src/wire/index.js';
import { TestStore } from './harness.js';
import { anyDelete, anyPut, anyTxn, anyWatch, resolveBack, resolveTxn } from './requests.js';
import { Twin } from './twin.js';
import { CheckedStream } from './watch-log.js';

/** What both members apply, and what happens to the one behind. */
export type SnapshotStep =
  | { do: 'put'; req: PutRequest }
  | { do: 'delete'; req: DeleteRangeRequest }
  | { do: 'txn'; req: TxnRequest }
  | { do: 'compact'; back: number }
  | { do: 'watch'; req: WatchCreateRequest }
  | { do: 'progress' }
  | { do: 'full' }
  | { do: 'resume' }
  | { do: 'run'; tasks: number }
  | { do: 'pause' }
  | { do: 'replay' }
  | { do: 'install'; loading: number };

export const anySnapshotStep: fc.Arbitrary<SnapshotStep> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('put' as const), req: anyPut }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), req: anyDelete }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('txn' as const), req: anyTxn }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('compact' as const), back: fc.integer({ min: 0, max: 8 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('watch' as const), req: anyWatch }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('progress' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('full' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('run' as const), tasks: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pause' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replay' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('install' as const), loading: fc.nat(5) }) },
);

/**
 * A leader and a follower with one watch stream. While the follower is paused it misses entries; then it either
 * applies them, or gets the leader's rows as a snapshot. Its watchers must hear of every revision once, in order.
 */
export class SnapshotModel {
  readonly #leader: TestStore;
  readonly #follower: TestStore;
  readonly #twin = new Twin();
  readonly #stream: CheckedStream;
  readonly #missed: ((member: TestStore) => void)[] = [];
  #paused = false;

  constructor(options: MvccOptions) {
    this.#leader = new TestStore();
    this.#follower = new TestStore(options);
    this.#stream = new CheckedStream(
      () => this.#follower.store,
      () => this.#twin,
    );
  }

  step(step: SnapshotStep): void {
    const twin = this.#twin;
    const follower = this.#follower;
    // A compaction may overtake any watcher here: the leader is ahead.
    this.#stream.compacting(true);
    switch (step.do) {
      case 'put':
        twin.put(step.req);
        this.#apply((member) => member.apply((store) => store.applyPut(step.req)));
        break;
      case 'delete':
        twin.deleteRange(step.req);
        this.#apply((member) => member.apply((store) => store.applyDeleteRange(step.req)));
        break;
      case 'txn': {
        const req = resolveTxn(step.req, twin.rev);
        if (checkTxn(req, 128) !== null) return;
        twin.txn(req);
        this.#apply((member) => member.apply((store) => store.applyTxn(req)));
        break;
      }
      case 'compact': {
        const revision = twin.rev - step.back;
        twin.compact(revision);
        this.#apply((member) => member.apply((store) => store.applyCompact(revision)));
        break;
      }
      case 'watch': {
        const startRevision = resolveBack(step.req.startRevision, follower.store.currentRev);
        this.#stream.create({ ...step.req, startRevision });
        break;
      }
      case 'progress':
        this.#stream.progress();
        break;
      case 'full':
        this.#stream.sink.open = false;
        break;
      case 'resume':
        this.#resume();
        break;
      case 'run':
        follower.loop.run(step.tasks);
        break;
      case 'pause':
        this.#paused = true;
        break;
      case 'replay':
        this.#paused = false;
        for (const entry of this.#missed.splice(0)) entry(follower);
        break;
      case 'install':
        this.#paused = false;
        this.#missed.length = 0;
        follower.restore(this.#leader.snapshot(follower.loop), () => follower.loop.run(step.loading));
        break;
    }
  }

  settle(): void {
    this.#stream.compacting(true);
    for (const entry of this.#missed.splice(0)) entry(this.#follower);
    this.#resume();
    this.#follower.loop.run();
    this.#stream.checkComplete();
  }

  #apply(entry: (member: TestStore) => void): void {
    entry(this.#leader);
    if (this.#paused) this.#missed.push(entry);
    else entry(this.#follower);
  }

  #resume(): void {
    this.#stream.sink.open = true;
    this.#stream.stream.resume();
  }
}
