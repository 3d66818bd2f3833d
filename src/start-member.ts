import { rmSync } from 'node:fs';
import { LineFile } from './env/line-file.js';
import { RealEnv } from './env/real-env.js';
import { ClientPort, httpServerOf, JsonGateway, Site } from './gateway/index.js';
import type { ListenTarget } from './listen-url.js';
import { bindAddress, ListenError, parseListenUrl } from './listen-url.js';
import { GRPC_DEFAULTS, GrpcJsServer, H2GrpcServer, Router } from './rpc/index.js';
import type { Member, MemberConfig } from './server/index.js';
import { ETCD_VERSION, KEEL_VERSION, memberDefaults, openMember } from './server/index.js';
import type { Logger } from './util/log.js';

export interface StartOptions {
  /**
   * What is left out has etcd's default; the cluster is by default this member alone. Give at least `dataDir`, and
   * `listenPeerUrls: []` for a member that never has peers and needs no peer port.
   */
  readonly config?: Partial<MemberConfig>;
  /** `http://host:port` (port 0 picks one) or `unix://path`. Default `http://localhost:2379`. */
  readonly listenClientUrls?: readonly string[];
  /** Default: JSON lines to stderr. */
  readonly logger?: Logger;
  /** --max-concurrent-streams of a connection; 0: no limit (default). */
  readonly maxConcurrentStreams?: number;
  /** --grpc-keepalive-min-time, ms: clients that ping more often are sent away. Default 5 s. */
  readonly grpcKeepaliveMinTimeMs?: number;
  /** --grpc-keepalive-interval and -timeout, ms. Default two hours and 20 s. */
  readonly grpcKeepaliveIntervalMs?: number;
  readonly grpcKeepaliveTimeoutMs?: number;
  /** --cors. Default every origin. */
  readonly corsOrigins?: readonly string[];
  /** --host-whitelist: names that clients may ask by over plain HTTP. Default every name. */
  readonly hostWhitelist?: readonly string[];
  /** --enable-grpc-gateway: JSON below /v3/. Default true. */
  readonly gateway?: boolean;
  /** Errors of the gateway as etcd 3.5 writes them. Default false. */
  readonly gatewayLegacyErrors?: boolean;
  /** --enable-pprof: profiles below /debug/pprof/. Default false. */
  readonly profiles?: boolean;
  /** --metrics=extensive: every rpc is timed. Default false. */
  readonly extensiveMetrics?: boolean;
  /**
   * A failed fsync or a broken invariant: the member's state on disk is safe, its memory is not. Default: logs it and
   * ends the process with 1; another handler must not go on using the member.
   */
  readonly onFatal?: (err: Error) => void;
}

/** A member that runs in this process. */
export interface RunningMember {
  /** With the ports that were bound, as `http://127.0.0.1:2379`. */
  readonly clientUrls: readonly string[];
  readonly peerUrls: readonly string[];
  /** The member itself: calls without a network. Its interface may change between versions. */
  readonly member: Member;
  /** Serves clients: it has found a leader and published itself. Rejects if it is stopped before. */
  readonly ready: Promise<void>;
  /** It was stopped, or removed from its cluster. */
  readonly ended: Promise<void>;
  /** Idempotent. Calls under way are answered, streams end with Unavailable, leadership is handed on. */
  stop(): Promise<void>;
}

/** How long unary calls may go on after a stop was asked for, ms. Without a quorum they would take the full 7 s. */
const DRAIN_MS = 1000;

/**
 * Starts a member: its folder is opened (made, if it is not there), its ports are taken, and it joins its cluster. The
 * promise is fulfilled when that is done; clients are served from `ready` on, and those that connect sooner wait.
 *
 * @throws ConfigError for a configuration that cannot work or a folder that is not this member's, ListenError for a
 * port that cannot be had, and what the disk says. Nothing is left open then, and a folder is not touched when a port
 * is in use.
 */
export async function startMember(options: StartOptions = {}): Promise<RunningMember> {
  const env = new RealEnv({
    ...(options.logger === undefined ? {} : { log: options.logger }),
    ...(options.onFatal === undefined ? {} : { fatal: options.onFatal }),
  });
  const ports: ClientPort[] = [];
  try {
    const given = options.config ?? {};
    const defaults = memberDefaults(given.name);
    const clientTargets = (options.listenClientUrls ?? ['http://localhost:2379']).map((url) =>
      parseListenUrl(url, 'listen-client-urls'),
    );
    const peerTargets = (given.listenPeerUrls ?? defaults.listenPeerUrls).map((url) =>
      parseListenUrl(url, 'listen-peer-urls'),
    );
    const peerAddresses: string[] = [];
    for (const target of peerTargets) peerAddresses.push(await reserve(env, target));
    for (const target of clientTargets) ports.push(await listenClients(target));

    const clientUrls = ports.map((port, i) => urlOf(clientTargets[i] as ListenTarget, port.address));
    const peerUrls = peerAddresses.map((address, i) => urlOf(peerTargets[i] as ListenTarget, address));
    const config = completeConfig(defaults, given, clientUrls, peerUrls);
    logStart(env.log, config, clientUrls);
    const member = await open(env, config);
    try {
      for (const address of peerAddresses) await listenPeers(member, address);
    } catch (err) {
      await new Promise<void>((done) => member.stop(done));
      throw err;
    }
    return new Running(env, member, ports, { clientUrls, peerUrls, options });
  } catch (err) {
    for (const port of ports) port.destroy();
    await new Promise<void>((done) => env.close(done));
    throw err;
  }
}

