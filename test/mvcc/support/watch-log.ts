import type { MvccStore, WatchPart, WatchSink, WatchStream } from '../../../src/mvcc/index.js';
import type { KeyValue, WatchCreateRequest, WatchId } from '../../../src/wire/index.js';
import { decodeKeyValue, Event } from '../../../src/wire/index.js';
import type { Kv, Twin, TwinEvent } from './twin.js';
import { inRange } from './twin.js';

/** Keeps what it is sent; full when it is told to be. */
export class RecordingSink implements WatchSink {
  parts: WatchPart[] = [];
  /** false: takes what comes, and says that it is full. */
  open = true;
  onPart: (part: WatchPart) => void = () => {};

  send(part: WatchPart): boolean {
    this.parts.push(part);
    this.onPart(part);
    return this.open;
  }

  /** The parts since the last call. */
  take(): WatchPart[] {
    const { parts } = this;
    this.parts = [];
    return parts;
  }
}

export interface PlainEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly mod: number;
  readonly value: string;
  readonly prev: string | null;
}

export function plainEvent(bytes: Buffer): PlainEvent {
  const event = Event.decode(bytes);
  const kv = event.kv as KeyValue;
  return {
    type: event.type === 0 ? 'put' : 'delete',
    key: kv.key,
    mod: kv.modRevision,
    value: kv.value.toString('latin1'),
    prev: event.prevKv?.value.toString('latin1') ?? null,
  };
}

export function plainKv(row: Buffer): Kv {
  const kv = decodeKeyValue(row);
  return {
    key: kv.key,
    value: kv.value.toString('latin1'),
    create: kv.createRevision,
    mod: kv.modRevision,
    version: kv.version,
    lease: kv.lease,
  };
}

/** What one watcher of a model must hear, held against what it heard. Throws at the first difference. */
class Expectation {
  readonly req: WatchCreateRequest;
  /** The next revision that it may hear of. */
  next: number;
  ended = false;
  /** It lagged when a compaction came, or began below one. */
  mayEnd: boolean;

  constructor(req: WatchCreateRequest, next: number, mayEnd: boolean) {
    this.req = req;
    this.next = next;
    this.mayEnd = mayEnd;
  }

  wanted(event: TwinEvent): boolean {
    if (event.mod < this.next || !inRange(event.key, this.req.key, this.req.rangeEnd)) return false;
    return !this.req.filters.includes(event.kv === null ? 1 : 0);
  }

  /** The first revision from `next` on that has something for it. */
  nextWith(twin: Twin): { rev: number; events: TwinEvent[] } | null {
    for (let rev = this.next; rev <= twin.rev; rev++) {
      const events = (twin.events.get(rev) ?? []).filter((event) => this.wanted(event));
      if (events.length > 0) return { rev, events };
    }
    return null;
  }
}

/** A watch stream with its expectations: every part is checked when it comes. */
export class CheckedStream {
  readonly sink = new RecordingSink();
  readonly stream: WatchStream;
  readonly #expected = new Map<WatchId, Expectation>();
  readonly #taken = new Set<WatchId>();
  #pending: Expectation | null = null;
  #created: WatchPart[] = [];
  readonly #twin: () => Twin;
  readonly #store: () => MvccStore;
  /** Fragments of a response that is not complete. */
  #fragments: Buffer[] = [];

  constructor(store: () => MvccStore, twin: () => Twin) {
    this.#store = store;
    this.#twin = twin;
    this.stream = store().watch.openStream(this.sink);
    this.sink.onPart = (part) => this.#check(part);
  }

