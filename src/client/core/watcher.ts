import type { Event, WatchId } from '../../wire/index.js';

/** What to watch; the fields of WatchCreateRequest. */
export interface WatchSpec {
  /** latin1 string, one char a byte, as all keys of wire/. */
  readonly key: string;
  readonly rangeEnd: string;
  /** 0: from now on. */
  readonly startRevision: number;
  readonly prevKv: boolean;
  readonly progressNotify: boolean;
  readonly fragment: boolean;
  /** 0 NOPUT, 1 NODELETE. */
  readonly filters: readonly number[];
}

/** One complete revision or more: events in order, never part of a revision. */
export interface WatchBatch {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** Of the store when it was sent. */
  readonly revision: number;
  readonly raftTerm: number;
  /** Empty for a progress notification: everything up to `revision` has been delivered. */
  readonly events: Event[];
}

/** Why a watch ended by itself. */
export interface WatchEnd {
  /** gRPC code. */
  readonly code: number;
  readonly message: string;
  /** Not 0 if the revision to go on from has been compacted: the lowest one that can be watched. */
  readonly compactRevision: number;
}

export interface WatchSink {
  /** The first time it stands on a member. @param revision of the store then */
  created(revision: number): void;
  batch(batch: WatchBatch): void;
  /** Its stream was lost; it goes on elsewhere, from `nextRevision`. */
  interrupted(nextRevision: number): void;
  /** Once, and last; not called after `cancel`. */
  ended(end: WatchEnd): void;
}

/**
 * A watch over the life of the client, whatever streams carry it.
 *
 *   queued --sent--> creating --created--> live --stream lost--> queued
 *     ^                                      |
 *     `---- unpark ---- parked <---- park ---'        any --cancel / refused--> ended
 */
export type WatcherState = 'queued' | 'creating' | 'live' | 'parked' | 'ended';

export class Watcher {
  readonly spec: WatchSpec;
  readonly sink: WatchSink;
  state: WatcherState = 'queued';
  /** On its stream, chosen by the server; -1 while it has none. */
  id: WatchId = -1;
  /**
   * Where to go on after an interruption: one past the last revision that was delivered whole, or that progress
   * spoke for. 0 until a member has said where "now" is.
   */
  nextRevision: number;
  /** Of the store when the present stream created it. */
  createdRevision = 0;
  /** So many progress requests were unanswered when it was created: their answers may not be meant for it. */
  progressInDoubt = 0;
  announced = false;
  /** Fragments of a revision that is not complete yet. */
  fragments: Event[] | null = null;

  constructor(spec: WatchSpec, sink: WatchSink) {
    this.spec = spec;
    this.sink = sink;
    this.nextRevision = spec.startRevision;
  }
}
