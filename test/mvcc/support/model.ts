import fc from 'fast-check';
import type { MvccOptions } from '../../../src/mvcc/index.js';
import { checkTxn } from '../../../src/mvcc/index.js';
import { Bucket } from '../../../src/storage/backend/index.js';
import type {
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
  WatchCreateRequest,
} from '../../../src/wire/index.js';
import { plainDelete, plainPut, plainRange, plainTxn, same } from './answers.js';
import type { World } from './harness.js';
import { TestStore } from './harness.js';
import { anyDelete, anyPut, anyRange, anyTxn, anyWatch, resolveBack, resolveTxn } from './requests.js';
import { Twin } from './twin.js';
import { assertThat, CheckedStream } from './watch-log.js';

/** One step of a history. Revisions in it are distances from the current one (see anyBack). */
export type Step =
  | { do: 'put'; req: PutRequest }
  | { do: 'delete'; req: DeleteRangeRequest }
  | { do: 'txn'; req: TxnRequest }
  | { do: 'range'; req: RangeRequest }
  | { do: 'compact'; back: number }
  | { do: 'grant'; id: bigint }
  | { do: 'revoke'; id: bigint }
  | { do: 'hash'; back: number }
  | { do: 'watch'; stream: number; req: WatchCreateRequest }
  | { do: 'cancel'; stream: number; nth: number }
  | { do: 'progress'; stream: number }
  | { do: 'full'; stream: number }
  | { do: 'resume'; stream: number }
  | { do: 'reconnect'; stream: number }
  | { do: 'run'; tasks: number }
  | { do: 'flush' }
  | { do: 'restart' }
  | { do: 'crash' };

const STREAMS = 3;
const anyStream = fc.integer({ min: 0, max: STREAMS - 1 });
const anyId = fc.constantFrom(1n, 2n, 3n, -5n);

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('put' as const), req: anyPut }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('delete' as const), req: anyDelete }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('txn' as const), req: anyTxn }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('range' as const), req: anyRange }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('compact' as const), back: fc.integer({ min: -1, max: 8 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('grant' as const), id: anyId }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('revoke' as const), id: anyId }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hash' as const), back: fc.integer({ min: -1, max: 10 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('watch' as const), stream: anyStream, req: anyWatch }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), stream: anyStream, nth: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('progress' as const), stream: anyStream }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('full' as const), stream: anyStream }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('resume' as const), stream: anyStream }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), stream: anyStream }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('run' as const), tasks: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);

/** Bounds so small that every slice ends, every cache misses and the log is too short now and then. */
export const anyBounds: fc.Arbitrary<MvccOptions> = fc.record({
  valueCacheBytes: fc.constantFrom(0, 400, 1 << 20),
  eventLogRevisions: fc.constantFrom(0, 1, 3, 4096),
  sliceRows: fc.constantFrom(1, 2, 1000),
  compactionSliceRows: fc.constantFrom(1, 3, 1000),
  watchFragmentBytes: fc.constantFrom(100, 1 << 20),
});

/** A store beside its twin; every step is done to both and everything the store says is compared. */
export class Model {
  readonly subject: TestStore;
  twin = new Twin();
  /** The twin as it was at each applied index; a crash goes back to one of them. */
  #at = new Map<number, Twin>([[0, this.twin.clone()]]);
  /** What a flush has made durable. */
  #durable = 0;
  #streams: CheckedStream[] = [];

  constructor(options: MvccOptions = {}, world?: World) {
    this.subject = new TestStore(options, world);
    this.#connectAll();
  }

