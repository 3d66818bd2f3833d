import { expect, it } from 'vitest';
import { Rng } from '../../src/util/rng.js';
import type { Event, RequestOp, WatchResponse } from '../../src/wire/index.js';
import {
  CompactionRequest,
  decodeTxnResponse,
  decodeWatchResponse,
  encodeTxnRequest,
  encodeWatchRequest,
  makeDeleteRangeRequest,
  makePutRequest,
  makeRequestOp,
  makeTxnRequest,
  makeWatchRequest,
  OpKind,
  WatchCreateRequest,
  WatchKind,
  WatchProgressRequest,
} from '../../src/wire/index.js';
import { H2Client } from '../rpc/support/h2-client.js';
import { missing } from '../support/binaries.js';
import type { Cluster } from '../support/cluster.js';
import { withCluster } from '../support/cluster.js';
import { sleep } from '../support/member-process.js';

const STREAMS = 20;
const WATCHERS_PER_STREAM = 10;
const KEYS = Array.from({ length: 40 }, (_, i) => `k${String(i).padStart(2, '0')}`);
const WRITERS = 4;
const PROGRESS = encodeWatchRequest(makeWatchRequest(WatchKind.PROGRESS, WatchProgressRequest.make({})));

interface Told {
  readonly type: number;
  readonly key: string;
  readonly value: string;
  /** null: none was told. */
  readonly prev: string | null;
}

interface Spec {
  readonly key: string;
  /** '' the single key. */
  readonly end: string;
  readonly prevKv: boolean;
  readonly noPut: boolean;
  readonly noDelete: boolean;
  readonly progressNotify: boolean;
}

/** One watcher: what it was told, by revision, whichever member and stream it came by. */
class Watcher {
  readonly spec: Spec;
  readonly told = new Map<number, Told[]>();
  /** Nothing below it is still to come. */
  next: number;
  readonly #from: number;
  /** Revisions that it missed because of a compaction, and was told so. */
  readonly gaps: [from: number, to: number][] = [];
  faults: string[] = [];
  /** It is one of its stream's now: created, and not ended by a compaction. */
  active = false;

  constructor(spec: Spec, next: number) {
    this.spec = spec;
    this.next = next;
    this.#from = next;
  }

  take(events: readonly Event[], header: number): void {
    let last = 0;
    for (const { type, kv, prevKv } of events) {
      const { key, modRevision, value } = kv!;
      if (modRevision < this.next) this.faults.push(`revision ${modRevision} again, or late: ${this.next} is next`);
      if (modRevision < last || modRevision > header) this.faults.push(`revision ${modRevision} out of order`);
      if (modRevision !== last) this.told.set(modRevision, []);
      last = modRevision;
      const prev = prevKv === null ? null : prevKv.value.toString('latin1');
      this.told.get(modRevision)!.push({ type, key, value: value.toString('latin1'), prev });
    }
    this.next = last + 1;
  }

  /** It has been told of everything up to here. */
  progress(revision: number): void {
    this.next = Math.max(this.next, revision + 1);
  }

  compacted(revision: number): void {
    if (this.next >= revision) this.faults.push(`ended by a compaction at ${revision}, though ${this.next} is next`);
    this.gaps.push([this.next, revision - 1]);
    this.next = revision;
  }

  wants({ type, key }: Told): boolean {
    const { key: from, end, noPut, noDelete } = this.spec;
    return (end === '' ? key === from : key >= from && key < end) && !(type === 0 ? noPut : noDelete);
  }

