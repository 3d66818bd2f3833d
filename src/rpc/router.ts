import type { MemberApi } from '../server/index.js';
import type { Env } from '../util/env.js';
import type { Rpc } from '../wire/index.js';
import { RPCS, WireError } from '../wire/index.js';
import { Audit } from './audit.js';
import { authRoutes } from './auth.js';
import type { StreamCall, UnaryCall } from './call.js';
import { clusterRoutes } from './cluster.js';
import { electionRoutes } from './election.js';
import type { Status } from './errors.js';
import { notBuilt, RPC_STATUS, SERVER_STATUS, undecodable, unknownPath } from './errors.js';
import { healthRoutes } from './health.js';
import { kvRoutes } from './kv.js';
import { LeaderCheck } from './leader-check.js';
import { leaseRoutes } from './lease.js';
import { lockRoutes } from './lock.js';
import { maintenanceRoutes } from './maintenance.js';
import type { Route, StreamContext, StreamRoute, UnaryRoute } from './route.js';
import { Slicer } from './slicer.js';
import type { SlowCalls } from './slow-calls.js';
import { ClientVersions, Tally } from './tally.js';
import { watchRoutes } from './watch.js';

export interface RouterOptions {
  /** --watch-progress-notify-interval, ms. */
  readonly watchProgressMs: number;
  /** --auth-recheck-watches; default false */
  readonly recheckWatches?: boolean;
  /** Takes the lines of the audit log; default none */
  readonly auditSink?: (line: string) => void;
  /** --metrics=extensive: calls are timed; default false */
  readonly timeCalls?: boolean;
  /** Hears of unary calls that take long; default nobody */
  readonly slowCalls?: SlowCalls;
}

type RouterEnv = Pick<Env, 'rng' | 'timers' | 'fatal' | 'clock'>;

/** In the contract of etcd 3.7, which is not the one that is kept here. */
const NEWER = new Set(['/etcdserverpb.KV/RangeStream']);
const PROGRESS_MS_MIN = 100;

/**
 * Every rpc by its path, and what each call passes before its handler (etcd semantics §1.2): decoding, learner,
 * client-api-version, leader. A transport makes the calls; it knows routes and nothing of what they do.
 */