  step(step: Step): void {
    const { subject, twin } = this;
    switch (step.do) {
      case 'put': {
        // The twin goes first: watchers are told in the middle of the store's apply.
        const wanted = twin.put(step.req);
        same(plainPut(subject.apply((store) => store.applyPut(step.req))), wanted);
        break;
      }
      case 'delete': {
        const wanted = twin.deleteRange(step.req);
        same(plainDelete(subject.apply((store) => store.applyDeleteRange(step.req))), wanted);
        break;
      }
      case 'txn': {
        const req = resolveTxn(step.req, twin.rev);
        if (checkTxn(req, 128) !== null) return;
        const wanted = twin.txn(req);
        same(plainTxn(subject.apply((store) => store.applyTxn(req))), wanted);
        break;
      }
      case 'range': {
        const req = { ...step.req, revision: resolveBack(step.req.revision, twin.rev) };
        const wanted = twin.range(req);
        same(plainRange(subject.store.range(req)), wanted);
        subject.store.rangeLater(req, (err, result) => {
          same(err, null);
          const got = plainRange(result!);
          // It may have had to wait, or to begin anew, behind a compaction that was asked for later.
          if (got === 'compacted' && req.revision > 0 && req.revision < twin.compactRev) return;
          same(got, wanted);
        });
        break;
      }
      case 'compact': {
        const revision = twin.rev - step.back;
        // A watcher may be behind while its sink is full or slices wait.
        for (const stream of this.#streams) stream.compacting(!stream.sink.open || subject.loop.pending > 0);
        const wanted = twin.compact(revision) ?? { revision: twin.rev };
        same(
          subject.apply((store) => store.applyCompact(revision)),
          wanted,
        );
        break;
      }
      case 'grant': {
        const wanted = twin.grant(step.id) ? { id: step.id, ttl: 60 } : 'lease-exists';
        same(
          subject.apply((_store, lessor) => lessor.grant(step.id, 60)),
          wanted,
        );
        break;
      }
      case 'revoke': {
        const wanted = twin.revoke(step.id) ? 'revoked' : 'lease-not-found';
        same(
          subject.apply((store, lessor) => lessor.revoke(step.id, (keys) => store.deleteKeys(keys))),
          wanted,
        );
        break;
      }
      case 'hash': {
        const revision = step.back === -1 ? 0 : Math.max(0, twin.rev - step.back);
        const wanted = twin.hash(revision);
        subject.store.hashKv(revision, (err, result) => {
          same(err, null);
          if (typeof result === 'string' || result === null) same(result, wanted);
          else same({ hash: result.hash, hashRevision: result.hashRevision }, wanted);
        });
        break;
      }
      case 'watch': {
        const { startRevision } = step.req;
        this.#stream(step.stream).create({ ...step.req, startRevision: resolveBack(startRevision, twin.rev) });
        break;
      }
      case 'cancel': {
        const stream = this.#stream(step.stream);
        stream.cancel(stream.ids[step.nth] ?? 99);
        break;
      }
      case 'progress':
        this.#stream(step.stream).progress();
        break;
      case 'full':
        this.#stream(step.stream).sink.open = false;
        break;
      case 'resume':
        this.#resume(this.#stream(step.stream));
        break;
      case 'reconnect':
        this.#stream(step.stream).stream.close();
        this.#streams[step.stream] = this.#connect();
        break;
      case 'run':
        subject.loop.run(step.tasks);
        break;
      case 'flush':
        this.#flush();
        break;
      case 'restart':
        this.#flush();
        this.#restart();
        break;
      case 'crash':
        this.#restart();
        break;
    }
    if (!this.#at.has(subject.applied)) this.#at.set(subject.applied, this.twin.clone());
    this.#checkSmall();
  }

  /** Everything comes to rest, and nobody lacks anything. */
  settle(): void {
    const { subject, twin } = this;
    for (const stream of this.#streams) this.#resume(stream);
    subject.loop.run();
    for (const stream of this.#streams) stream.checkComplete();
    subject.loop.run();
    const all = plainRange(subject.store.range({ ...WHOLE, revision: 0 }));
    same(all, twin.range({ ...WHOLE, revision: 0 }));
    this.#checkLeases();
    let rows = 0;
    subject.backend.scan(Bucket.key, Buffer.alloc(1), Buffer.alloc(20, 0xff)).next(1_000_000, (_err, some) => {
      rows = some.length;
    });
    subject.loop.run();
    // Compaction has left exactly what it has to leave.
    same(rows, twin.survivingRows());
  }

  close(): void {
    for (const stream of this.#streams) stream.stream.close();
  }

  #flush(): void {
    this.subject.flush();
    this.#durable = this.subject.applied;
  }

  #restart(): void {
    this.subject.crash();
    const { applied } = this.subject;
    assertThat(applied >= this.#durable, 'a crash took what was flushed');
    this.twin = (this.#at.get(applied) as Twin).clone();
    this.#durable = applied;
    // What was applied above is gone and will be applied anew, differently.
    for (const index of this.#at.keys()) if (index > applied) this.#at.delete(index);
    this.#connectAll();
    this.#checkLeases();
  }

  #checkSmall(): void {
    const { store } = this.subject;
    assertThat(store.currentRev === this.twin.rev, () => `revision ${store.currentRev}, twin ${this.twin.rev}`);
    assertThat(store.compactRev === this.twin.compactRev, 'compact revision');
  }

  #checkLeases(): void {
    const { lessor } = this.subject;
    same([...lessor.list()].sort(), [...this.twin.leases].sort());
    for (const id of this.twin.leases) same(lessor.keysOf(id).sort(), this.twin.keysOf(id));
  }

  #resume(stream: CheckedStream): void {
    stream.sink.open = true;
    stream.stream.resume();
  }

  #stream(index: number): CheckedStream {
    return this.#streams[index] as CheckedStream;
  }

  #connect(): CheckedStream {
    return new CheckedStream(
      () => this.subject.store,
      () => this.twin,
    );
  }

  #connectAll(): void {
    this.#streams = Array.from({ length: STREAMS }, () => this.#connect());
  }
}

const WHOLE: RangeRequest = {
  key: '\0',
  rangeEnd: '\0',
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  serializable: false,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};
