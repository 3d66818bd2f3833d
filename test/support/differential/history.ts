import { checkRange, checkTxn } from '../../../src/mvcc/index.js';
import { settleTxnEnds } from '../../../src/rpc/range-end.js';
import type { RequestOp, TxnRequest } from '../../../src/wire/index.js';
import { OpKind, RangeRequest as RangeCodec, TxnRequest as TxnCodec } from '../../../src/wire/index.js';
import { sleep } from '../member-process.js';
import type { Json, Method } from './contract.js';
import { decode, encode, method } from './contract.js';
import { knownDifference, LISTED } from './known.js';
import type { Operation } from './operations.js';
import { resolve, STREAMS } from './operations.js';
import type { Pair } from './pair.js';
import type { Answer, Target, WatchStream } from './target.js';
import { revisionOf } from './target.js';

/** The two did not do the same. */
export class Difference extends Error {}

/** ms that a real etcd may take until a watcher that began in the past is one of the present: its loop runs every 100 ms. */
const SYNC_MS = 260;
/** ms until what both must say has been said. */
const PATIENCE_MS = 10_000;

export interface Counts {
  operations: number;
  known: Map<string, number>;
  refused: number;
}

interface Streams {
  readonly keel: WatchStream;
  readonly etcd: WatchStream;
  /** The highest revision at which one of its watchers begins. */
  start: number;
}

/**
 * Does one history to both, a step at a time, and compares what they say. Steps go on from whatever an earlier history
 * left, but for its keys, leases and watchers.
 */
export class History {
  readonly #pair: Pair;
  readonly #counts: Counts;
  #now = 1;
  #compact = -1;
  #streams: Streams[] = [];
  /** A watcher may still be on its way to the present. */
  #unsyncedUntil = 0;

  constructor(pair: Pair, counts: Counts) {
    this.#pair = pair;
    this.#counts = counts;
  }

  async run(operations: readonly Operation[]): Promise<void> {
    await this.#begin();
    try {
      for (const operation of operations) {
        await this.#step(operation);
        this.#counts.operations++;
      }
      await this.#end();
    } finally {
      for (const { keel, etcd } of this.#streams) {
        keel.close();
        etcd.close();
      }
    }
  }

  async #begin(): Promise<void> {
    await this.#call('KV/DeleteRange', { key: '\0', range_end: '\0' });
    const { body } = await this.#pair.etcd.unary(method('Lease/LeaseLeases'), Buffer.alloc(0));
    for (const { ID } of (body?.leases ?? []) as { ID: string }[]) await this.#call('Lease/LeaseRevoke', { ID });
    await this.#call('KV/Put', { key: '~', value: 'begin' });
    await this.#call('KV/DeleteRange', { key: '~' });
    if (this.#now > 3) await this.#call('KV/Compact', { revision: String(this.#now), physical: true });
    for (let n = 0; n < STREAMS; n++) this.#streams.push(this.#open());
    await this.#watch(0, { create_request: { key: '\0', range_end: '\0', prev_kv: true, watch_id: '1000' } });
  }

