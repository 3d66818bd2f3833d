import type { WatchCreateRequest, WatchId } from '../wire/watch.js';
import { FilterType } from '../wire/watch.js';
import type { Change } from './change.js';
import { rangeEndOf } from './keyspace.js';
import type { WatchStream } from './watch-stream.js';

/**
 *                 start > current           caught up
 *    create ------------------> SYNCED <------------------ UNSYNCED
 *       `--------------------------------------------------->^  |
 *          start <= current         stream full, restore ----'  | below the compact revision
 *                                                               v
 *    cancel, close: CLOSED from any                          COMPACTED (registered until cancelled)
 */
export const SYNCED = 0;
export const UNSYNCED = 1;
export const COMPACTED = 2;
export const CLOSED = 3;

/** A cursor and a filter. It holds no events but those of the response that is being put together. */
export class Watcher {
  readonly id: WatchId;
  readonly stream: WatchStream;
  readonly key: string;
  /** As the index has it: undefined the single key, '' no end. */
  readonly end: string | undefined;
  /** As asked for; 0: from the next one. A progress notification must not be below it. */
  readonly startRev: number;
  readonly noPut: boolean;
  readonly noDelete: boolean;
  readonly prevKv: boolean;
  readonly progressNotify: boolean;
  readonly fragment: boolean;
  state = UNSYNCED;
  /** No event below it is (still) to be delivered. Of a synced watcher it stands where it became so. */
  next: number;
  /** Nothing was sent since the last tick of progress. */
  idle = true;
  /** Of the response that is being put together: its events, ... */
  batch: Buffer[] = [];
  batchBytes = 0;
  /** ... how many revisions they are of, the first and the last one. */
  batchRevs = 0;
  batchFirst = 0;
  batchLast = 0;

  constructor(stream: WatchStream, id: WatchId, req: WatchCreateRequest, next: number) {
    this.stream = stream;
    this.id = id;
    this.key = watchKeyOf(req);
    this.end = rangeEndOf(req.rangeEnd);
    this.startRev = req.startRevision;
    this.noPut = req.filters.includes(FilterType.NOPUT);
    this.noDelete = req.filters.includes(FilterType.NODELETE);
    this.prevKv = req.prevKv;
    this.progressNotify = req.progressNotify;
    this.fragment = req.fragment;
    this.next = next;
  }

  wants(change: Change): boolean {
    return change.main >= this.next && !(change.isDelete ? this.noDelete : this.noPut);
  }

  covers(key: string): boolean {
    if (this.end === undefined) return key === this.key;
    return key >= this.key && (this.end === '' || key < this.end);
  }

  push(main: number, event: Buffer): void {
    if (this.batch.length === 0) {
      this.batchFirst = main;
      this.batchRevs = 1;
    } else if (main !== this.batchLast) {
      this.batchRevs++;
    }
    this.batchLast = main;
    this.batch.push(event);
    this.batchBytes += event.length;
  }

  clearBatch(): void {
    this.batch = [];
    this.batchBytes = 0;
    this.batchRevs = 0;
  }
}

/** An empty key stands for the smallest one (etcd semantics §4.1). */
export function watchKeyOf(req: WatchCreateRequest): string {
  return req.key === '' ? '\0' : req.key;
}