  /** Completeness, atomicity and prev_kv, against what a watcher of everything was told. */
  check(log: ReadonlyMap<number, readonly Told[]>): string[] {
    const faults = [...this.faults];
    const skipped = (revision: number): boolean => this.gaps.some(([from, to]) => revision >= from && revision <= to);
    for (const [revision, all] of log) {
      if (revision < this.#from || skipped(revision)) continue;
      const wanted = all.filter((event) => this.wants(event));
      const got = this.told.get(revision) ?? [];
      const plain = (events: readonly Told[], withPrev: boolean): string =>
        JSON.stringify(events.map(({ type, key, value, prev }) => [type, key, value, withPrev ? prev : null]));
      // The state before may be compacted when a slow watcher gets there.
      const hasPrev = this.spec.prevKv && got.every((event, i) => event.prev !== null || wanted[i]?.prev === null);
      const lag = this.spec.prevKv && !hasPrev && this.gaps.length === 0 && got.length === wanted.length;
      if (plain(got, hasPrev) !== plain(wanted, hasPrev)) faults.push(`revision ${revision}: ${plain(got, true)}`);
      else if (lag && got.some(({ prev }, i) => prev !== null && prev !== wanted[i]!.prev))
        faults.push('a wrong prev_kv');
    }
    for (const revision of this.told.keys())
      if (!log.has(revision)) faults.push(`revision ${revision} is nobody else's`);
    return faults;
  }
}

/** The watchers of one stream, on one member after the other. */
class Stream {
  readonly watchers: Watcher[];
  readonly #cluster: Cluster;
  readonly #slow: boolean;
  readonly #rng: Rng;
  stopped = false;
  #at = '';
  messages = 0;
  progressed = 0;
  resumed = 0;

  constructor(cluster: Cluster, watchers: Watcher[], slow: boolean, rng: Rng) {
    this.#cluster = cluster;
    this.watchers = watchers;
    this.#slow = slow;
    this.#rng = rng;
  }

  /** Who has not heard of a revision. */
  toString(revision: number): string {
    const late = this.watchers
      .filter(({ next }) => next <= revision)
      .map(({ next, active }) => `${next}${active ? '' : '!'}`);
    return late.length === 0
      ? ''
      : `${this.#slow ? 'slow' : 'fast'} at ${this.#at}, ${this.messages}: ${late.join(' ')}`;
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      const up = this.#cluster.members.filter((member) => member.process.running);
      if (up.length === 0) return;
      await this.#connected(up[this.#rng.below(up.length)]!.endpoint);
      this.resumed++;
      await sleep(20);
    }
  }

  async #connected(endpoint: string): Promise<void> {
    this.#at = endpoint;
    this.messages = 0;
    const client = new H2Client(endpoint);
    const stream = client.stream('/etcdserverpb.Watch/Watch');
    for (const [i, watcher] of this.watchers.entries()) {
      watcher.active = false;
      stream.send(this.#create(i + 1, watcher));
    }
    let asked = Date.now();
    let pauseAt = Date.now() + this.#rng.below(500);
    let partial: Event[] = [];
    while (!this.stopped) {
      const message = await stream.next(100);
      if (message === null) break;
      if (message !== 'silence') this.messages++;
      if (message !== 'silence') partial = this.#take(decodeWatchResponse(message), partial, stream);
      if (Date.now() - asked > 200) {
        asked = Date.now();
        stream.send(PROGRESS);
      }
      if (this.#slow && Date.now() >= pauseAt) {
        // Nothing is read, so the window closes and the server must hold back.
        stream.pause();
        await sleep(300 + this.#rng.below(2500));
        stream.resume();
        pauseAt = Date.now() + 100 + this.#rng.below(1500);
      }
    }
    stream.cancel();
    client.close();
  }

  #create(id: number, { spec, next }: Watcher): Buffer {
    const { key, end: rangeEnd, prevKv, noPut, noDelete, progressNotify } = spec;
    const filters = [...(noPut ? [0] : []), ...(noDelete ? [1] : [])];
    const fields = { key, rangeEnd, prevKv, filters, progressNotify, watchId: id, startRevision: next, fragment: true };
    return encodeWatchRequest(makeWatchRequest(WatchKind.CREATE, WatchCreateRequest.make(fields)));
  }

  #take(response: WatchResponse, partial: Event[], stream: { send(bytes: Buffer): void }): Event[] {
    const { watchId, events, header, created, canceled, compactRevision, fragment } = response;
    const revision = header?.revision ?? 0;
    if (watchId === -1 && !canceled) {
      this.progressed++;
      for (const watcher of this.watchers) if (watcher.active) watcher.progress(revision);
      return partial;
    }
    const watcher = this.watchers[Number(watchId) - 1];
    if (watcher === undefined) throw new Error(`a response for watcher ${watchId}`);
    if (created) watcher.active = true;
    if (canceled) {
      if (compactRevision !== 0) {
        watcher.compacted(compactRevision);
        watcher.active = false;
        // Its id stays taken until it is cancelled. It begins anew with what the compaction has left.
        stream.send(encodeWatchRequest(makeWatchRequest(WatchKind.CANCEL, { watchId })));
        stream.send(this.#create(Number(watchId), watcher));
      } else if (watcher.active) watcher.faults.push(`cancelled: ${response.cancelReason}`);
    } else if (events.length > 0) {
      const whole = partial.concat(events);
      if (fragment) return whole;
      watcher.take(whole, revision);
    } else if (!created) watcher.progress(revision);
    return [];
  }
}

