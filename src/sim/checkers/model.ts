import type { CompareOp, InnerOp, InnerResponse, Kv, KvEvent, Op, Response, TxnOp, TxnResponse } from './history.js';
import { inRange } from './history.js';

/**
 * The store as a user may think of it: a map and a revision. It is the yardstick of the checkers and shares nothing
 * with mvcc/.
 */
export interface ModelState {
  revision: number;
  /** Live keys only. Never changed by `evaluate`. */
  kvs: ReadonlyMap<string, Kv>;
}

/** What an operation would answer and change. */
export interface Evaluation {
  response: Response;
  /** Empty where the revision is not bumped. */
  events: KvEvent[];
}

export function emptyModel(): ModelState {
  return { revision: 1, kvs: new Map() };
}

/**
 * Runs an operation on a state without changing it. Leases are known by their keys only: a grant or keepalive
 * changes nothing, a revoke deletes what is attached.
 */
export function evaluate(state: ModelState, op: Op): Evaluation {
  switch (op.kind) {
    case 'put':
    case 'range':
    case 'delete': {
      const draft = new Draft(state);
      const response = draft.run(op);
      return { response, events: draft.events };
    }
    case 'txn':
      return evaluateTxn(state, op);
    case 'revoke': {
      const draft = new Draft(state);
      const attached = [...state.kvs.values()].filter((kv) => kv.lease === op.lease && kv.lease !== '0');
      for (const key of attached.map((kv) => kv.key).sort())
        draft.run({ kind: 'delete', key, rangeEnd: '', prev: false });
      return { response: { kind: 'lease', revision: draft.revision, ttl: 0 }, events: draft.events };
    }
    case 'grant':
    case 'keepalive':
      return { response: { kind: 'lease', revision: state.revision, ttl: 0 }, events: [] };
    case 'log':
      throw new Error('a log read is not an operation of the model');
  }
}

/** @returns the state after one revision's events, or the same state where there are none */
export function advance(state: ModelState, events: readonly KvEvent[]): ModelState {
  if (events.length === 0) return state;
  const kvs = new Map(state.kvs);
  applyEvents(kvs, events);
  return { revision: state.revision + 1, kvs };
}

/** The same in place, for a sweep over a long log. */
export function applyEvents(kvs: Map<string, Kv>, events: readonly KvEvent[]): void {
  for (const { type, kv } of events) {
    if (type === 'put') kvs.set(kv.key, kv);
    else kvs.delete(kv.key);
  }
}

function evaluateTxn(state: ModelState, op: TxnOp): Evaluation {
  const draft = new Draft(state);
  const response = draft.txn(op);
  return { response: { ...response, revision: draft.revision }, events: draft.events };
}

/** A missing key compares as all zeroes, but never matches on its value (etcd semantics, "Txn"). */
export function holds(state: ModelState, { key, target, result, operand }: CompareOp): boolean {
  const kv = state.kvs.get(key);
  if (target === 'value' && !kv) return false;
  const left = kv ? kv[target] : 0;
  switch (result) {
    case '=':
      return left === operand;
    case '!=':
      return left !== operand;
    case '<':
      return left < operand;
    case '>':
      return left > operand;
  }
}

/** A state with the changes of one revision in the making on top. */
class Draft {
  readonly events: KvEvent[] = [];
  readonly #base: ModelState;
  readonly #changed = new Map<string, Kv | null>();

  constructor(base: ModelState) {
    this.#base = base;
  }

  /** The revision that an answer given now would show. */
  get revision(): number {
    return this.#base.revision + (this.events.length > 0 ? 1 : 0);
  }

  /** Its comparisons are made on what was there before the outermost transaction. */
  txn(op: TxnOp): TxnResponse {
    const succeeded = op.compare.every((compare) => holds(this.#base, compare));
    const responses = (succeeded ? op.success : op.failure).map((inner) => this.run(inner));
    return { kind: 'txn', revision: 0, succeeded, responses };
  }

  run(op: InnerOp): InnerResponse {
    switch (op.kind) {
      case 'put': {
        const before = this.#get(op.key);
        const mod = this.#base.revision + 1;
        const { key, value, lease } = op;
        const kv: Kv = { key, value, create: before?.create ?? mod, mod, version: (before?.version ?? 0) + 1, lease };
        this.#changed.set(key, kv);
        this.events.push({ type: 'put', kv });
        return { kind: 'put', revision: this.revision, prev: op.prev ? before : null };
      }
      case 'delete': {
        const gone = this.#range(op.key, op.rangeEnd);
        for (const kv of gone) {
          this.#changed.set(kv.key, null);
          this.events.push({ type: 'delete', kv: tombstone(kv.key, this.#base.revision + 1) });
        }
        return { kind: 'delete', revision: this.revision, deleted: gone.length, prevs: op.prev ? gone : [] };
      }
      case 'range':
        return { kind: 'range', revision: this.revision, kvs: this.#range(op.key, op.rangeEnd) };
      case 'txn':
        return this.txn(op);
    }
  }

  #get(key: string): Kv | null {
    const changed = this.#changed.get(key);
    return changed !== undefined ? changed : (this.#base.kvs.get(key) ?? null);
  }

  #range(from: string, rangeEnd: string): Kv[] {
    if (rangeEnd === '') {
      const kv = this.#get(from);
      return kv ? [kv] : [];
    }
    const found: Kv[] = [];
    for (const key of new Set([...this.#base.kvs.keys(), ...this.#changed.keys()])) {
      const kv = inRange(key, from, rangeEnd) ? this.#get(key) : null;
      if (kv) found.push(kv);
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}

export function tombstone(key: string, mod: number): Kv {
  return { key, value: '', create: 0, mod, version: 0, lease: '0' };
}

/** Do two answers agree? Keepalive's and grant's TTL are the server's business and not compared. */
export function sameResponse(a: Response, b: Response): boolean {
  if (a.kind !== b.kind || a.revision !== b.revision) return false;
  switch (a.kind) {
    case 'put':
      return sameKv(a.prev, (b as typeof a).prev);
    case 'range':
      return sameList(a.kvs, (b as typeof a).kvs, sameKv);
    case 'delete':
      return a.deleted === (b as typeof a).deleted && sameList(a.prevs, (b as typeof a).prevs, sameKv);
    case 'txn': {
      const other = b as typeof a;
      return a.succeeded === other.succeeded && sameList(a.responses, other.responses, sameResponse);
    }
    case 'lease':
      return true;
    case 'log':
      return sameList(
        a.log,
        (b as typeof a).log,
        (x, y) => x.revision === y.revision && sameEvents(x.events, y.events),
      );
  }
}

export function sameEvents(a: readonly KvEvent[], b: readonly KvEvent[]): boolean {
  return sameList(a, b, (x, y) => x.type === y.type && sameKv(x.kv, y.kv));
}

export function sameKv(a: Kv | null, b: Kv | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.key === b.key &&
    a.value === b.value &&
    a.create === b.create &&
    a.mod === b.mod &&
    a.version === b.version &&
    a.lease === b.lease
  );
}

function sameList<T>(a: readonly T[], b: readonly T[], same: (x: T, y: T) => boolean): boolean {
  return a.length === b.length && a.every((x, i) => same(x, b[i]!));
}