  async #end(): Promise<void> {
    await this.#call('KV/Put', { key: '~', value: 'end' });
    await this.#settle();
    await this.#call('KV/Range', { key: '\0', range_end: '\0' });
    await this.#call('Lease/LeaseLeases', {});
    await this.#call('Maintenance/HashKV', { revision: String(this.#now) });
    await this.#call('Maintenance/HashKV', {});
  }

  async #step(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'call':
        await this.#call(operation.rpc, operation.req);
        break;
      case 'cut': {
        const rpc = method(operation.rpc);
        const whole = encode(rpc.request, this.#resolved(operation.req));
        if (operation.rpc === 'KV/Txn' || whole.length === 0) break;
        const at = operation.at % whole.length;
        const bytes = operation.flip === 0 ? whole.subarray(0, at) : Buffer.from(whole);
        if (operation.flip !== 0) bytes[at] = bytes[at]! ^ operation.flip;
        if (operation.rpc === 'KV/Range' && deadly(bytes)) break;
        await this.#both(operation.rpc, rpc, bytes, { ...decodable(rpc, bytes), hex: bytes.toString('hex') });
        break;
      }
      case 'brief lease':
        await this.#briefLease(operation.id, operation.ttl);
        break;
      case 'renew': {
        const rpc = method('Lease/LeaseKeepAlive');
        const request = encode(rpc.request, { ID: operation.id });
        const [keel, etcd] = await this.#ask((target) => target.exchange(rpc, request));
        this.#compare('Lease/LeaseKeepAlive', { ID: operation.id }, keel, etcd);
        break;
      }
      case 'watch':
        await this.#watch(operation.stream, operation.req);
        break;
      case 'watch bytes':
        await this.#settle();
        await this.#sendAndFence(operation.stream, Buffer.from(operation.hex, 'hex'), true);
        await this.#settle();
        break;
      case 'reopen': {
        await this.#settle();
        const { keel, etcd } = this.#streams[operation.stream]!;
        keel.close();
        etcd.close();
        this.#streams[operation.stream] = this.#open();
        break;
      }
    }
  }

  #resolved(req: Json): Json {
    return resolve(req, this.#now, this.#compact) as Json;
  }

  async #call(name: string, req: Json): Promise<void> {
    const rpc = method(name);
    const resolved = this.#resolved(req);
    const bytes = encode(rpc.request, resolved);
    if (name === 'KV/Txn' && ruinous(bytes)) return;
    if (name === 'KV/Compact') await this.#settle();
    await this.#both(name, rpc, bytes, resolved);
  }

  async #both(name: string, rpc: Method, bytes: Buffer, req: Json): Promise<void> {
    const [keel, etcd] = await this.#ask((target) => target.unary(rpc, bytes));
    this.#compare(name, req, keel, etcd);
    if (name === 'KV/Compact' && etcd.code === 0) {
      this.#compact = Number(req.revision ?? 0);
      this.#pair.compactions.add(this.#compact);
    }
  }

  async #ask(call: (target: Target) => Promise<Answer>): Promise<[Answer, Answer]> {
    return Promise.all([call(this.#pair.keel), call(this.#pair.etcd)]);
  }

  /** Both ids are the server's where none was given, and what is left of the time is not looked at. */
  async #briefLease(id: string, ttl: string): Promise<void> {
    const rpc = method('Lease/LeaseGrant');
    const req = { ID: id, TTL: ttl };
    const answers = await this.#ask((target) => target.unary(rpc, encode(rpc.request, req)));
    const ids = answers.map(({ body }) => String(body?.ID ?? '0'));
    if (id === '0') {
      for (const [i, given] of ids.entries()) {
        if (answers[i]!.code === 0 && BigInt(given) <= 0n) throw this.#difference('Lease/LeaseGrant', req, ...answers);
        if (answers[i]!.body !== null) answers[i]!.body!.ID = 'chosen';
      }
    }
    this.#compare('Lease/LeaseGrant', req, ...answers);
    if (answers[0]!.code !== 0) return;
    const revoke = method('Lease/LeaseRevoke');
    const [keel, etcd] = await Promise.all([
      this.#pair.keel.unary(revoke, encode(revoke.request, { ID: ids[0] })),
      this.#pair.etcd.unary(revoke, encode(revoke.request, { ID: ids[1] })),
    ]);
    this.#compare('Lease/LeaseRevoke', { ID: id }, keel, etcd);
  }

  // --- watching ---

  #open(): Streams {
    return { keel: this.#pair.keel.watch(), etcd: this.#pair.etcd.watch(), start: 0 };
  }

  async #watch(stream: number, req: Json): Promise<void> {
    const resolved = this.#resolved(req);
    const create = resolved.create_request as Json | undefined;
    if (Number(create?.start_revision ?? 0) < 0) return this.#skip('negative start');
    if (create === undefined) await this.#settle();
    const streams = this.#streams[stream]!;
    const start = Number(create?.start_revision ?? 0);
    if (resolved.progress_request !== undefined && streams.start > this.#now)
      return this.#skip('progress before a start');
    streams.start = Math.max(streams.start, start);
    const { request } = method('Watch/Watch');
    if (start > 0) this.#unsyncedUntil = Date.now() + SYNC_MS;
    await this.#sendAndFence(stream, encode(request, resolved), create === undefined);
    await this.#settle(false);
  }

  /** Not every request is answered. A create is, and so it tells that those before it have been, or the stream's end. */
  async #sendAndFence(stream: number, bytes: Buffer, fence: boolean): Promise<void> {
    const { keel, etcd } = this.#streams[stream]!;
    const before = created(keel);
    this.#send(stream, bytes);
    if (fence) this.#send(stream, encode(method('Watch/Watch').request, { create_request: FENCE }));
    await this.#until(() => [keel, etcd].every((side) => side.end !== null || created(side) > before));
  }

  #send(stream: number, bytes: Buffer): void {
    const { keel, etcd } = this.#streams[stream]!;
    keel.send(bytes);
    etcd.send(bytes);
  }

  /** Waits until both have said the same, and watchers that had to catch up have. */
  async #settle(catchUp = true): Promise<void> {
    if (catchUp && this.#unsyncedUntil > Date.now()) await sleep(this.#unsyncedUntil - Date.now());
    await this.#until(() => this.#streams.every((stream) => told(stream.keel) === told(stream.etcd)));
    for (const { keel, etcd } of this.#streams) {
      for (const [side, { faults }] of Object.entries({ keel, etcd })) {
        if (faults.length > 0) throw new Difference(`${side}: ${faults.join('; ')}`);
      }
    }
  }

  async #until(holds: () => boolean): Promise<void> {
    for (const since = Date.now(); !holds(); ) {
      if (Date.now() - since > PATIENCE_MS) throw new Difference(`the watchers differ\n${this.#watchReport()}`);
      await sleep(1);
    }
  }

  #watchReport(): string {
    const lines: string[] = [];
    for (const [n, { keel, etcd }] of this.#streams.entries()) {
      if (told(keel) === told(etcd)) continue;
      const [ours, theirs] = [told(keel), told(etcd)];
      let at = 0;
      while (ours[at] === theirs[at]) at++;
      const around = (text: string): string => `... ${text.slice(Math.max(0, at - 400), at + 400)} ...`;
      lines.push(`stream ${n}, keel: ${around(ours)}`, `stream ${n}, etcd: ${around(theirs)}`);
    }
    return lines.join('\n');
  }

  // --- comparing ---

  #compare(rpc: string, req: Json, ...[keelAnswer, etcdAnswer]: Answer[]): void {
    const [keel, etcd] = [masked(rpc, keelAnswer!), masked(rpc, etcdAnswer!)];
    this.#now = Math.max(this.#now, revisionOf(etcd.body));
    if (etcd.code !== 0) this.#counts.refused++;
    if (JSON.stringify(keel) === JSON.stringify(etcd)) return;
    const known = knownDifference({ rpc, req, keel, etcd, compactions: this.#pair.compactions });
    if (known === null) throw this.#difference(rpc, req, keel, etcd);
    this.#skip(known);
  }

  /** @param known a line of test/testdata/compat-3.5/differential.txt */
  #skip(known: string): void {
    if (!LISTED.has(known)) throw new Error(`test/testdata/compat-3.5/differential.txt has no line ${known}`);
    this.#counts.known.set(known, (this.#counts.known.get(known) ?? 0) + 1);
  }

  #difference(rpc: string, req: Json, ...[keel, etcd]: Answer[]): Difference {
    const show = (answer: Answer | undefined): string => JSON.stringify(answer);
    const { dead } = this.#pair;
    return new Difference(
      [
        `${rpc} ${JSON.stringify(req)} at revision ${this.#now}, compacted ${this.#compact}`,
        `keel: ${show(keel)}`,
        `etcd: ${show(etcd)}`,
        ...(dead === null ? [] : [dead]),
      ].join('\n'),
    );
  }
}

