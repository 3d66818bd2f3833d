import type { OneStream } from '../../client/core/one-stream.js';
import type { Rng } from '../../util/rng.js';
import {
  CampaignRequest,
  CampaignResponse,
  Election,
  LeaderRequest,
  LeaderResponse,
  Lock,
  LockRequest,
  LockResponse,
  ProclaimRequest,
  ProclaimResponse,
  ResignRequest,
  ResignResponse,
  UnlockRequest,
  UnlockResponse,
} from '../../wire/index.js';
import type { Denial, Holding, OpRecord, SeenLeader, SimpleOp, TxnOp, Violation } from '../checkers/index.js';
import { checkLocks } from '../checkers/index.js';
import type { ClientKind, SimClient } from './client-kinds.js';
import { CoreHost } from './core-host.js';
import { CoreSession } from './core-session.js';
import { kvOfKeyValue } from './requests.js';
import type { Workload } from './workload.js';

/** History's numbers of these clients start here. */
const FIRST_ID = 4000;
// No other client deletes ranges with these keys in them.
const LOCK = 'lock';
const ELECTION = 'lead';
const NOT_LEADER = 'election: not leader';

/** What was answered to all of a run: mutual exclusion is between clients. */
const answers = new WeakMap<Workload, { holdings: Holding[]; leaders: SeenLeader[]; denials: Denial[] }>();

/**
 * Takes part in one lock and one election, as others do, with a lease of its own each time. The requests that a member
 * makes for it go into the history when it asks, as operations of unknown outcome: no revision is left without an owner.
 */
class CoreLock implements SimClient {
  readonly #work: Workload;
  readonly #id: number;
  readonly #rng: Rng;
  readonly #host: CoreHost;
  readonly #session: CoreSession;
  readonly #answers: { holdings: Holding[]; leaders: SeenLeader[]; denials: Denial[] };
  #waiting: OneStream | null = null;
  #count = 0;

