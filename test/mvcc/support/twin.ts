import { crc32c } from '../../../src/util/crc32c.js';
import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest, TxnRequest } from '../../../src/wire/index.js';
import { encodeKeyValue, encodeKeyValueKeyOnly, OpKind } from '../../../src/wire/index.js';

export interface Kv {
  readonly key: string;
  /** latin1 */
  readonly value: string;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
  readonly lease: bigint;
}

export interface TwinEvent {
  readonly mod: number;
  readonly key: string;
  /** null: deleted */
  readonly kv: Kv | null;
  readonly prev: Kv | null;
}

interface Row {
  readonly main: number;
  readonly sub: number;
  readonly key: string;
  readonly kv: Kv | null;
}

type State = ReadonlyMap<string, Kv>;
export type TwinRefusal = 'compacted' | 'future' | 'lease-not-found' | 'key-not-found';

export interface TwinRange {
  revision: number;
  kvs: Kv[];
  more: boolean;
  count: number;
}
export type TwinPart =
  | { op: 'range'; result: TwinRange }
  | { op: 'put'; revision: number; prev: Kv | null }
  | { op: 'delete'; revision: number; deleted: number; prevs: Kv[] }
  | { op: 'txn'; succeeded: boolean; parts: TwinPart[] };

/**
 * The deliberately dumb store: a copy of the whole map for every revision, everything by linear search. What it says is
 * written from etcd semantics §3-§5, not from src/mvcc.
 */
export class Twin {
  /** states[r] is the content at revision r; 0 and 1 are empty. */
  states: State[] = [new Map(), new Map()];
  events = new Map<number, TwinEvent[]>();
  rows: Row[] = [];
  compactRev = -1;
  leases = new Set<bigint>();

  get rev(): number {
    return this.states.length - 1;
  }

  get now(): State {
    return this.states[this.rev]!;
  }

  clone(): Twin {
    const twin = new Twin();
    twin.states = [...this.states];
    twin.events = new Map(this.events);
    twin.rows = [...this.rows];
    twin.compactRev = this.compactRev;
    twin.leases = new Set(this.leases);
    return twin;
  }

  range(req: RangeRequest): TwinRange | TwinRefusal {
    if (req.revision > this.rev) return 'future';
    const revision = req.revision <= 0 ? this.rev : req.revision;
    if (revision < this.compactRev) return 'compacted';
    return rangeOf(this.states[revision]!, req, this.rev);
  }

  put(req: PutRequest): { revision: number; prev: Kv | null } | TwinRefusal {
    if (req.lease !== 0n && !this.leases.has(req.lease)) return 'lease-not-found';
    if ((req.ignoreValue || req.ignoreLease) && !this.now.has(req.key)) return 'key-not-found';
    const txn = new TwinTxn(this);
    const prev = txn.put(req);
    txn.end();
    return { revision: this.rev, prev };
  }

  deleteRange(req: DeleteRangeRequest): { revision: number; deleted: number; prevs: Kv[] } {
    const txn = new TwinTxn(this);
    const gone = txn.delete(select(txn.map, req.key, req.rangeEnd).map((kv) => kv.key));
    txn.end();
    return { revision: this.rev, deleted: gone.length, prevs: req.prevKv ? gone : [] };
  }

  deleteKeys(keys: readonly string[]): void {
    const txn = new TwinTxn(this);
    txn.delete(keys);
    txn.end();
  }

  txn(req: TxnRequest): { revision: number; succeeded: boolean; parts: TwinPart[] } | TwinRefusal {
    const plan = this.#plan(req);
    for (const leaf of leaves(plan)) {
      if (leaf.kind !== OpKind.PUT) continue;
      const { key, lease, ignoreLease, ignoreValue } = leaf.request;
      if ((ignoreValue || ignoreLease) && !this.now.has(key)) return 'key-not-found';
      if (lease !== 0n && !this.leases.has(lease)) return 'lease-not-found';
    }
    for (const leaf of leaves(plan)) {
      if (leaf.kind !== OpKind.RANGE || leaf.request.revision === 0) continue;
      if (leaf.request.revision > this.rev) return 'future';
      if (leaf.request.revision < this.compactRev) return 'compacted';
    }
    const txn = new TwinTxn(this);
    const parts = this.#run(plan, txn);
    txn.end();
    return { revision: this.rev, succeeded: plan.succeeded, parts };
  }

  compact(revision: number): TwinRefusal | null {
    if (revision <= this.compactRev) return 'compacted';
    if (revision > this.rev) return 'future';
    this.compactRev = revision;
    return null;
  }

