import type { WatchPart } from '../../mvcc/types.js';
import type { Rng } from '../../util/rng.js';
import type { WatchCreateRequest } from '../../wire/index.js';
import { Event as EventCodec, EventType, FilterType } from '../../wire/index.js';
import type { WatchBatch, WatchRecord } from '../checkers/index.js';
import { tombstone } from '../checkers/model.js';
import type { SimTimer } from '../engine.js';
import type { SimNode } from '../node.js';
import { kvOfKeyValue } from './requests.js';
import type { Workload } from './workload.js';
import { pickNode } from './workload.js';

interface Stream {
  create(req: WatchCreateRequest): void;
  progress(): void;
  resume(): void;
  close(): void;
}

/** The longest that a slow reader stops. */
const STOP_US_MAX = 15_000_000;

/**
 * One watcher, on a stream of its own: it opens, now or in the past, reads fast or slowly, and when its member is gone
 * or out of reach it goes on at another one behind the last revision that it has seen.
 */
export class WatchClient {
  readonly #work: Workload;
  readonly #name: string;
  readonly #rng: Rng;
  readonly #key: string;
  readonly #rangeEnd: string;
  readonly #prev: boolean;
  readonly #filter: number | null;
  readonly #slow: boolean;
  readonly #patient: boolean;
  /** It never leaves a stream for no reason. */
  readonly #stays: boolean;
  readonly #fragment: boolean;
  readonly records: WatchRecord[] = [];
  #node: SimNode;
  /** Of the node, when the stream was opened on it. */
  #life = 0;
  #stream: Stream | null = null;
  /** Counts connections: what belongs to an earlier one is late. */
  #epoch = 0;
  #record: WatchRecord | null = null;
  /** The first revision that has not been seen; 0: from now on. */
  #next: number;
  /** Parts that the member has sent and we have not taken. */
  #waiting = 0;
  #lastAt = 0;
  #silence: SimTimer | null = null;

  constructor(work: Workload, name: string, rng: Rng) {
    this.#work = work;
    this.#name = name;
    this.#rng = rng;
    this.#node = pickNode(work, rng);
    const { keys } = work.options;
    const from = `k${String(rng.below(keys)).padStart(3, '0')}`;
    const kind = rng.below(4);
    this.#key = kind === 0 ? '\0' : from;
    this.#rangeEnd = kind === 0 ? '\0' : kind === 1 ? '' : `${from.slice(0, rng.between(1, 3))}~`;
    this.#prev = rng.chance(1, 3);
    this.#filter = rng.pick([null, null, null, FilterType.NOPUT, FilterType.NODELETE]);
    this.#slow = rng.chance(1, 3);
    this.#patient = rng.chance(1, 2);
    this.#stays = rng.chance(1, 3);
    this.#fragment = rng.chance(1, 3);
    this.#next = rng.chance(1, 2) ? 0 : 1;
  }

  start(): void {
    this.#work.port.later(this.#rng.below(3_000_000), () => this.#connect());
  }

  /** Everything up to this revision must have come to it. */
  hasSeen(revision: number): boolean {
    return this.#stream !== null && this.#record !== null && this.#next > revision;
  }

  /** For a report. */
  where(): string {
    const state = this.#stream === null ? 'without a stream' : this.#record === null ? 'not created' : 'created';
    return `${this.#name} at ${this.#node.name} (${state}) goes on with ${this.#next}`;
  }

  /** Asks where it is: the answer comes behind everything that is due. */
  askProgress(): void {
    const epoch = this.#epoch;
    this.#enter(epoch, () => this.#stream?.progress());
  }