class Running implements RunningMember {
  readonly clientUrls: readonly string[];
  readonly peerUrls: readonly string[];
  readonly member: Member;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
  readonly #env: RealEnv;
  readonly #ports: readonly ClientPort[];
  readonly #router: Router;
  readonly #auditFile: LineFile | null;
  readonly #grpc: GrpcJsServer | H2GrpcServer;
  readonly #site: Site;
  #stopping: Promise<void> | null = null;
  #end!: () => void;
  #failReady!: (err: Error) => void;

  constructor(
    env: RealEnv,
    member: Member,
    ports: readonly ClientPort[],
    { clientUrls, peerUrls, options }: { clientUrls: string[]; peerUrls: string[]; options: StartOptions },
  ) {
    this.#env = env;
    this.member = member;
    this.#ports = ports;
    this.clientUrls = clientUrls;
    this.peerUrls = peerUrls;
    const { auditLogPath } = member.config;
    this.#auditFile =
      auditLogPath === ''
        ? null
        : new LineFile(auditLogPath, (err) => env.log.error('failed to write the audit log', { error: err.message }));
    this.#router = new Router(member, env, {
      watchProgressMs: member.config.watchProgressNotifyMs,
      recheckWatches: member.config.authRecheckWatches,
      timeCalls: options.extensiveMetrics ?? false,
      ...(this.#auditFile === null ? {} : { auditSink: (line) => this.#auditFile?.write(line) }),
    });
    const grpcOptions = {
      receiveBytesMax: member.limits.maxRequestBytes + (512 << 10),
      concurrentStreamsMax: options.maxConcurrentStreams ?? GRPC_DEFAULTS.concurrentStreamsMax,
      pingMinMs: options.grpcKeepaliveMinTimeMs ?? GRPC_DEFAULTS.pingMinMs,
      keepaliveIntervalMs: options.grpcKeepaliveIntervalMs ?? GRPC_DEFAULTS.keepaliveIntervalMs,
      keepaliveTimeoutMs: options.grpcKeepaliveTimeoutMs ?? GRPC_DEFAULTS.keepaliveTimeoutMs,
    };
    this.#grpc =
      process.env.KEEL_TRANSPORT === 'grpc-js'
        ? new GrpcJsServer(this.#router, grpcOptions)
        : new H2GrpcServer(this.#router, env, grpcOptions);
    this.#site = siteOf(member, env, this.#router, options, grpcOptions.receiveBytesMax);
    const http1 = httpServerOf(this.#site);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.ready = new Promise((resolve, reject) => {
      this.#failReady = reject;
      member.onReady = () => {
        this.#serve({ acceptHttp2: (socket) => this.#grpc.accept(socket), http1 });
        resolve();
      };
    });
    // Whoever does not wait for it need not hear of its failure.
    this.ready.catch(() => {});
    member.onEnded = () => {
      this.stop().catch((err: Error) => env.log.error('failed to stop', { error: err.message }));
    };
    member.start();
  }

