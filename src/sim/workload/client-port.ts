import type { Completion, Member, ServerError } from '../../server/index.js';
import type { Rng } from '../../util/rng.js';
import type { Engine, SimTimer } from '../engine.js';
import type { FaultInjector } from '../faults/injector.js';
import type { SimNode } from '../node.js';

/** How a call ended, as its client sees it. */
export interface Reply<T> {
  ok(value: T): void;
  /** It certainly did not happen. */
  fail(error: string): void;
  /** Nobody knows. */
  lost(error: string): void;
}

/** What these say was decided before anything was done; every other error leaves the outcome open. */
const DEFINITE = new Set([
  'ERR_COMPACTED',
  'ERR_FUTURE_REV',
  'ERR_LEASE_NOT_FOUND',
  'ERR_LEASE_EXIST',
  'ERR_KEY_NOT_FOUND',
  'ERR_TOO_MANY_REQUESTS',
  'ERR_REQUEST_TOO_LARGE',
  'ERR_NOT_LEADER',
  'ERR_USER_EMPTY',
  'ERR_AUTH_OLD_REVISION',
  'ERR_PERMISSION_DENIED',
]);

export interface ClientPortOptions {
  readonly maxDelayUs: number;
  readonly lossPpm: number;
}

/** A call that is under way. */
interface Call {
  readonly node: SimNode;
  /** When it reached the member; -1: it has not. */
  entered: number;
  over: boolean;
  deadline: SimTimer | null;
  readonly lost: (error: string) => void;
}

/** The way from clients to members: delay, loss before and after, members that cannot be reached or die meanwhile. */
export class ClientPort {
  readonly #engine: Engine;
  readonly #rng: Rng;
  readonly #injector: FaultInjector;
  readonly #options: ClientPortOptions;
  /** Calls that members have not answered. */
  readonly #atMembers = new Set<Call>();

  constructor(engine: Engine, rng: Rng, injector: FaultInjector, options: ClientPortOptions) {
    this.#engine = engine;
    this.#rng = rng;
    this.#injector = injector;
    this.#options = options;
  }

  /** Calls that a member has and has not answered. */
  get unanswered(): number {
    return this.#atMembers.size;
  }

  delayUs(): number {
    return 20 + this.#rng.below(this.#options.maxDelayUs);
  }

  later(us: number, fn: () => void): SimTimer {
    return this.#engine.schedule(us, fn);
  }

  get now(): number {
    return this.#engine.now;
  }

  /** Does a chunk between a client and this member get lost now? */
  loses(node: SimNode): boolean {
    return this.#injector.cutFromClients.has(node.name) || this.#rng.chance(this.#options.lossPpm, 1_000_000);
  }

  reachable(node: SimNode): boolean {
    return node.ready;
  }

  /** @param send hands the request to the member */
  call<T>(
    node: SimNode,
    timeoutMs: number,
    send: (member: Member, done: Completion<T>) => void,
    reply: Reply<T>,
  ): void {
    const call: Call = {
      node,
      entered: -1,
      over: false,
      deadline: null,
      lost: (error) => this.#finish(call, () => reply.lost(error)),
    };
    call.deadline = this.#engine.schedule(timeoutMs * 1000, () => call.lost('client deadline'));
    if (this.loses(node)) return;
    this.#engine.schedule(this.delayUs(), () => {
      if (!this.reachable(node)) {
        this.#engine.schedule(this.delayUs(), () => this.#finish(call, () => reply.fail('connection refused')));
        return;
      }
      call.entered = this.#engine.now;
      this.#atMembers.add(call);
      node.enter((member) =>
        send(member, {
          ok: (value) => this.#answered(call, () => reply.ok(value)),
          fail: (err) => this.#answered(call, () => refused(reply, err)),
        }),
      );
    });
  }

  #answered(call: Call, fn: () => void): void {
    this.#atMembers.delete(call);
    if (call.over || this.loses(call.node)) return;
    this.#engine.schedule(this.delayUs(), () => this.#finish(call, fn));
  }

  #finish(call: Call, fn: () => void): void {
    if (call.over) return;
    call.over = true;
    if (call.deadline !== null) this.#engine.cancel(call.deadline);
    fn();
  }

  /** The process is gone: its clients see their connections reset. */
  ended(node: SimNode): void {
    for (const call of [...this.#atMembers]) {
      if (call.node !== node) continue;
      this.#atMembers.delete(call);
      if (!call.over) this.#engine.schedule(this.delayUs(), () => call.lost('connection reset'));
    }
  }

  /** Those that members should have answered long ago. @param ms since they came */
  overdue(ms: number): { node: string; sinceMs: number }[] {
    return [...this.#atMembers]
      .filter((call) => this.#engine.now - call.entered > ms * 1000)
      .map((call) => ({ node: call.node.name, sinceMs: (this.#engine.now - call.entered) / 1000 }));
  }
}

function refused<T>(reply: Reply<T>, err: ServerError): void {
  if (DEFINITE.has(err.code)) reply.fail(err.code);
  else reply.lost(err.code);
}
