import { EventEmitter } from 'node:events';
import { FilterType } from '../wire/index.js';
import type { Bytes, KeyRange } from './bytes.js';
import { resolveRange } from './bytes.js';
import type { WatchMux } from './core/watch-mux.js';
import type { WatchBatch as CoreBatch, Watcher } from './core/watcher.js';
import { KeelError } from './errors.js';
import type { Header, WatchEvent } from './results.js';
import { toEvent } from './results.js';

export interface WatchOptions extends KeyRange {
  /** First revision wanted; 0 (default): what happens from now on. */
  readonly startRevision?: number;
  /** Events carry the value before. */
  readonly prevKv?: boolean;
  /** Be told now and then how far a quiet watch has come (batches without events). */
  readonly progressNotify?: boolean;
  /** Leave out puts, or deletions. */
  readonly filters?: readonly ('noput' | 'nodelete')[];
  /** Let the server split revisions that are too large for one message; they are put together again here. Default true. */
  readonly fragment?: boolean;
  /** Leave a member that has lost its leader for another one. Default true. */
  readonly requireLeader?: boolean;
  readonly signal?: AbortSignal;
}

/** What came at once: whole revisions, in order. */
export interface WatchBatch {
  readonly header: Header;
  /** Empty for a progress notification: every event up to header.revision has been delivered. */
  readonly events: WatchEvent[];
}

export interface WatchEvents {
  /** It stands on a member for the first time. @param revision of the store then */
  created: [revision: number];
  batch: [batch: WatchBatch];
  /** Each event of each batch. */
  event: [event: WatchEvent];
  /** The member or its connection was lost; the watch goes on elsewhere from `nextRevision`, nothing is missed. */
  interrupted: [nextRevision: number];
  /** It ended by itself; ERR_COMPACTED if it fell behind a compaction. */
  error: [error: KeelError];
  /** Last of all, however it ended. */
  end: [];
}

/** Beyond so many undelivered events (or bytes) the server is told to forget the watch until they are consumed. */
const QUEUED_EVENTS_MAX = 10_000;
const QUEUED_BYTES_MAX = 32 * 1024 * 1024;

/**
 * A watch that outlives its stream. Consume it with `for await (const batch of watch)`, or with listeners on
 * `batch` or `event`; not with both. What comes before there is a consumer is queued, within bounds: a consumer
 * that stays behind is caught up from the store.
 */
export class Watch extends EventEmitter<WatchEvents> implements AsyncIterable<WatchBatch> {
  readonly #mux: WatchMux;
  readonly #watcher: Watcher;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.cancel();
  #queue: CoreBatch[] = [];
  #queuedEvents = 0;
  #queuedBytes = 0;
  /** The iterator waits for this. */
  #wake: (() => void) | null = null;
  #iterated = false;
  #error: KeelError | null = null;
  #over = false;

  /** @internal use KeelClient.watch */
  constructor(mux: WatchMux, key: Bytes, options: WatchOptions) {
    super();
    this.#mux = mux;
    this.#signal = options.signal;
    const range = resolveRange(key, options);
    const spec = {
      key: range.key,
      rangeEnd: range.rangeEnd,
      startRevision: options.startRevision ?? 0,
      prevKv: options.prevKv ?? false,
      progressNotify: options.progressNotify ?? false,
      fragment: options.fragment ?? true,
      filters: (options.filters ?? []).map((f) => (f === 'noput' ? FilterType.NOPUT : FilterType.NODELETE)),
    };
    this.#watcher = mux.watch(spec, {
      created: (revision) => void this.emit('created', revision),
      batch: (batch) => this.#arrived(batch),
      interrupted: (nextRevision) => void this.emit('interrupted', nextRevision),
      ended: (end) => this.#ended(KeelError.fromWatchEnd(end)),
    });
    (this as EventEmitter).on('newListener', (name: string | symbol) => {
      if (name === 'batch' || name === 'event') setImmediate(() => this.#flow());
    });
    if (options.signal?.aborted) setImmediate(this.#onAbort);
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Where it would go on after an interruption; 0 before it was created. */
  get nextRevision(): number {
    return this.#watcher.nextRevision;
  }

  /** Resolves with the store's revision when the watch stands on a member; rejects if it never does. */
  created(): Promise<number> {
    if (this.#watcher.announced) return Promise.resolve(this.#watcher.createdRevision);
    if (this.#over) return Promise.reject(this.#error ?? KeelError.canceled(undefined));
    return new Promise((resolve, reject) => {
      const onCreated = (revision: number) => {
        this.off('end', onEnd);
        resolve(revision);
      };
      const onEnd = () => {
        this.off('created', onCreated);
        reject(this.#error ?? KeelError.canceled(this.#signal?.reason));
      };
      this.once('created', onCreated);
      this.once('end', onEnd);
    });
  }

  /** Asks for a progress notification, for all watches of the client. The server may ignore it. */
  requestProgress(): void {
    this.#mux.requestProgress();
  }

  /** Ends it. An iterator gives what is queued, and then ends. */
  cancel(): void {
    if (this.#over) return;
    this.#mux.cancel(this.#watcher);
    this.#end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchBatch, void, undefined> {
    this.#iterated = true;
    try {
      for (;;) {
        const batch = this.#take();
        if (batch !== undefined) {
          yield batch;
          continue;
        }
        if (this.#error !== null) throw this.#error;
        if (this.#over) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.cancel();
    }
  }

  get #listened(): boolean {
    return this.listenerCount('batch') > 0 || this.listenerCount('event') > 0;
  }

  #arrived(batch: CoreBatch): void {
    if (this.#queue.length === 0 && !this.#iterated && this.#listened) {
      this.#tell(toBatch(batch));
      return;
    }
    this.#queue.push(batch);
    this.#queuedEvents += batch.events.length;
    this.#queuedBytes += sizeOf(batch);
    if (this.#queuedEvents > QUEUED_EVENTS_MAX || this.#queuedBytes > QUEUED_BYTES_MAX) this.#mux.park(this.#watcher);
    this.#wakeUp();
  }

  #take(): WatchBatch | undefined {
    const batch = this.#queue.shift();
    if (batch === undefined) return undefined;
    this.#queuedEvents -= batch.events.length;
    this.#queuedBytes -= sizeOf(batch);
    if (this.#queue.length === 0 && !this.#over) this.#mux.unpark(this.#watcher);
    return toBatch(batch);
  }

  /** A listener came: it gets what is queued. */
  #flow(): void {
    if (this.#iterated || !this.#listened) return;
    for (let batch = this.#take(); batch !== undefined; batch = this.#take()) this.#tell(batch);
  }

  #tell(batch: WatchBatch): void {
    this.emit('batch', batch);
    if (this.listenerCount('event') > 0) for (const event of batch.events) this.emit('event', event);
  }

  #ended(error: KeelError): void {
    if (this.#over) return;
    this.#error = error;
    if (!this.#iterated && this.listenerCount('error') > 0) this.emit('error', error);
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#wakeUp();
    this.emit('end');
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

function sizeOf(batch: CoreBatch): number {
  let bytes = 0;
  for (const event of batch.events) {
    bytes += (event.kv?.key.length ?? 0) + (event.kv?.value.length ?? 0) + (event.prevKv?.value.length ?? 0);
  }
  return bytes;
}

function toBatch(batch: CoreBatch): WatchBatch {
  const { clusterId, memberId, revision, raftTerm } = batch;
  return { header: { clusterId, memberId, revision, raftTerm }, events: batch.events.map(toEvent) };
}
