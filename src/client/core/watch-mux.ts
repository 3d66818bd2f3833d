import type { TimerHandle } from '../../util/env.js';
import type { Event, WatchId, WatchResponse } from '../../wire/index.js';
import { decodeWatch, encodeWatchCancel, encodeWatchCreate, WATCH_PROGRESS } from './codec.js';
import type { Status } from './status.js';
import { CLOSED, GrpcCode, isTokenStale } from './status.js';
import { StreamKeeper } from './stream-keeper.js';
import type { Link } from './token.js';
import type { WatchEnd, WatchSink, WatchSpec } from './watcher.js';
import { Watcher } from './watcher.js';

const WATCH_PATH = '/etcdserverpb.Watch/Watch';

/** How often a create may come back with "your token is stale" before that is the watch's end. */
const TOKEN_REFRESH_MAX = 3;

export interface WatchMuxOptions {
  readonly requireLeader: boolean;
  /** Asks the member for progress this often, so that the resume points of quiet watches move; 0 is never. */
  readonly progressRequestMs: number;
}

/**
 * All watches of a client with the same stream metadata, on one stream. When the stream is lost, it is opened on
 * another member and every watch is created anew where it stopped.
 *
 * The server chooses the ids and answers creates in their order, so the first pending create is always the one
 * that a created response is for (etcd semantics, section 4.4).
 */
export class WatchMux {
  readonly #link: Link;
  readonly #options: WatchMuxOptions;
  readonly #keeper: StreamKeeper;
  readonly #watchers = new Set<Watcher>();
  /** Creates sent and not answered, oldest first; null where the watch was given up meanwhile. */
  #creating: (Watcher | null)[] = [];
  readonly #byId = new Map<WatchId, Watcher>();
  #progressTimer: TimerHandle | null = null;
  /** Progress requests on this stream that were not answered; a member may drop them in silence. */
  #progressAsked = 0;
  #refreshes = 0;

