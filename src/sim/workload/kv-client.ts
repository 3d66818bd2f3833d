import type { Completion, Member } from '../../server/index.js';
import type { Rng } from '../../util/rng.js';
import { CompactionRequest } from '../../wire/index.js';
import { AS_ROOT } from '../caller.js';
import type { CompareOp, InnerOp, Kv, Response, SimpleOp, TxnOp } from '../checkers/index.js';
import type { SimNode } from '../node.js';
import { dropPast, send, withoutPast } from './requests.js';
import type { Workload } from './workload.js';
import { pickNode } from './workload.js';

/**
 * One client: an operation, its answer, a pause, the next one. It stays with a member until that fails it, or for no
 * reason at all.
 */
export class KvClient {
  readonly #work: Workload;
  readonly #id: number;
  readonly #rng: Rng;
  #node: SimNode;
  #sequence = 0;
  /** What this client last saw of each key: the ground of its compares. */
  readonly #seen = new Map<string, Kv>();
  /** An operation is under way. */
  busy = false;

  constructor(work: Workload, id: number, rng: Rng) {
    this.#work = work;
    this.#id = id;
    this.#rng = rng;
    this.#node = pickNode(work, rng);
  }

  start(): void {
    this.#pause();
  }

  #pause(): void {
    const { clients, opsPerSecond } = this.#work.options;
    const meanUs = Math.floor((clients * 1_000_000) / opsPerSecond);
    this.#work.port.later(this.#rng.below(2 * meanUs + 1), () => this.#next());
  }

  #next(): void {
    if (this.#work.stopping) return;
    if (this.#rng.chance(1, 40)) this.#node = pickNode(this.#work, this.#rng);
    if (this.#rng.chance(1, 60)) return this.#compact();
    this.#run(this.#draw());
  }

  #run(op: SimpleOp | TxnOp): void {
    const { history, port } = this.#work;
    const record = history.begin(this.#id, this.#node.name, op.kind === 'txn' ? withoutPast(op) : op);
    this.busy = true;
    const over = (failed: boolean): void => {
      this.busy = false;
      if (failed && this.#rng.chance(2, 3)) this.#node = pickNode(this.#work, this.#rng, this.#node);
      this.#pause();
    };
    const node = this.#node;
    const written = op.kind === 'range' ? null : op.kind === 'txn' ? (op.compare[0]?.key ?? null) : op.key;
    const ask = (member: Member, done: Completion<Response>): void => {
      if (op.kind === 'range') return send(member, op, done);
      const ok = (response: Response): void => {
        done.ok(response);
        node.answered();
      };
      send(member, op, { ok, fail: (err) => done.fail(err) });
    };
    port.call<Response>(node, this.#rng.pick([1500, 5000, 12_000]), ask, {
      ok: (response) => {
        if (written !== null) for (const hear of this.#work.hearsOfWrites) hear(written);
        history.ok(record, op.kind === 'txn' ? dropPast(op, response) : response);
        this.#learn(response);
        over(false);
      },
      fail: (error) => {
        history.fail(record, error);
        over(true);
      },
      lost: (error) => {
        history.lost(record, error);
        over(true);
      },
    });
  }

  #compact(): void {
    const revision = this.#work.seenRevision - this.#rng.pick([0, 1, 3, 10, 50]);
    if (revision < 1) return this.#pause();
    const req = { revision, physical: this.#rng.chance(1, 3) };
    const over = (): void => this.#pause();
    this.#work.port.call(
      this.#node,
      5000,
      (member, done) => member.compact(req, CompactionRequest.encode(req), AS_ROOT, done),
      { ok: over, fail: over, lost: over },
    );
  }

  #learn(response: Response): void {
    this.#work.seenRevision = Math.max(this.#work.seenRevision, response.revision);
    if (response.kind === 'range') for (const kv of response.kvs) this.#seen.set(kv.key, kv);
  }

  #draw(): SimpleOp | TxnOp {
    const dice = this.#rng.below(100);
    if (dice < 40) return this.#put(this.#key());
    if (dice < 58) return this.#get(this.#key(), '');
    if (dice < 66) return this.#range();
    if (dice < 70) return this.#past();
    if (dice < 79) return this.#delete();
    if (dice < 90) return this.#cas();
    return this.#txn();
  }

  #key(): string {
    return `k${String(this.#rng.below(this.#work.options.keys)).padStart(3, '0')}`;
  }

  /** Its start says whose it is, and no two are the same. */
  #value(): string {
    const text = `${this.#id}.${++this.#sequence}.`;
    return text.padEnd(this.#rng.below(this.#work.options.valueBytesMax + 1), 'x');
  }

  #put(key: string): SimpleOp & { kind: 'put' } {
    return { kind: 'put', key, value: this.#value(), lease: '0', prev: this.#rng.chance(1, 4) };
  }

  #get(key: string, rangeEnd: string): SimpleOp {
    return { kind: 'range', key, rangeEnd, revision: 0, serializable: this.#rng.chance(1, 3) };
  }

  #range(): SimpleOp {
    if (this.#rng.chance(1, 3)) return this.#get('\0', '\0');
    const [a, b] = [this.#key(), this.#key()].sort();
    return this.#get(a as string, `${b}~`);
  }

  #past(): SimpleOp {
    const revision = Math.max(1, this.#work.seenRevision - this.#rng.below(30));
    const range = this.#range() as SimpleOp & { kind: 'range' };
    return { ...range, revision };
  }

  #delete(): SimpleOp {
    const key = this.#key();
    const rangeEnd = this.#rng.chance(1, 4) ? `${key.slice(0, 3)}~` : '';
    return { kind: 'delete', key, rangeEnd, prev: this.#rng.chance(1, 3) };
  }

  /** Writes if the key is still as this client saw it, else looks at it. */
  #cas(): TxnOp {
    const key = this.#key();
    return { kind: 'txn', compare: [this.#compare(key)], success: [this.#put(key)], failure: [this.#get(key, '')] };
  }

  #compare(key: string): CompareOp {
    const kv = this.#seen.get(key);
    if (kv === undefined) return { key, target: 'version', result: '=', operand: 0 };
    const target = this.#rng.pick(['version', 'create', 'mod', 'value'] as const);
    const result = this.#rng.pick(['=', '=', '=', '!=', '<', '>'] as const);
    return { key, target, result, operand: kv[target] };
  }

  #txn(): TxnOp {
    const keys = [...new Set(Array.from({ length: this.#rng.between(1, 4) }, () => this.#key()))];
    const readOnly = this.#rng.chance(1, 4);
    const branch = (): InnerOp[] =>
      keys.map((key) => {
        const dice = this.#rng.below(10);
        if (readOnly || dice < 3) return this.#get(key, '');
        if (dice < 8) return this.#put(key);
        return { kind: 'delete', key, rangeEnd: '', prev: this.#rng.chance(1, 2) };
      });
    const past = this.#rng.chance(1, 6) ? [this.#past()] : [];
    const compare = this.#rng.chance(1, 2) ? [this.#compare(keys[0] as string)] : [];
    const nested = keys.length > 1 && this.#rng.chance(1, 3);
    if (!nested) return { kind: 'txn', compare, success: [...branch(), ...past], failure: branch() };
    return { kind: 'txn', compare, success: [...this.#nest(branch()), ...past], failure: this.#nest(branch()) };
  }

  /** The same operations, the later ones in a transaction in between: what it compares may be written before it. */
  #nest(ops: readonly InnerOp[]): InnerOp[] {
    const at = this.#rng.below(ops.length);
    const inner = ops.slice(at);
    const deeper = inner.length > 1 && this.#rng.chance(1, 4) ? this.#nest(inner) : inner;
    const key = this.#rng.chance(1, 2) ? this.#key() : (keyOf(ops[0]) ?? this.#key());
    const otherwise = this.#rng.chance(1, 2) ? inner.filter((op) => op.kind === 'range') : [];
    return [
      ...ops.slice(0, at),
      { kind: 'txn', compare: [this.#compare(key)], success: deeper, failure: otherwise },
      ...(this.#rng.chance(1, 3) ? [this.#get(key, '')] : []),
    ];
  }
}

function keyOf(op: InnerOp | undefined): string | null {
  return op === undefined || op.kind === 'txn' ? null : op.key;
}