/** Writes transactions and knows what became of them, where it was told. */
class Writer {
  readonly acknowledged = new Map<number, [type: number, key: string, value: string][]>();
  readonly #cluster: Cluster;
  readonly #rng: Rng;
  readonly #clients = new Map<string, H2Client>();
  #count = 0;
  last = 1;
  compactions = 0;
  stopped = false;

  /** Revisions that a compaction leaves: less than a slow watcher may be behind. */
  readonly #kept: number;

  constructor(cluster: Cluster, rng: Rng, kept: number) {
    this.#cluster = cluster;
    this.#rng = rng;
    this.#kept = kept;
  }

  async run(): Promise<void> {
    await Promise.all([this.#compact(), ...Array.from({ length: WRITERS }, () => this.#write())]);
    for (const client of this.#clients.values()) client.close();
  }

  async #write(): Promise<void> {
    while (!this.stopped) await this.write();
  }

  async #compact(): Promise<void> {
    let compactAt = Date.now() + 700;
    for (; !this.stopped; await sleep(50)) {
      if (Date.now() < compactAt || this.last <= this.#kept + 1) continue;
      compactAt = Date.now() + 700;
      const request = CompactionRequest.encode({ revision: this.last - this.#kept, physical: false });
      const { code } = await this.#call('/etcdserverpb.KV/Compact', request);
      if (code === 0) this.compactions++;
    }
  }

  /** One to three changes of different keys in one revision. */
  async write(): Promise<boolean> {
    const rng = this.#rng;
    const keys = new Set(Array.from({ length: 1 + rng.below(3) }, () => KEYS[rng.below(KEYS.length)]!));
    const puts = new Map<string, string>();
    const success = [...keys].map((key): RequestOp => {
      if (rng.below(5) === 0) return makeRequestOp(OpKind.DELETE_RANGE, { ...makeDeleteRangeRequest(), key });
      const value = `${++this.#count} ${'.'.repeat(rng.below(2000))}`;
      puts.set(key, value);
      return makeRequestOp(OpKind.PUT, { ...makePutRequest(), key, value: Buffer.from(value) });
    });
    const request = encodeTxnRequest({ ...makeTxnRequest(), success });
    const { code, messages } = await this.#call('/etcdserverpb.KV/Txn', request);
    if (code !== 0) {
      await sleep(20);
      return false;
    }
    const { header } = decodeTxnResponse(messages[0]!);
    this.last = Math.max(this.last, header!.revision);
    if (puts.size > 0)
      this.acknowledged.set(
        header!.revision,
        [...puts].map(([key, value]) => [0, key, value]),
      );
    return true;
  }

  async #call(path: string, request: Buffer): Promise<{ code: number; messages: Buffer[] }> {
    const up = this.#cluster.members.filter((member) => member.process.running);
    if (up.length === 0) return { code: -1, messages: [] };
    const { endpoint } = up[this.#rng.below(up.length)]!;
    let client = this.#clients.get(endpoint);
    if (client === undefined) this.#clients.set(endpoint, (client = new H2Client(endpoint)));
    return client.unary(path, request, { 'grpc-timeout': '1S' });
  }
}

/** Kills a member, leaves it down while the others' logs go on past it, and starts it again: it gets a snapshot. */
async function disturb(cluster: Cluster, until: number, downMs: number): Promise<number> {
  let kills = 0;
  for (let n = 0; Date.now() < until; n++) {
    await sleep(500);
    const leader = await cluster.leader().catch(() => 'm1');
    const name = n % 2 === 0 ? cluster.names.find((other) => other !== leader)! : leader;
    await cluster.kill9(name);
    kills++;
    await sleep(downMs);
    await cluster.restart(name);
  }
  return kills;
}

function anySpec(rng: Rng, n: number): Spec {
  const key = KEYS[rng.below(KEYS.length - 1)]!;
  const end =
    n % 4 === 0 ? '' : n % 4 === 1 ? 'l' : `k${String(Number(key.slice(1)) + 1 + rng.below(8)).padStart(2, '0')}`;
  const filter = rng.below(6);
  return {
    key,
    end,
    prevKv: rng.below(2) === 0,
    noPut: filter === 0,
    noDelete: filter === 1,
    progressNotify: rng.below(4) === 0,
  };
}

/**
 * 200 watchers, a third of them slow, while members are killed, compactions pass and snapshots are installed. A watcher
 * that loses its member goes on with another where it was. Each must have been told of every change that it asked for,
 * once, in order, a revision's all together, with what it replaced; and no progress may have run ahead.
 */
export function watchTest(seconds: number): void {
  const reason = missing('keel');
  if (reason) console.warn(`SKIPPED 200 watchers: ${reason}`);
  const seed = Number(process.env.KEEL_FC_SEED ?? Date.now() % 1_000_000);
  it.skipIf(reason)(`200 watchers for ${seconds} s (KEEL_FC_SEED=${seed})`, { timeout: seconds * 1000 + 90_000 }, () =>
    withCluster(
      {
        kind: 'keel',
        snapshotCount: 100,
        flags: ['--snapshot-catchup-entries', '50', '--watch-progress-notify-interval', '300ms'],
      },
      async (cluster) => {
        const rng = new Rng(seed);
        const all = new Watcher(
          { ...anySpec(rng, 0), key: 'k', end: 'l', prevKv: true, noPut: false, noDelete: false },
          2,
        );
        const streams = Array.from({ length: STREAMS }, (_, s) => {
          const watchers = Array.from({ length: WATCHERS_PER_STREAM }, (_x, w) => new Watcher(anySpec(rng, w), 2));
          return new Stream(cluster, watchers, s % 3 === 0, rng);
        });
        streams.push(new Stream(cluster, [all], false, rng));
        const kept = seconds < 30 ? 40 : 300;
        const writer = new Writer(cluster, rng, kept);
        const running = [...streams.map((stream) => stream.run()), writer.run()];
        const kills = await disturb(cluster, Date.now() + seconds * 1000, Math.min(4000, seconds * 250));
        writer.stopped = true;
        await running.at(-1);
        // One more, so that there is something to wait for.
        const end = new Writer(cluster, rng, kept);
        while (!(await end.write()));
        const watchers = streams.flatMap((stream) => stream.watchers);
        for (const until = Date.now() + 30_000; watchers.some(({ next }) => next <= end.last); await sleep(50)) {
          const late = watchers.filter(({ next }) => next <= end.last).length;
          if (Date.now() > until) {
            const where = streams.map((stream) => stream.toString(end.last)).filter((text) => text !== '');
            throw new Error(`${late} watchers have not heard of revision ${end.last}: ${where.join('; ')}`);
          }
        }
        for (const stream of streams) stream.stopped = true;
        await Promise.all(running);

        const faults = watchers.flatMap((watcher, n) => watcher.check(all.told).map((text) => `watcher ${n}: ${text}`));
        for (const [revision, puts] of writer.acknowledged) {
          const told = all.told.get(revision) ?? [];
          const had = puts.every(([, key, value]) => told.some((event) => event.key === key && event.value === value));
          if (!had) faults.push(`acknowledged at ${revision}, and not told`);
        }
        expect(faults.slice(0, 5)).toEqual([]);
        expect(all.gaps).toEqual([]);
        const installs = cluster.members.map((member) => member.process.log().split('applied snapshot').length - 1);
        const gaps = watchers.reduce((sum, watcher) => sum + watcher.gaps.length, 0);
        const progress = streams.reduce((sum, stream) => sum + stream.progressed, 0);
        console.log(
          `${all.told.size} revisions, ${writer.compactions} compactions, ${kills} kills, ${installs} snapshots installed, ${gaps} ended by a compaction, ${progress} times progress`,
        );
        expect(all.told.size).toBeGreaterThan(seconds * 5);
        expect(writer.compactions).toBeGreaterThan(0);
        expect(kills).toBeGreaterThan(0);
        expect(progress).toBeGreaterThan(0);
        if (seconds >= 30) expect(installs.some((count) => count > 0)).toBe(true);
      },
    ),
  );
}