  #serve(servers: Parameters<ClientPort['serve']>[0]): void {
    const log = this.#env.log.with({ caller: 'keel/start-member.ts' });
    for (const port of this.#ports) {
      port.serve(servers);
      log.info('ready to serve client requests', { address: port.address });
      log.info('serving client traffic insecurely; this is strongly discouraged!', {
        traffic: 'grpc+http',
        address: port.address,
      });
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** In etcd's order (etcd operations §1.6), but that streams are not waited for. */
  async #stop(): Promise<void> {
    this.#failReady(new Error('the member was stopped before it was ready'));
    for (const port of this.#ports) port.stopAccepting();
    this.#router.stop();
    await Promise.all([
      new Promise<void>((done) => this.#grpc.drain(DRAIN_MS, done)),
      new Promise<void>((done) => this.#site.drain(DRAIN_MS, done)),
    ]);
    await new Promise<void>((done) => this.member.stop(done));
    for (const port of this.#ports) port.destroy();
    await new Promise<void>((done) => (this.#auditFile === null ? done() : this.#auditFile.close(done)));
    await new Promise<void>((done) => this.#env.close(done));
    this.#end();
  }
}

function siteOf(member: Member, env: RealEnv, router: Router, options: StartOptions, receiveBytesMax: number): Site {
  const { corsOrigins, hostWhitelist, gatewayLegacyErrors: legacyErrors = false } = options;
  const gateway = options.gateway === false ? null : new JsonGateway(router, env, { receiveBytesMax, legacyErrors });
  return new Site(member, env.log, {
    rpcs: router,
    gateway,
    profiles: options.profiles ?? false,
    extensiveMetrics: options.extensiveMetrics ?? false,
    ...(corsOrigins === undefined ? {} : { corsOrigins }),
    ...(hostWhitelist === undefined ? {} : { hostWhitelist }),
  });
}

/** Puts the defaults and the ports that were bound where nothing was given. */
function completeConfig(
  defaults: MemberConfig,
  given: Partial<MemberConfig>,
  clientUrls: readonly string[],
  peerUrls: readonly string[],
): MemberConfig {
  const name = given.name ?? defaults.name;
  const listened = given.listenPeerUrls !== undefined && peerUrls.length > 0;
  const advertisePeerUrls = given.advertisePeerUrls ?? (listened ? peerUrls : defaults.advertisePeerUrls);
  return {
    ...defaults,
    initialCluster: [{ name, peerUrls: advertisePeerUrls }],
    advertiseClientUrls: clientUrls,
    ...given,
    advertisePeerUrls,
  };
}

async function reserve(env: RealEnv, target: ListenTarget): Promise<string> {
  if (target.kind !== 'tcp') throw new ListenError('unix', target.path, new Error('peers are reached by TCP only'));
  const address = bindAddress(target);
  return new Promise((resolve, reject) => {
    env.net.reserve(address, (err, bound) => {
      if (err === null) resolve(bound);
      else reject(new ListenError('tcp', address, err));
    });
  });
}

async function listenClients(target: ListenTarget): Promise<ClientPort> {
  if (target.kind === 'unix') {
    // What a member that was killed has left, as with etcd.
    rmSync(target.path, { force: true });
    return ClientPort.listen({ path: target.path }).catch((err: Error) => {
      throw new ListenError('unix', target.path, err);
    });
  }
  const address = bindAddress(target);
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
  return ClientPort.listen(host === '' ? { port: target.port } : { port: target.port, host }).catch((err: Error) => {
    throw new ListenError('tcp', address, err);
  });
}

/** The URL as it was given, with the port that was bound. */
function urlOf(target: ListenTarget, address: string): string {
  if (target.kind === 'unix') return `unix://${target.path}`;
  const host = target.host === 'localhost' && target.port === 0 ? '127.0.0.1' : target.host;
  return `${target.scheme}://${host === '' ? '0.0.0.0' : host}${address.slice(address.lastIndexOf(':'))}`;
}

function open(env: RealEnv, config: MemberConfig): Promise<Member> {
  return new Promise((resolve, reject) => {
    openMember(env, config, (err, member) => {
      if (member !== null) resolve(member);
      else reject(err ?? new Error('the member could not be opened'));
    });
  });
}

function listenPeers(member: Member, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    member.listen(address, (err) => {
      if (err === null) resolve();
      else reject(new ListenError('tcp', address, err));
    });
  });
}

/** etcd's first line, with what tools read from it (etcd operations §1.5). */
function logStart(log: Logger, config: MemberConfig, listenClientUrls: readonly string[]): void {
  log.info('starting an etcd server', {
    caller: 'keel/start-member.ts',
    'etcd-version': ETCD_VERSION,
    'keel-version': KEEL_VERSION,
    name: config.name,
    'data-dir': config.dataDir,
    'member-dir': `${config.dataDir}/member`,
    'force-new-cluster': config.forceNewCluster,
    'heartbeat-interval': `${config.heartbeatMs}ms`,
    'election-timeout': `${config.electionMs}ms`,
    'initial-election-tick-advance': config.initialElectionTickAdvance,
    'snapshot-count': config.snapshotCount,
    'max-wals': config.maxWals,
    'snapshot-catchup-entries': config.snapshotCatchUpEntries,
    'initial-advertise-peer-urls': config.advertisePeerUrls,
    'listen-peer-urls': config.listenPeerUrls,
    'advertise-client-urls': config.advertiseClientUrls,
    'listen-client-urls': listenClientUrls,
    'initial-cluster': config.initialCluster
      .flatMap((member) => member.peerUrls.map((url) => `${member.name}=${url}`))
      .join(','),
    'initial-cluster-state': config.initialClusterState,
    'initial-cluster-token': config.initialClusterToken,
    'quota-backend-bytes': config.quotaBackendBytes,
    'max-request-bytes': config.maxRequestBytes,
    'pre-vote': config.preVote,
    'auto-compaction-mode': config.autoCompactionMode,
    'v2-deprecation': 'write-only',
  });
}