/** A request that is refused, and leaves nothing. */
const FENCE = { key: 'b', range_end: 'a' };

function created(stream: WatchStream): number {
  return stream.answers.filter((answer) => answer.created === true).length;
}

/**
 * Everything that a stream's client has been told, but for who told it and in how many responses. Progress, and the end
 * by a compaction, go with the events: whether they come before or after the answer to a later request is not said.
 */
function told(stream: WatchStream): string {
  const answers = stream.answers.map((answer) => headerless(answer));
  const isEvent = (answer: Json): boolean =>
    (answer.watch_id === '-1' && answer.canceled !== true) || answer.compact_revision !== undefined;
  return JSON.stringify([
    answers.filter((answer) => !isEvent(answer)),
    answers.filter(isEvent),
    [...stream.events].sort(),
    stream.end,
  ]);
}

/** Ids of cluster and member and the term are left out. */
function headerless(body: Json): Json {
  const header = body.header as Json | undefined;
  return header === undefined ? body : { ...body, header: { revision: header.revision ?? '0' } };
}

function masked(rpc: string, answer: Answer): Answer {
  if (answer.body === null) return answer;
  const body = headerless(answer.body);
  if (rpc === 'Lease/LeaseTimeToLive') {
    // What is left of the time is within seconds of what was granted, or the lease is not there.
    const { TTL, grantedTTL, keys, ...rest } = body;
    const left = Number(TTL);
    const near = left <= Number(grantedTTL) && left > Number(grantedTTL) - 60;
    const sorted = keys === undefined ? {} : { keys: [...(keys as string[])].sort() };
    return { ...answer, body: { ...rest, TTL: near ? 'near' : TTL, grantedTTL, ...sorted } };
  }
  // Of those that end at nearly the same time either may be the first.
  if (rpc === 'Lease/LeaseLeases') {
    const leases = ((body.leases ?? []) as { ID: string }[]).map(({ ID }) => ID).sort();
    return { ...answer, body: { ...body, leases } };
  }
  // Since 3.6.
  if (rpc === 'Maintenance/HashKV') {
    const { hash_revision: _, ...rest } = body;
    return { ...answer, body: rest };
  }
  return { ...answer, body };
}

