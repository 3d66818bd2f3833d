import type { AuthGuard, CallContext } from '../server/index.js';
import type { Clock } from '../util/env.js';
import type { Rpc, TxnRequest } from '../wire/index.js';
import { OpKind } from '../wire/index.js';
import { UnaryCall } from './call.js';
import type { Status } from './errors.js';
import { OK } from './errors.js';

/**
 * The audit log: one JSON line a request, who asked what of which range, and what came of it. Keys are there, values and
 * passwords never are. Bytes that are not ASCII stand as \u00xx.
 *
 *   {"ts":"...","remote":"127.0.0.1:4711","user":"alice","rpc":"KV.Put","key":"a","code":7,"message":"etcdserver: ..."}
 */
export class Audit {
  readonly #guard: AuthGuard;
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #sink: (line: string) => void;

  constructor(guard: AuthGuard, clock: Pick<Clock, 'wall'>, sink: (line: string) => void) {
    this.#guard = guard;
    this.#clock = clock;
    this.#sink = sink;
  }

  /** The call in a wrapper that notes its end. */
  unary(rpc: Rpc, request: unknown, call: UnaryCall): UnaryCall {
    return new AuditedCall(this, rpc, request, call);
  }

  /** The caller's name; '' where auth is off or nobody says. */
  nameOf(ctx: CallContext): string {
    return this.#guard.nameOf(ctx);
  }

  /** @param user as found when the request came: its token may have ended since */
  note(
    rpc: Rpc<never, never> | Rpc,
    request: unknown,
    ctx: CallContext,
    status: Status,
    user = this.nameOf(ctx),
  ): void {
    const line = {
      ts: new Date(this.#clock.wall()).toISOString(),
      remote: ctx.remote ?? '',
      user,
      rpc: `${rpc.service.slice(rpc.service.indexOf('.') + 1)}.${rpc.name}`,
      ...detailsOf(request),
      code: status.code,
      ...(status.message === '' ? {} : { message: status.message }),
    };
    this.#sink(JSON.stringify(line));
  }
}

/** Fields of requests that say what is asked for. */
const SHOWN = ['key', 'rangeEnd', 'name', 'user', 'role', 'id', 'memberId', 'targetId', 'action', 'alarm', 'revision'];

function detailsOf(request: unknown): Record<string, unknown> {
  const fields = request as Record<string, unknown>;
  const details: Record<string, unknown> = {};
  for (const name of SHOWN) {
    const value = fields[name];
    if (value === undefined || value === '' || value === 0 || value === 0n || value === null) continue;
    details[name === 'rangeEnd' ? 'range_end' : name] = typeof value === 'bigint' ? value.toString(16) : value;
  }
  if (Array.isArray(fields.compare) && Array.isArray(fields.success)) details.ops = opsOf(request as TxnRequest);
  const { perm } = fields as { perm?: { permType: number; key: string; rangeEnd: string } | null };
  if (perm !== undefined && perm !== null) details.perm = detailsOf(perm);
  return details;
}

const OP_NAMES = ['', 'range', 'put', 'delete', 'txn'];

function opsOf(txn: TxnRequest): unknown[] {
  const compared = txn.compare.map((compare) => ({ op: 'compare', ...detailsOf(compare) }));
  const done = [...txn.success, ...txn.failure].map((op) =>
    op.kind === OpKind.TXN
      ? { op: 'txn', ops: opsOf(op.request) }
      : { op: OP_NAMES[op.kind] ?? '', ...(op.request === null ? {} : detailsOf(op.request)) },
  );
  return [...compared, ...done];
}

class AuditedCall extends UnaryCall {
  readonly #audit: Audit;
  readonly #rpc: Rpc;
  readonly #decoded: unknown;
  readonly #call: UnaryCall;
  readonly #user: string;

  constructor(audit: Audit, rpc: Rpc, decoded: unknown, call: UnaryCall) {
    super();
    this.#audit = audit;
    this.#rpc = rpc;
    this.#decoded = decoded;
    this.#call = call;
    this.#user = audit.nameOf(call);
    this.member = call.member;
    this.slicer = call.slicer;
  }

  get request(): Buffer {
    return this.#call.request;
  }

  get deadline(): number {
    return this.#call.deadline;
  }

  override get isOver(): boolean {
    return this.#call.isOver;
  }

  override get isHeld(): boolean {
    return this.#call.isHeld;
  }

  override get remote(): string | undefined {
    return this.#call.remote;
  }

  override get certificateName(): string | undefined {
    return this.#call.certificateName;
  }

  metadata(name: string): string | undefined {
    return this.#call.metadata(name);
  }

  reply(response: Buffer): void {
    this.#audit.note(this.#rpc, this.#decoded, this.#call, OK, this.#user);
    this.#call.reply(response);
  }

  override replyParts(parts: readonly Buffer[]): void {
    this.#audit.note(this.#rpc, this.#decoded, this.#call, OK, this.#user);
    this.#call.replyParts(parts);
  }

  refuse(status: Status): void {
    this.#audit.note(this.#rpc, this.#decoded, this.#call, status, this.#user);
    this.#call.refuse(status);
  }
}
