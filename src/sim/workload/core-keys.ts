import type { Status } from '../../client/core/status.js';
import { KeelError } from '../../client/errors.js';
import type { Rng } from '../../util/rng.js';
import { CompactionRequest, KV } from '../../wire/index.js';
import type { Kv, Response, SimpleOp, TxnOp } from '../checkers/index.js';
import type { CoreHost } from './core-host.js';
import { decodeReply, encodeOp } from './requests.js';
import type { Workload } from './workload.js';

/**
 * Operations on keys through the client's core, one after the other. What the core says of a failure (it certainly did
 * not happen, or nobody knows) goes into the history as it is, so that the checkers hold it to its word: a write that it
 * sent twice is a revision that nobody can account for.
 */
export class CoreKeys {
  readonly #work: Workload;
  readonly #host: CoreHost;
  readonly #id: number;
  readonly #rng: Rng;
  readonly #seen = new Map<string, Kv>();
  #sequence = 0;
  busy = false;

  constructor(work: Workload, host: CoreHost, id: number, rng: Rng) {
    this.#work = work;
    this.#host = host;
    this.#id = id;
    this.#rng = rng;
  }

  start(): void {
    const { clients, opsPerSecond } = this.#work.options;
    const meanUs = Math.floor((clients * 1_000_000) / opsPerSecond);
    this.#work.port.later(this.#rng.below(2 * meanUs + 1), () => this.#next());
  }

  #next(): void {
    if (this.#work.stopping) return;
    if (this.#rng.chance(1, 80)) return this.#compact();
    const op = this.#draw();
    const { history } = this.#work;
    const record = history.begin(this.#id, this.#host.name, op);
    const { path, request } = encodeOp(op);
    this.busy = true;
    const settings = {
      repeat: isRead(op) ? ('read' as const) : ('write' as const),
      timeoutMs: this.#rng.pick([1500, 5000, 12_000]),
      requireLeader: this.#rng.chance(1, 4),
    };
    this.#host.core.unary(path, request, settings, (status, reply) => {
      this.busy = false;
      if (reply !== null) {
        const { response, memberId } = decodeReply(op, reply);
        // It may have been asked of several; it is that one's answer.
        record.member = memberId.toString(16);
        history.ok(record, response);
        this.#learn(response);
      } else this.#failed(record, status);
      this.start();
    });
  }

  #failed(record: ReturnType<Workload['history']['begin']>, status: Status): void {
    const { history } = this.#work;
    if (KeelError.fromStatus(status).mayHaveHappened) history.lost(record, status.message);
    else history.fail(record, status.message);
  }

  #compact(): void {
    const revision = this.#work.seenRevision - this.#rng.pick([3, 10, 50]);
    if (revision < 1) return this.start();
    const request = CompactionRequest.encode({ revision, physical: this.#rng.chance(1, 3) });
    const settings = { repeat: 'write' as const, timeoutMs: 5000, requireLeader: false };
    this.busy = true;
    this.#host.core.unary(KV.Compact.path, request, settings, () => {
      this.busy = false;
      this.start();
    });
  }

  #learn(response: Response): void {
    this.#work.seenRevision = Math.max(this.#work.seenRevision, response.revision);
    if (response.kind === 'range') for (const kv of response.kvs) this.#seen.set(kv.key, kv);
  }

  #draw(): SimpleOp | TxnOp {
    const key = this.#key();
    const dice = this.#rng.below(100);
    if (dice < 45) return this.#put(key);
    if (dice < 65) return this.#get(key, '');
    if (dice < 75) return this.#get('\0', '\0');
    if (dice < 84) return { kind: 'delete', key, rangeEnd: '', prev: this.#rng.chance(1, 3) };
    const mod = this.#seen.get(key)?.mod ?? 0;
    return {
      kind: 'txn',
      compare: [{ key, target: 'mod', result: '=', operand: mod }],
      success: dice < 97 ? [this.#put(key)] : [this.#get(key, '')],
      failure: [this.#get(key, '')],
    };
  }

  #key(): string {
    return `k${String(this.#rng.below(this.#work.options.keys)).padStart(3, '0')}`;
  }

  #put(key: string): SimpleOp {
    const text = `${this.#id}.${++this.#sequence}.`;
    const value = text.padEnd(this.#rng.below(this.#work.options.valueBytesMax + 1), 'x');
    return { kind: 'put', key, value, lease: '0', prev: this.#rng.chance(1, 4) };
  }

  #get(key: string, rangeEnd: string): SimpleOp {
    return { kind: 'range', key, rangeEnd, revision: 0, serializable: this.#rng.chance(1, 3) };
  }
}

function isRead(op: SimpleOp | TxnOp): boolean {
  if (op.kind === 'txn') return [...op.success, ...op.failure].every((inner) => inner.kind === 'range');
  return op.kind === 'range';
}