  grant(id: bigint): boolean {
    if (this.leases.has(id)) return false;
    this.leases.add(id);
    return true;
  }

  keysOf(id: bigint): string[] {
    return [...this.now.values()]
      .filter((kv) => kv.lease === id)
      .map((kv) => kv.key)
      .sort();
  }

  revoke(id: bigint): boolean {
    if (!this.leases.has(id)) return false;
    this.deleteKeys(this.keysOf(id));
    this.leases.delete(id);
    return true;
  }

  /** From the definition in etcd semantics §7. */
  hash(revision: number): { hash: number; hashRevision: number } | TwinRefusal {
    if (revision > this.rev) return 'future';
    if (revision > 0 && revision < this.compactRev) return 'compacted';
    const at = revision === 0 ? this.rev : revision;
    const isNewest = (row: Row, r: number): boolean => {
      const kv = this.states[r]!.get(row.key);
      return kv !== undefined && row.kv === kv;
    };
    const keepsAny = this.states[at]!.size > 0;
    let crc = crc32c(Buffer.from('key'));
    for (const row of this.rows) {
      if (row.main > at) continue;
      if (row.main <= this.compactRev) {
        // Where K(R) is empty: what is left when the compaction is done.
        if (!isNewest(row, keepsAny ? at : this.compactRev)) continue;
      }
      const key = Buffer.alloc(row.kv === null ? 18 : 17);
      key.writeBigUInt64BE(BigInt(row.main), 0);
      key.write('_', 8);
      key.writeBigUInt64BE(BigInt(row.sub), 9);
      if (row.kv === null) key.write('t', 17);
      crc = crc32c(rowBytes(row), crc32c(key, crc));
    }
    return { hash: crc, hashRevision: at };
  }

  /** What is physically left when every compaction is done. */
  survivingRows(): number {
    // A transaction may delete a key, put it and delete it again: the last of these rows speaks for it.
    const last = new Map(this.rows.filter((row) => row.main <= this.compactRev).map((row) => [row.key, row]));
    return this.rows.filter((row) => {
      if (row.main > this.compactRev) return true;
      if (row.kv === null) return row.main === this.compactRev && last.get(row.key) === row;
      return this.states[this.compactRev]!.get(row.key) === row.kv;
    }).length;
  }