  /** The last record must be complete up to there. */
  finish(revision: number): void {
    if (this.#record !== null && this.#stream !== null) this.#record.complete = revision;
  }

  /** The member hears that we have gone, though by then we are elsewhere. */
  #leave(stream: Stream): void {
    const node = this.#node;
    const life = this.#life;
    this.#work.port.later(this.#work.port.delayUs(), () => {
      if (node.lives === life) node.enter(() => stream.close());
    });
  }

  #enter(epoch: number, fn: () => void): void {
    const node = this.#node;
    const life = this.#life;
    this.#work.port.later(this.#work.port.delayUs(), () => {
      if (epoch === this.#epoch && node.lives === life) node.enter(fn);
    });
  }

  #connect(): void {
    const { port } = this.#work;
    this.#epoch++;
    const epoch = this.#epoch;
    this.#stream = null;
    this.#record = null;
    this.#waiting = 0;
    this.#node = pickNode(this.#work, this.#rng, this.#rng.chance(1, 2) ? this.#node : null);
    const node = this.#node;
    this.#listen(epoch);
    port.later(port.delayUs(), () => {
      if (epoch !== this.#epoch || !port.reachable(node) || port.loses(node)) return;
      this.#life = node.lives;
      node.enter((member) => {
        if (epoch !== this.#epoch) return;
        const stream = member.watch.openStream(
          { send: (part) => this.#sent(epoch, part) },
          { progressIntervalMs: 200 + (epoch % 5) * 500 },
        );
        this.#stream = stream;
        stream.create({
          key: this.#key,
          rangeEnd: this.#rangeEnd,
          startRevision: this.#next,
          progressNotify: true,
          filters: this.#filter === null ? [] : [this.#filter as 0 | 1],
          prevKv: this.#prev,
          watchId: 0,
          fragment: this.#fragment,
        } as WatchCreateRequest);
        if (this.#rng.chance(1, 4)) stream.progress();
      });
    });
  }

  /** In the member: a part leaves. */
  #sent(epoch: number, part: WatchPart): boolean {
    const { port } = this.#work;
    if (epoch !== this.#epoch) return true;
    this.#waiting++;
    // What one answer brings in many parts is not waited for again and again.
    const paced = this.#slow && !this.#work.stopping && this.#lastAt < port.now + STOP_US_MAX;
    const pace = paced ? this.#pace() : 0;
    const at = Math.max(port.now + port.delayUs(), this.#lastAt + 1) + pace;
    this.#lastAt = at;
    const compacted = this.#work.compactRevision();
    port.later(at - port.now, () => this.#arrives(epoch, part, compacted));
    return this.#waiting < (this.#slow ? 2 : 64);
  }

  /** µs until a slow client takes the next part: some stop reading for long. */
  #pace(): number {
    return this.#rng.chance(1, 12) ? this.#rng.between(1_000_000, STOP_US_MAX) : this.#rng.below(200_000);
  }

  #arrives(epoch: number, part: WatchPart, compacted: number): void {
    if (epoch !== this.#epoch) return;
    if (this.#work.port.loses(this.#node)) return this.#reconnect(epoch);
    this.#waiting--;
    if (this.#waiting === 0) this.#enter(epoch, () => this.#stream?.resume());
    this.#listen(epoch);
    this.#take(part, compacted);
    if (part.events.length > 0 && this.#rng.chance(1, 20)) this.askProgress();
    if (!this.#work.stopping && !this.#stays && this.#rng.chance(1, 150)) this.#reconnect(epoch);
  }

  #take(part: WatchPart, compacted: number): void {
    this.#work.seenRevision = Math.max(this.#work.seenRevision, part.revision);
    if (part.created) {
      const start = this.#next === 0 ? part.revision + 1 : this.#next;
      this.#next = start;
      this.#record = this.#newRecord(start);
      this.records.push(this.#record);
      return;
    }
    if (part.canceled) {
      // Behind a compaction: what is there still can be had from its revision on.
      this.#next = Math.max(this.#next, part.compactRevision);
      return this.#reconnect(this.#epoch);
    }
    const batch = batchOf(part, compacted);
    this.#record?.batches.push(batch);
    const last = batch.events.at(-1);
    // The events of a revision are never split, so the next one is due after it; a notification says the same.
    if (!part.fragment) this.#next = Math.max(this.#next, (last?.kv.mod ?? part.revision) + 1);
  }

  #newRecord(start: number): WatchRecord {
    return {
      name: `${this.#name}/${this.#epoch} at ${this.#node.name}`,
      key: this.#key,
      rangeEnd: this.#rangeEnd,
      start,
      prev: this.#prev,
      noPut: this.#filter === FilterType.NOPUT,
      noDelete: this.#filter === FilterType.NODELETE,
      batches: [],
      complete: 0,
    };
  }

  /** Without a word for some seconds the member is taken for gone, unless this client is patient. */
  #listen(epoch: number): void {
    const { port } = this.#work;
    if (this.#silence !== null) this.#work.cluster.engine.cancel(this.#silence);
    this.#silence = port.later(4_000_000, () => {
      // A patient client relies on the member; so do all in the end, when nothing is in the way.
      const waits = this.#stream !== null && (this.#patient || this.#work.stopping);
      if (waits && epoch === this.#epoch) this.#listen(epoch);
      else this.#reconnect(epoch);
    });
  }

  #reconnect(epoch: number): void {
    if (epoch !== this.#epoch) return;
    const stream = this.#stream;
    if (stream !== null) this.#leave(stream);
    // If the member ends before we have left, that is not a second reason to go.
    const leaving = ++this.#epoch;
    this.#stream = null;
    this.#work.port.later(this.#work.port.delayUs(), () => {
      if (leaving === this.#epoch) this.#connect();
    });
  }

  ended(node: SimNode): void {
    // Before our first connection there is none that could be reset.
    if (node !== this.#node || this.#epoch === 0) return;
    const epoch = this.#epoch;
    this.#stream = null;
    this.#work.port.later(this.#work.port.delayUs(), () => this.#reconnect(epoch));
  }
}

function batchOf(part: WatchPart, compacted: number): WatchBatch {
  const events = part.events.map((bytes) => {
    const { type, kv, prevKv } = EventCodec.decode(bytes);
    if (kv === null) throw new Error('a watch event without a key');
    const prev = prevKv === null ? null : kvOfKeyValue(prevKv);
    if (type === EventType.DELETE) {
      return { type: 'delete' as const, kv: tombstone(kv.key, kv.modRevision), prev };
    }
    return { type: 'put' as const, kv: kvOfKeyValue(kv), prev };
  });
  return { revision: part.revision, events, fragment: part.fragment, compacted };
}
