import type { RouterOptions, Status } from '../../../src/rpc/index.js';
import { Router, StreamCall, UnaryCall } from '../../../src/rpc/index.js';
import type { AuthGuard, MemberApi } from '../../../src/server/index.js';
import { Rng } from '../../../src/util/rng.js';

/** A member with ids and a leader; a test adds the calls that it means to make. */
export function fakeMember(over: Partial<MemberApi> = {}): MemberApi {
  return {
    clusterId: 1n,
    memberId: 2n,
    clientVersion: { etcd: '3.6.14', keel: '0.1.0', cluster: '3.6.0', storage: '3.6.0' },
    limits: { maxRequestBytes: 1000, maxTxnOps: 4, requestTimeoutMs: 7000, electionTimeoutMs: 1000 },
    revision: 5,
    raftTerm: 3,
    hasLeader: true,
    isLearner: false,
    alarms: () => [],
    admits: () => true,
    ...over,
  } as MemberApi;
}

/** Timers that a test fires. */
export class FakeTimers {
  readonly #due: { at: number; fn: () => void }[] = [];
  #now = 0;

  set(ms: number, fn: () => void): unknown {
    const timer = { at: this.#now + ms, fn };
    this.#due.push(timer);
    return timer;
  }

  clear(timer: unknown): void {
    const at = this.#due.indexOf(timer as never);
    if (at >= 0) this.#due.splice(at, 1);
  }

  defer(fn: () => void): void {
    this.set(0, fn);
  }

  get waiting(): number {
    return this.#due.length;
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      this.#due.sort((a, b) => a.at - b.at);
      const next = this.#due[0];
      if (next === undefined || next.at > until) break;
      this.#due.shift();
      this.#now = next.at;
      next.fn();
    }
    this.#now = until;
  }
}

export interface FakeRouter {
  router: Router;
  timers: FakeTimers;
  fatal: Error[];
}

/** Auth that is off. */
const OPEN: AuthGuard = {
  enabled: false,
  asUser: (_ctx, _refused, go) => go(),
  asRoot: (_ctx, _refused, go) => go(),
  toRead: (_key, _end, _ctx, _refused, go) => go({ username: '', revision: 0 }),
  toSeeLeases: (_ids, _keys, _ctx, _refused, go) => go(),
  mayStillRead: () => true,
  nameOf: () => '',
  onRulesChanged: () => ({ end: () => {} }),
};

const CLOCK = { now: () => 0, wall: () => 0 };

export function fakeRouter(member: MemberApi, options: RouterOptions = { watchProgressMs: 600_000 }): FakeRouter {
  if (member.guard === undefined) Object.defineProperty(member, 'guard', { value: OPEN });
  const timers = new FakeTimers();
  const fatal: Error[] = [];
  const router = new Router(
    member,
    { rng: new Rng(1), timers, clock: CLOCK, fatal: (err) => fatal.push(err) },
    options,
  );
  return { router, timers, fatal };
}

export class FakeUnary extends UnaryCall {
  readonly request: Buffer;
  readonly deadline = 0;
  readonly #metadata: Record<string, string>;
  response: Buffer | null = null;
  status: Status | null = null;
  answers = 0;

  constructor(request: Buffer, metadata: Record<string, string> = {}) {
    super();
    this.request = request;
    this.#metadata = metadata;
  }

  metadata(name: string): string | undefined {
    return this.#metadata[name];
  }

  reply(response: Buffer): void {
    this.answers++;
    this.response = response;
  }

  refuse(status: Status): void {
    this.answers++;
    this.status = status;
  }
}

/** A stream call whose client is the test: `push` is what it sends, read when the service asks. */
export class FakeStream extends StreamCall {
  readonly deadline = 0;
  readonly #metadata: Record<string, string>;
  readonly #incoming: (Buffer | null)[] = [];
  #wanted = false;
  reads = 0;
  sent: Buffer[] = [];
  status: Status | null = null;
  full = false;

  constructor(metadata: Record<string, string> = {}) {
    super();
    this.#metadata = metadata;
  }

  metadata(name: string): string | undefined {
    return this.#metadata[name];
  }

  read(): void {
    this.reads++;
    this.#wanted = true;
    this.#deliver();
  }

  send(message: Buffer): boolean {
    this.sent.push(message);
    return !this.full;
  }

  end(status: Status): void {
    if (this.status !== null) return;
    this.status = status;
    this.over();
  }

  /** null: the client half-closes. */
  push(message: Buffer | null): void {
    this.#incoming.push(message);
    this.#deliver();
  }

  drain(): void {
    this.full = false;
    this.handlers.onDrain();
  }

  disconnect(): void {
    this.over();
  }

  #deliver(): void {
    if (!this.#wanted || this.status !== null || this.#incoming.length === 0) return;
    this.#wanted = false;
    const message = this.#incoming.shift() as Buffer | null;
    if (message === null) this.handlers.onHalfClose();
    else this.handlers.onMessage(message);
  }
}