export class Router implements StreamContext {
  readonly #member: MemberApi;
  readonly #env: RouterEnv;
  readonly #options: RouterOptions;
  readonly #routes = new Map<string, Route>();
  readonly #services = new Set<string>();
  readonly #tallies = new Map<Route, Tally>();
  readonly clientVersions = { unary: new ClientVersions(), stream: new ClientVersions() };
  readonly #streams = new Set<StreamCall>();
  readonly #leaderCheck: LeaderCheck;
  readonly defer = (fn: () => void): void => this.#env.timers.defer(fn);
  readonly #slicer = new Slicer(this.defer);
  readonly #onOver = (call: StreamCall): void => {
    this.#streams.delete(call);
    this.#leaderCheck.delete(call);
  };
  readonly #audit: Audit | null;
  #stopped = false;

  constructor(member: MemberApi, env: RouterEnv, options: RouterOptions) {
    this.#member = member;
    this.#env = env;
    this.#options = options;
    this.#leaderCheck = new LeaderCheck(member, env.timers);
    const { auditSink } = options;
    this.#audit = auditSink === undefined ? null : new Audit(member.guard, env.clock, auditSink);
    const built = [
      kvRoutes,
      watchRoutes,
      leaseRoutes,
      clusterRoutes,
      maintenanceRoutes,
      authRoutes,
      healthRoutes,
      lockRoutes,
      electionRoutes,
    ].flat();
    for (const route of built) this.#routes.set(route.rpc.path, route);
    for (const rpc of RPCS) {
      this.#services.add(rpc.service);
      if (this.#routes.has(rpc.path) || NEWER.has(rpc.path)) continue;
      const name = `${rpc.service.slice(rpc.service.indexOf('.') + 1)}.${rpc.name}`;
      this.#routes.set(rpc.path, { kind: 'missing', rpc, status: notBuilt(name) });
    }
  }

  get routes(): Iterable<Route> {
    return this.#routes.values();
  }

  /** What has gone through a route. */
  tally(route: Route): Tally {
    let tally = this.#tallies.get(route);
    if (tally === undefined) {
      const { timeCalls = false, slowCalls = null } = this.#options;
      const now = timeCalls || slowCalls !== null ? this.#env.clock.now : null;
      tally = new Tally(route.rpc, now, timeCalls, slowCalls);
      this.#tallies.set(route, tally);
    }
    return tally;
  }

  /** @param path a request's :path */
  at(path: string): Route | undefined {
    return this.#routes.get(path);
  }

  /** The answer to a path that is no rpc. */
  unknown(path: string): Status {
    return unknownPath(path, (name) => this.#services.has(name));
  }

  unary(route: UnaryRoute, call: UnaryCall): void {
    try {
      call.member = this.#member;
      call.slicer = this.#slicer;
      const request = route.rpc.request.decode(call.request) as never;
      if (this.#audit !== null) call = this.#audit.unary(route.rpc, request, call);
      const { learner } = route;
      const refused = this.#refusal(
        call,
        this.clientVersions.unary,
        learner === true || (learner !== false && learner(request)),
      );
      if (refused !== null) call.refuse(refused);
      else route.run(this.#member, request, call);
    } catch (err) {
      if (err instanceof WireError) call.refuse(undecodable(err.message));
      else this.#broken(err as Error);
    }
  }

  stream(route: StreamRoute, call: StreamCall): void {
    try {
      call.member = this.#member;
      const refused = this.#stopped
        ? SERVER_STATUS.ERR_STOPPED
        : this.#refusal(call, this.clientVersions.stream, route.learner);
      if (refused !== null) return call.end(refused);
      call.handlers = route.open(this.#member, call, this);
      call.onOver = this.#onOver;
      this.#streams.add(call);
      if (isStreaming(route.rpc) && call.metadata('hasleader') === 'true') this.#leaderCheck.add(call);
      call.read();
    } catch (err) {
      this.#broken(err as Error);
    }
  }

  #refusal(call: UnaryCall | StreamCall, versions: ClientVersions, forLearner: boolean): Status | null {
    if (!forLearner && this.#member.isLearner) return SERVER_STATUS.ERR_NOT_SUPPORTED_FOR_LEARNER;
    const version = call.metadata('client-api-version');
    if (version !== undefined && !isUtf8(version)) return RPC_STATUS.invalidClientApiVersion;
    versions.count(version);
    if (!this.#member.hasLeader && call.metadata('hasleader') === 'true') return SERVER_STATUS.ERR_NO_LEADER;
    return null;
  }

  /** A handler threw: a bug, and the member must not go on in a state that nobody thought of. */
  #broken(err: Error): void {
    this.#env.fatal(err);
  }

  get audit(): Audit | null {
    return this.#audit;
  }

  get recheckWatches(): boolean {
    return this.#options.recheckWatches ?? false;
  }

  /** The interval, and up to a tenth more so that not all streams are told at once. */
  watchProgressMs(): number {
    const interval = Math.max(this.#options.watchProgressMs, PROGRESS_MS_MIN);
    return interval + this.#env.rng.below(Math.max(1, Math.floor(interval / 10)));
  }

  /**
   * Ends the open streams, and refuses new ones. Unary calls are served for as long as they come: those that were on
   * their way when the client was told to go elsewhere are not to fail for it.
   */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#leaderCheck.stop();
    for (const call of [...this.#streams]) call.end(SERVER_STATUS.ERR_STOPPED);
    this.#streams.clear();
  }
}

/** Not so Lock and Campaign, which are streams to the transport alone. */
function isStreaming({ clientStreaming, serverStreaming }: Rpc): boolean {
  return clientStreaming || serverStreaming;
}

const ASCII = /^[ -~]*$/;
const REPLACEMENT = '\ufffd';

/** Whether a header's bytes, one char each, are UTF-8. */
function isUtf8(value: string): boolean {
  return ASCII.test(value) || !Buffer.from(value, 'latin1').toString('utf8').includes(REPLACEMENT);
}