  constructor(work: Workload, id: number, rng: Rng) {
    this.#work = work;
    this.#id = id;
    this.#rng = rng;
    this.#host = new CoreHost(work, `locker${id}`, rng.split('host'));
    this.#session = new CoreSession(work, this.#host, FIRST_ID + id, rng.split('session'));
    this.#answers = answers.get(work) ?? { holdings: [], leaders: [], denials: [] };
    answers.set(work, this.#answers);
  }

  start(): void {
    this.#later(this.#rng.below(1_500_000), () =>
      this.#session.open(
        () => this.#contend(),
        () => this.#leave(),
      ),
    );
  }

  /** Unless all is to end: then it goes, and its lease after it. */
  #later(us: number, fn: () => void): void {
    this.#work.port.later(us, () => {
      if (this.#work.stopping) this.#session.drop();
      else fn();
    });
  }

  #leave(): void {
    this.#session.drop();
    this.start();
  }

  /** The revision that the cluster has come to. */
  #now(): number {
    return this.#work.log().length + 1;
  }

  #contend(): void {
    if (this.#work.stopping) return this.#session.drop();
    const isLock = this.#rng.chance(1, 2);
    const name = isLock ? LOCK : ELECTION;
    const { lease } = this.#session;
    const key = `${name}/${lease.toString(16)}`;
    const value = isLock ? '' : this.#value();
    const put: SimpleOp = { kind: 'put', key, value, lease: lease.toString(), prev: false };
    this.#session.begin({ kind: 'txn', compare: [createdAt(key, 0)], success: [put], failure: [] });
    // If it is left waiting.
    const abandoned = this.#session.begin(deletion(key));
    const path = isLock ? Lock.Lock.path : Election.Campaign.path;
    const request = isLock
      ? LockRequest.encode({ name, lease })
      : CampaignRequest.encode({ name, lease, value: Buffer.from(value) });
    let over = false;
    const stream = this.#host.core.stream(path, request, null, {
      message: (reply) => {
        if (over) return;
        over = true;
        this.#waiting = null;
        // A member that has answered leaves the key alone.
        this.#work.history.fail(abandoned, 'it did not have to wait');
        this.#won(isLock ? this.#locked(key, reply) : this.#elected(key, reply), isLock);
      },
      end: () => {
        if (over) return;
        over = true;
        this.#waiting = null;
        this.#leave();
      },
    });
    this.#waiting = stream;
    this.#work.port.later(this.#rng.between(100_000, 9_000_000), () => {
      if (over) return;
      over = true;
      this.#waiting = null;
      stream.cancel();
      this.#leave();
    });
  }

  #value(): string {
    return `${this.#id}.${++this.#count}`;
  }

  #locked(key: string, reply: Buffer): Holding {
    const { header, key: answered } = LockResponse.decode(reply);
    if (answered !== key) throw new Error(`${key} was locked as ${answered}`);
    const from = header?.revision ?? 0;
    return { name: LOCK, key, guard: this.#session.guard, from, until: Infinity, exact: true, create: 0 };
  }

  /** The header is older than the victory: by now there is nobody before it. */
  #elected(key: string, reply: Buffer): Holding {
    const { leader } = CampaignResponse.decode(reply);
    if (leader?.key !== key) throw new Error(`${key} was elected as ${leader?.key}`);
    const from = this.#now();
    const create = leader.rev;
    return { name: ELECTION, key, guard: this.#session.guard, from, until: Infinity, exact: false, create };
  }

  #won(holding: Holding, isLock: boolean): void {
    this.#answers.holdings.push(holding);
    this.#later(this.#rng.pick([0, 100_000, 500_000, 2_000_000]), () => {
      if (isLock) return this.#release(holding);
      this.#lookUp();
      this.#proclaim(holding);
    });
  }

  #lookUp(): void {
    const request = LeaderRequest.encode({ name: ELECTION });
    const done = (_: unknown, reply: Buffer | null): void => {
      if (reply === null) return;
      const { header, kv } = LeaderResponse.decode(reply);
      if (kv === null) throw new Error('a leader without a key');
      this.#answers.leaders.push({ name: ELECTION, revision: header?.revision ?? 0, kv: kvOfKeyValue(kv) });
    };
    this.#session.call(Election.Leader.path, request, done, true);
  }

  #proclaim(holding: Holding): void {
    const { key } = holding;
    const { lease } = this.#session;
    const value = this.#value();
    const put: SimpleOp = { kind: 'put', key, value, lease: lease.toString(), prev: false };
    const record = this.#session.begin(this.#ifLeader(holding, put));
    const request = ProclaimRequest.encode({ leader: leaderKey(holding, lease), value: Buffer.from(value) });
    this.#session.call(Election.Proclaim.path, request, (status, reply) => {
      if (reply !== null) {
        const revision = ProclaimResponse.decode(reply).header?.revision ?? 0;
        const responses = [{ kind: 'put' as const, revision, prev: null }];
        this.#session.ok(record, { kind: 'txn', revision, succeeded: true, responses });
      } else if (status.message === NOT_LEADER) {
        this.#work.history.fail(record, status.message);
        this.#answers.denials.push({ holding, revision: this.#now() });
      } else this.#work.history.lost(record, status.message);
      this.#later(this.#rng.pick([0, 300_000]), () => this.#release(holding));
    });
  }

  #ifLeader({ key, create }: Holding, op: SimpleOp): TxnOp {
    return { kind: 'txn', compare: [createdAt(key, create)], success: [op], failure: [] };
  }

  #release(holding: Holding): void {
    const isLock = holding.name === LOCK;
    const dice = this.#rng.below(10);
    // It walks away, and the lease ends by itself.
    if (dice === 0) return this.#leave();
    holding.until = this.#now();
    if (dice < 3) return this.#session.revoke(() => this.start());
    const { key } = holding;
    const op = deletion(key);
    const record = this.#session.begin(isLock ? op : this.#ifLeader(holding, op));
    const path = isLock ? Lock.Unlock.path : Election.Resign.path;
    const request = isLock
      ? UnlockRequest.encode({ key })
      : ResignRequest.encode({ leader: leaderKey(holding, this.#session.lease) });
    this.#session.call(path, request, (status, reply) => {
      if (reply === null) this.#work.history.lost(record, status.message);
      else {
        const { header } = isLock ? UnlockResponse.decode(reply) : ResignResponse.decode(reply);
        this.#released(record, key, header?.revision ?? 0);
      }
      this.#leave();
    });
  }

  /** The answer does not say whether it deleted anything. If it did, then the key alone, and the guard is still there. */
  #released(record: OpRecord, key: string, revision: number): void {
    const events = this.#work.log()[revision - 2]?.events ?? [];
    const deleted = events.length === 1 && events[0]?.type === 'delete' && events[0].kv.key === key ? 1 : 0;
    const inner = { kind: 'delete' as const, revision, deleted, prevs: [] };
    if (record.op.kind === 'delete') this.#session.ok(record, inner);
    else {
      const succeeded = deleted === 1;
      this.#session.ok(record, { kind: 'txn', revision, succeeded, responses: succeeded ? [inner] : [] });
    }
  }

  waitsFor(): string | null {
    this.#waiting?.cancel();
    this.#waiting = null;
    this.#session.drop();
    return this.#session.calls > 0 ? 'a client of locks has not ended a call' : null;
  }

  violations(): readonly Violation[] {
    // Once for all of them.
    return this.#id === 1 ? checkLocks(this.#work.log(), this.#answers) : [];
  }
}

function createdAt(key: string, operand: number): TxnOp['compare'][number] {
  return { key, target: 'create', result: '=', operand };
}

function deletion(key: string): SimpleOp {
  return { kind: 'delete', key, rangeEnd: '', prev: false };
}

function leaderKey({ name, key, create }: Holding, lease: bigint): NonNullable<CampaignResponse['leader']> {
  return { name, key, rev: create, lease };
}

/** Few: what they do through a member is of unknown outcome, which costs the sweep its square. */
export const lockers: ClientKind = {
  name: 'lockers',
  draw: (rng) => (rng.chance(1, 10) ? rng.between(2, 4) : 0),
  make: (work, id, rng) => new CoreLock(work, id, rng),
};