  #plan(req: TxnRequest): Plan {
    const succeeded = req.compare.every((compare) => this.#holds(compare));
    const ops = succeeded ? req.success : req.failure;
    return {
      succeeded,
      ops: ops.map((op) => (op.kind === OpKind.TXN ? { kind: op.kind, plan: this.#plan(op.request) } : op)) as PlanOp[],
    };
  }

  #holds(compare: Compare): boolean {
    const kvs = select(this.now, compare.key, compare.rangeEnd);
    const missing: Kv = { key: '', value: '', create: 0, mod: 0, version: 0, lease: 0n };
    if (kvs.length === 0 && compare.target === 3) return false;
    return (kvs.length === 0 ? [missing] : kvs).every((kv) => {
      const [a, b] = [
        [kv.version, compare.version],
        [kv.create, compare.createRevision],
        [kv.mod, compare.modRevision],
        [kv.value, compare.value.toString('latin1')],
        [kv.lease, compare.lease],
      ][compare.target] as [number, number];
      return [a === b, a > b, a < b, a !== b][compare.result]!;
    });
  }

  #run(plan: Plan, txn: TwinTxn): TwinPart[] {
    return plan.ops.map((op) => this.#runOp(op, txn));
  }

  #runOp(op: PlanOp, txn: TwinTxn): TwinPart {
    switch (op.kind) {
      case OpKind.RANGE: {
        const state = op.request.revision > 0 ? this.states[op.request.revision]! : txn.map;
        return { op: 'range', result: rangeOf(state, op.request, txn.rev) };
      }
      case OpKind.PUT: {
        const prev = txn.put(op.request);
        return { op: 'put', revision: txn.rev, prev };
      }
      case OpKind.DELETE_RANGE: {
        const gone = txn.delete(select(txn.map, op.request.key, op.request.rangeEnd).map((kv) => kv.key));
        return { op: 'delete', revision: txn.rev, deleted: gone.length, prevs: op.request.prevKv ? gone : [] };
      }
      case OpKind.TXN:
        return { op: 'txn', succeeded: op.plan.succeeded, parts: this.#run(op.plan, txn) };
    }
  }
}

interface Plan {
  succeeded: boolean;
  ops: PlanOp[];
}
type PlanOp =
  | { kind: typeof OpKind.RANGE; request: RangeRequest }
  | { kind: typeof OpKind.PUT; request: PutRequest }
  | { kind: typeof OpKind.DELETE_RANGE; request: DeleteRangeRequest }
  | { kind: typeof OpKind.TXN; plan: Plan };

function* leaves(plan: Plan): Generator<Exclude<PlanOp, { plan: Plan }>> {
  for (const op of plan.ops) {
    if (op.kind === OpKind.TXN) yield* leaves(op.plan);
    else yield op;
  }
}

class TwinTxn {
  readonly map: Map<string, Kv>;
  readonly #twin: Twin;
  readonly #events: TwinEvent[] = [];

  constructor(twin: Twin) {
    this.#twin = twin;
    this.map = new Map(twin.now);
  }

  get rev(): number {
    return this.#twin.rev + (this.#events.length > 0 ? 1 : 0);
  }

  put(req: PutRequest): Kv | null {
    const old = this.map.get(req.key);
    const mod = this.#twin.rev + 1;
    const kv: Kv = {
      key: req.key,
      value: req.ignoreValue ? (old?.value ?? '') : req.value.toString('latin1'),
      create: old?.create ?? mod,
      mod,
      version: (old?.version ?? 0) + 1,
      lease: req.ignoreLease ? (old?.lease ?? 0n) : req.lease,
    };
    this.map.set(req.key, kv);
    this.#record(req.key, kv);
    return req.prevKv ? (old ?? null) : null;
  }

  delete(keys: readonly string[]): Kv[] {
    const gone: Kv[] = [];
    for (const key of keys) {
      const old = this.map.get(key);
      if (old === undefined) continue;
      gone.push(old);
      this.map.delete(key);
      this.#record(key, null);
    }
    return gone;
  }

  end(): void {
    if (this.#events.length === 0) return;
    this.#twin.states.push(this.map);
    this.#twin.events.set(this.#twin.rev, this.#events);
  }

  #record(key: string, kv: Kv | null): void {
    const twin = this.#twin;
    const mod = twin.rev + 1;
    twin.rows.push({ main: mod, sub: this.#events.length, key, kv });
    // What a transaction deletes and puts again is created anew: of that nothing was before (W12).
    const createdAnew = kv !== null && kv.create === mod;
    this.#events.push({ mod, key, kv, prev: createdAnew ? null : (twin.now.get(key) ?? null) });
  }
}

export function inRange(key: string, begin: string, end: string): boolean {
  if (end === '') return key === begin;
  return key >= begin && (end === '\0' || key < end);
}

function select(state: State, key: string, end: string): Kv[] {
  return [...state.values()].filter((kv) => inRange(kv.key, key, end)).sort((a, b) => (a.key < b.key ? -1 : 1));
}

function rangeOf(state: State, req: RangeRequest, revision: number): TwinRange {
  const all = select(state, req.key, req.rangeEnd);
  if (req.countOnly) return { revision, kvs: [], more: false, count: all.length };
  let kvs = all;
  const filtered = req.maxModRevision || req.minModRevision || req.maxCreateRevision || req.minCreateRevision;
  if (req.limit > 0 && req.sortOrder === 0 && !filtered) kvs = kvs.slice(0, req.limit + 1);
  if (req.maxModRevision) kvs = kvs.filter((kv) => kv.mod <= req.maxModRevision);
  if (req.minModRevision) kvs = kvs.filter((kv) => kv.mod >= req.minModRevision);
  if (req.maxCreateRevision) kvs = kvs.filter((kv) => kv.create <= req.maxCreateRevision);
  if (req.minCreateRevision) kvs = kvs.filter((kv) => kv.create >= req.minCreateRevision);
  const field = (['key', 'version', 'create', 'mod', 'value'] as const)[req.sortTarget]!;
  const sign = req.sortOrder === 2 ? -1 : 1;
  kvs = [...kvs].sort((a, b) => sign * (a[field] < b[field] ? -1 : a[field] > b[field] ? 1 : 0));
  const more = req.limit > 0 && kvs.length > req.limit;
  if (more) kvs = kvs.slice(0, req.limit);
  if (req.keysOnly) kvs = kvs.map((kv) => ({ ...kv, value: '' }));
  return { revision, kvs, more, count: all.length };
}

function rowBytes(row: Row): Buffer {
  if (row.kv === null) return encodeKeyValueKeyOnly(row.key);
  const { key, value, create, mod, version, lease } = row.kv;
  return encodeKeyValue({
    key,
    value: Buffer.from(value, 'latin1'),
    createRevision: create,
    modRevision: mod,
    version,
    lease,
  });
}