function decodable(rpc: Method, bytes: Buffer): Json {
  try {
    return decode(rpc.request, bytes);
  } catch {
    return {};
  }
}

/** An unknown way of sorting ends a real etcd 3.5. */
function deadly(bytes: Buffer): boolean {
  try {
    return checkRange({ ...RangeCodec.decode(bytes), key: 'a' }) !== null;
  } catch {
    return false;
  }
}

/**
 * A transaction that changes a key twice and that etcd's check of duplicates lets pass: a real etcd does not survive the
 * compaction of what it leaves (test/mvcc/differential.test.ts has these, last in a history).
 */
function ruinous(bytes: Buffer): boolean {
  const req = TxnCodec.decode(bytes);
  settleTxnEnds(req);
  return checkTxn(req, 128) === null && changesTwice(req);
}

function changesTwice(req: TxnRequest): boolean {
  const ops = [...flat(req.success), ...flat(req.failure)];
  const puts = ops.flatMap((op) => (op.kind === OpKind.PUT ? [op.request.key] : []));
  const dels = ops.flatMap((op) => (op.kind === OpKind.DELETE_RANGE ? [op.request] : []));
  return puts.some((put) => dels.some(({ key, rangeEnd }) => put >= key && (rangeEnd !== '' || put === key)));
}

function flat(ops: readonly RequestOp[]): RequestOp[] {
  return ops.flatMap((op) =>
    op.kind === OpKind.TXN ? [...flat(op.request.success), ...flat(op.request.failure)] : [op],
  );
}