  constructor(link: Link, options: WatchMuxOptions) {
    this.#link = link;
    this.#options = options;
    this.#keeper = new StreamKeeper(link, WATCH_PATH, options.requireLeader, {
      opened: () => this.#opened(),
      message: (reply) => this.#message(decodeWatch(reply)),
      lost: () => this.#lost(),
      failed: (status) => this.#failed(status),
    });
  }

  get idle(): boolean {
    return this.#watchers.size === 0;
  }

  watch(spec: WatchSpec, sink: WatchSink): Watcher {
    const watcher = new Watcher(spec, sink);
    this.#watchers.add(watcher);
    if (this.#link.closed) {
      this.#link.env.timers.defer(() => this.#end(watcher, { ...endOf(CLOSED) }));
      return watcher;
    }
    if (this.#keeper.open) this.#create(watcher);
    else this.#keeper.want();
    this.#armProgress();
    return watcher;
  }

  cancel(watcher: Watcher): void {
    if (watcher.state === 'ended') return;
    this.#detach(watcher);
    watcher.state = 'ended';
    this.#watchers.delete(watcher);
    this.#rest();
  }

  /** The consumer is full: the member forgets this watch until `unpark` creates it anew where it stopped. */
  park(watcher: Watcher): void {
    if (watcher.state === 'ended' || watcher.state === 'parked') return;
    this.#detach(watcher);
    watcher.state = 'parked';
  }

  unpark(watcher: Watcher): void {
    if (watcher.state !== 'parked') return;
    watcher.state = 'queued';
    if (this.#keeper.open) this.#create(watcher);
    else this.#keeper.want();
  }

  /** Asks for a progress notification to every watch; a member that is not able to give one keeps silent. */
  requestProgress(): void {
    if (!this.#keeper.open || this.#byId.size === 0) return;
    this.#progressAsked++;
    this.#keeper.send(WATCH_PROGRESS);
  }

  close(): void {
    this.#keeper.close();
    this.#stopProgress();
    for (const watcher of [...this.#watchers]) this.#end(watcher, endOf(CLOSED));
  }

  #create(watcher: Watcher): void {
    watcher.state = 'creating';
    this.#creating.push(watcher);
    this.#keeper.send(encodeWatchCreate(watcher.spec, watcher.nextRevision));
  }

  /** Takes a watcher off the stream, wherever it stands on it. */
  #detach(watcher: Watcher): void {
    watcher.fragments = null;
    if (watcher.state === 'creating') {
      this.#creating[this.#creating.indexOf(watcher)] = null;
    } else if (watcher.state === 'live') {
      this.#byId.delete(watcher.id);
      if (this.#keeper.open) this.#keeper.send(encodeWatchCancel(watcher.id));
    }
    watcher.id = -1;
  }

  /** Without a watch there is no stream. */
  #rest(): void {
    if (this.#watchers.size > 0) return;
    this.#keeper.rest();
    this.#forgetStream();
    this.#stopProgress();
  }

  #opened(): void {
    for (const watcher of this.#watchers) if (watcher.state === 'queued') this.#create(watcher);
  }

  #lost(): void {
    this.#forgetStream();
    for (const watcher of this.#watchers) {
      if (watcher.state !== 'creating' && watcher.state !== 'live') continue;
      const wasLive = watcher.state === 'live';
      watcher.state = 'queued';
      watcher.id = -1;
      watcher.fragments = null;
      if (wasLive) watcher.sink.interrupted(watcher.nextRevision);
    }
    this.#rest();
  }

  #failed(status: Status): void {
    this.#forgetStream();
    for (const watcher of [...this.#watchers]) this.#end(watcher, endOf(status));
    this.#rest();
  }

  #forgetStream(): void {
    this.#creating = [];
    this.#byId.clear();
    this.#progressAsked = 0;
  }

  #message(response: WatchResponse): void {
    this.#keeper.good();
    if (response.created) return this.#created(response);
    if (response.watchId === -1 && !response.canceled && response.events.length === 0)
      return this.#progressAll(response);
    const watcher = this.#byId.get(response.watchId);
    // A watch that was cancelled or parked a moment ago may still be spoken to.
    if (watcher === undefined) return;
    if (response.canceled) return this.#canceled(watcher, response);
    this.#events(watcher, response);
  }

  #created(response: WatchResponse): void {
    const watcher = this.#creating.shift();
    if (watcher === undefined) return;
    if (response.canceled) {
      if (watcher !== null) this.#refused(watcher, response);
      return;
    }
    if (watcher === null) {
      this.#keeper.send(encodeWatchCancel(response.watchId));
      return;
    }
    const revision = response.header?.revision ?? 0;
    watcher.state = 'live';
    watcher.id = response.watchId;
    watcher.createdRevision = revision;
    watcher.progressInDoubt = this.#progressAsked;
    // "From now on" is from here on, whatever happens to this stream.
    if (watcher.nextRevision === 0) watcher.nextRevision = revision + 1;
    this.#byId.set(watcher.id, watcher);
    this.#refreshes = 0;
    if (!watcher.announced) {
      watcher.announced = true;
      watcher.sink.created(revision);
    }
  }

  /** created and canceled at once: it never stood. */
  #refused(watcher: Watcher, response: WatchResponse): void {
    const reason = bareReason(response.cancelReason);
    if (isTokenStale(reason.message) && this.#link.tokens.used && this.#refreshes++ < TOKEN_REFRESH_MAX) {
      watcher.state = 'queued';
      this.#keeper.restart();
      return;
    }
    this.#end(watcher, this.#endFor(response));
    this.#rest();
  }

  #canceled(watcher: Watcher, response: WatchResponse): void {
    this.#byId.delete(watcher.id);
    // Behind a compaction a member keeps the id, counts it as not up to date, and answers no request for progress.
    if (response.compactRevision !== 0) this.#keeper.send(encodeWatchCancel(watcher.id));
    this.#end(watcher, this.#endFor(response));
    this.#rest();
  }

  #endFor(response: WatchResponse): WatchEnd {
    // A start revision below zero is refused with the text of a compaction and no number.
    if (response.compactRevision !== 0 || response.cancelReason === COMPACTED_TEXT) {
      return { code: GrpcCode.OUT_OF_RANGE, message: COMPACTED_TEXT, compactRevision: response.compactRevision };
    }
    if (response.cancelReason === '') {
      return { code: GrpcCode.UNKNOWN, message: 'etcdserver: watch canceled', compactRevision: 0 };
    }
    return { ...bareReason(response.cancelReason), compactRevision: 0 };
  }

  /**
   * The answer to a progress request, for all watches of the stream: every event up to its revision has been sent.
   * A request that was under way when a watch was created may have been answered before the watch stood there,
   * and then says nothing of it, unless the revision moved in between.
   */
  #progressAll(response: WatchResponse): void {
    const revision = response.header?.revision ?? 0;
    if (this.#progressAsked > 0) this.#progressAsked--;
    for (const watcher of [...this.#byId.values()]) {
      const inDoubt = watcher.progressInDoubt > 0;
      if (inDoubt) watcher.progressInDoubt--;
      const meant = !inDoubt || watcher.createdRevision < revision || watcher.nextRevision > revision;
      if (meant) this.#progress(watcher, response);
    }
  }

  #progress(watcher: Watcher, response: WatchResponse): void {
    const revision = response.header?.revision ?? 0;
    if (watcher.nextRevision <= revision) watcher.nextRevision = revision + 1;
    this.#deliver(watcher, response, []);
  }

  #events(watcher: Watcher, response: WatchResponse): void {
    if (response.events.length === 0 && !response.fragment && watcher.fragments === null) {
      this.#progress(watcher, response);
      return;
    }
    let events = response.events;
    if (watcher.fragments !== null) {
      for (const event of events) watcher.fragments.push(event);
      events = watcher.fragments;
    }
    if (response.fragment) {
      // Not one revision of it counts as seen before all fragments are here.
      watcher.fragments = events;
      return;
    }
    watcher.fragments = null;
    const first = events[0]?.kv?.modRevision ?? 0;
    if (first < watcher.nextRevision) {
      // Seen before the interruption: a member may give more than it was asked for, the consumer gets it once.
      events = events.filter((e) => (e.kv?.modRevision ?? 0) >= watcher.nextRevision);
      if (events.length === 0) return;
    }
    watcher.nextRevision = (events[events.length - 1]?.kv?.modRevision ?? 0) + 1;
    this.#deliver(watcher, response, events);
  }

  #deliver(watcher: Watcher, response: WatchResponse, events: Event[]): void {
    const header = response.header;
    watcher.sink.batch({
      clusterId: header?.clusterId ?? 0n,
      memberId: header?.memberId ?? 0n,
      revision: header?.revision ?? 0,
      raftTerm: header?.raftTerm ?? 0,
      events,
    });
  }

  #end(watcher: Watcher, end: WatchEnd): void {
    if (watcher.state === 'ended') return;
    watcher.state = 'ended';
    watcher.fragments = null;
    this.#watchers.delete(watcher);
    watcher.sink.ended(end);
  }

  #armProgress(): void {
    if (this.#options.progressRequestMs === 0 || this.#progressTimer !== null) return;
    this.#progressTimer = this.#link.env.timers.set(this.#options.progressRequestMs, () => {
      this.#progressTimer = null;
      this.requestProgress();
      if (this.#watchers.size > 0) this.#armProgress();
    });
  }

  #stopProgress(): void {
    if (this.#progressTimer !== null) this.#link.env.timers.clear(this.#progressTimer);
    this.#progressTimer = null;
  }
}

const COMPACTED_TEXT = 'etcdserver: mvcc: required revision has been compacted';

const CODE_NAMES: Record<string, number> = {
  PermissionDenied: GrpcCode.PERMISSION_DENIED,
  InvalidArgument: GrpcCode.INVALID_ARGUMENT,
  Unauthenticated: GrpcCode.UNAUTHENTICATED,
  Unavailable: GrpcCode.UNAVAILABLE,
};

/** A refusal by the auth store is a whole status in a string: "rpc error: code = PermissionDenied desc = ...". */
function bareReason(reason: string): { code: number; message: string } {
  const match = /^rpc error: code = (\w+) desc = (.*)$/s.exec(reason);
  if (match === null) return { code: GrpcCode.UNKNOWN, message: reason };
  return { code: CODE_NAMES[match[1]!] ?? GrpcCode.UNKNOWN, message: match[2]! };
}

function endOf(status: Status): WatchEnd {
  return { code: status.code, message: status.message, compactRevision: 0 };
}