  create(req: WatchCreateRequest): void {
    const before = this.stream.watcherCount;
    const { currentRev, compactRev } = this.#store();
    this.#created = [];
    const next = req.startRevision === 0 ? currentRev + 1 : req.startRevision;
    this.#pending = new Expectation(req, next, next < compactRev);
    this.stream.create(req);
    const part = this.#created[0];
    assertThat(this.#created.length === 1 && part !== undefined, 'one created response');
    assertThat(part.revision === currentRev, 'created at the current revision');
    const empty = req.rangeEnd !== '' && req.rangeEnd !== '\0' && req.key >= req.rangeEnd;
    const refused = req.startRevision < 0 || empty || (req.watchId !== 0 && this.#taken.has(req.watchId));
    assertThat(part.canceled === refused, `create ${refused ? 'is' : 'is not'} refused`);
    if (refused) {
      assertThat(part.watchId === -1 && this.stream.watcherCount === before, 'a refused create leaves nothing');
      return;
    }
    this.#taken.add(part.watchId);
    const expectation = this.#expected.get(part.watchId)!;
    if (next < compactRev) assertThat(expectation.ended, 'a watch below the compact revision ends at once');
  }

  cancel(id: WatchId): void {
    const known = this.#taken.delete(id);
    const before = this.sink.parts.length;
    this.stream.cancel(id);
    assertThat(this.sink.parts.length === before + (known ? 1 : 0), 'a cancel of a known id is answered once');
    this.#expected.delete(id);
  }

  /** A compaction comes. @param lagging whether watchers may be behind */
  compacting(lagging: boolean): void {
    if (lagging) for (const expectation of this.#expected.values()) expectation.mayEnd = true;
  }

  progress(): void {
    this.stream.progress();
  }

  get ids(): WatchId[] {
    return [...this.#taken];
  }

  /** Everything was delivered: nobody lacks anything up to the store's revision. */
  checkComplete(): void {
    const rev = this.#store().currentRev;
    for (const [id, expectation] of this.#expected) {
      if (expectation.ended) continue;
      const lacking = expectation.nextWith(this.#twin());
      assertThat(lacking === null || lacking.rev > rev, () => `watcher ${id} was not told of revision ${lacking?.rev}`);
    }
  }

  #check(part: WatchPart): void {
    const twin = this.#twin();
    if (part.created) {
      this.#created.push(part);
      if (!part.canceled) {
        assertThat(!this.#expected.has(part.watchId) && this.#pending !== null, 'a fresh id');
        this.#expected.set(part.watchId, this.#pending!);
        this.#pending = null;
      }
      return;
    }
    if (part.watchId === -1) {
      // Progress: everything up to its revision has been sent on this stream (W7).
      assertThat(
        part.events.length === 0 && part.revision === this.#store().currentRev,
        'progress at the current revision',
      );
      for (const expectation of this.#expected.values()) {
        assertThat(!expectation.ended, 'no progress with an ended watcher');
        const lacking = expectation.nextWith(twin);
        assertThat(lacking === null || lacking.rev > part.revision, () => `progress ${part.revision} ahead of events`);
        assertThat(part.revision >= expectation.req.startRevision, 'progress below a start revision');
      }
      return;
    }
    const expectation = this.#expected.get(part.watchId);
    if (part.canceled) {
      if (part.compactRevision === 0) return;
      assertThat(expectation !== undefined && !expectation.ended, 'a compaction ends a living watcher');
      assertThat(
        part.compactRevision === this.#store().compactRev && part.revision === 0,
        'compacted: header revision 0',
      );
      assertThat(expectation.next < part.compactRevision, 'only a watcher below the compact revision ends');
      assertThat(expectation.mayEnd, 'a watcher that keeps up is not overtaken by a compaction');
      expectation.ended = true;
      return;
    }
    assertThat(
      expectation !== undefined && !expectation.ended,
      () => `events for watcher ${part.watchId}, which has ended`,
    );
    if (part.events.length === 0) {
      const lacking = expectation.nextWith(twin);
      assertThat(lacking === null || lacking.rev > part.revision, 'progress notification ahead of events');
      return;
    }
    if (part.fragment || this.#fragments.length > 0) {
      assertThat(expectation.req.fragment, 'fragments only where asked for');
      this.#fragments.push(...part.events);
      if (part.fragment) return;
    }
    const events = this.#fragments.length > 0 ? this.#fragments : part.events;
    this.#fragments = [];
    this.#checkEvents(expectation, part.revision, events.map(plainEvent), twin);
  }

  #checkEvents(expectation: Expectation, revision: number, events: PlainEvent[], twin: Twin): void {
    const { compactRev } = this.#store();
    let at = 0;
    while (at < events.length) {
      const wanted = expectation.nextWith(twin);
      assertThat(wanted !== null, () => `an event too many: ${JSON.stringify(events[at])}`);
      assertThat(wanted.rev <= revision, () => `header revision ${revision} below event ${wanted.rev}`);
      for (const event of wanted.events) {
        const prevKnown = event.mod - 1 >= compactRev;
        const expected: PlainEvent = {
          type: event.kv === null ? 'delete' : 'put',
          key: event.key,
          mod: event.mod,
          value: event.kv?.value ?? '',
          prev: expectation.req.prevKv && prevKnown ? (event.prev?.value ?? null) : null,
        };
        const got = events[at++];
        assertThat(
          JSON.stringify(got) === JSON.stringify(expected),
          () => `expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`,
        );
      }
      expectation.next = wanted.rev + 1;
    }
  }
}

export function assertThat(cond: unknown, what: string | (() => string)): asserts cond {
  if (!cond) throw new Error(typeof what === 'string' ? what : what());
}
