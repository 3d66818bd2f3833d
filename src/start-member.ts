import type { LineSink } from './env/line-file.js';
import { LineFile, RotatingLines } from './env/line-file.js';
import { RealEnv } from './env/real-env.js';
import type { Rotation } from './env/rotating-file.js';
import type { Pages, PortServers } from './gateway/index.js';
import { http2Of, httpServerOf, JsonGateway, metricsPagesOf, Site } from './gateway/index.js';
import { ListenError } from './listen-url.js';
import type { OpenPort, PeerAddresses, PortGroup, TlsOptions } from './listeners.js';
import { openClientPorts, reservePeerPorts } from './listeners.js';
import { GRPC_DEFAULTS, GrpcJsServer, H2GrpcServer, Router, SlowCalls } from './rpc/index.js';
import type { Member, MemberConfig } from './server/index.js';
import { ETCD_VERSION, KEEL_VERSION, memberDefaults, openMember } from './server/index.js';
import type { Logger } from './util/log.js';

export interface StartOptions {
  /**
   * What is left out has etcd's default; the cluster is by default this member alone. Give at least `dataDir`, and
   * `listenPeerUrls: []` for a member that never has peers and needs no peer port.
   */
  readonly config?: Partial<MemberConfig>;
  /**
   * `http://host:port` (port 0 picks one) or `unix://path`; over TLS `https` and `unixs`. Default
   * `http://localhost:2379`.
   */
  readonly listenClientUrls?: readonly string[];
  /** Where HTTP is served instead, gRPC staying alone at `listenClientUrls`; default: nowhere. */
  readonly listenClientHttpUrls?: readonly string[];
  /** Where /metrics and the health checks are served as well, from the start on. */
  readonly listenMetricsUrls?: readonly string[];
  /** For `https` and `unixs` URLs. */
  readonly clientTls?: TlsOptions;
  /** For `https` peer URLs, those that are listened on and those that are dialed. */
  readonly peerTls?: TlsOptions;
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
  /** Of the audit log. Default: it is not rotated. */
  readonly auditLogRotation?: Rotation;
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
  readonly clientHttpUrls: readonly string[];
  readonly metricsUrls: readonly string[];
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
const DRAIN_MS = 3000;

/**
 * Starts a member: its folder is opened (made, if it is not there), its ports are taken, and it joins its cluster. The
 * promise is fulfilled when that is done; clients are served from `ready` on, and those that connect sooner wait.
 *
 * @throws ConfigError for a configuration that cannot work or a folder that is not this member's, ListenError for a
 * port that cannot be had, TlsError for certificates that cannot be used, and what the disk says. Nothing is left open
 * then, and a folder is not touched when a port is in use (but for a certificate of --auto-tls).
 */
export async function startMember(options: StartOptions = {}): Promise<RunningMember> {
  const env = new RealEnv({
    ...(options.logger === undefined ? {} : { log: options.logger }),
    ...(options.onFatal === undefined ? {} : { fatal: options.onFatal }),
  });
  const ports: OpenPort[] = [];
  try {
    const given = options.config ?? {};
    const defaults = memberDefaults(given.name);
    const dataDir = given.dataDir ?? defaults.dataDir;
    const listenPeerUrls = given.listenPeerUrls ?? defaults.listenPeerUrls;
    const peers = await reservePeerPorts(env, listenPeerUrls, options.peerTls ?? {}, dataDir);
    ports.push(...(await openClientPorts(portGroups(options), options.clientTls ?? {}, dataDir, env.log)));

    const clientUrls = ports.filter(({ serves }) => serves === 'all' || serves === 'grpc').map(({ url }) => url);
    const config = completeConfig(defaults, given, clientUrls, peers.urls);
    logStart(env.log, config, clientUrls);
    const member = await open(env, config);
    try {
      for (const address of peers.addresses) await listenPeers(member, address);
    } catch (err) {
      await new Promise<void>((done) => member.stop(done));
      throw err;
    }
    return new Running(env, member, ports, { clientUrls, peers, options });
  } catch (err) {
    for (const { port } of ports) port.destroy();
    await new Promise<void>((done) => env.close(done));
    throw err;
  }
}

class Running implements RunningMember {
  readonly clientUrls: readonly string[];
  readonly clientHttpUrls: readonly string[];
  readonly metricsUrls: readonly string[];
  readonly peerUrls: readonly string[];
  readonly member: Member;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
  readonly #env: RealEnv;
  readonly #ports: readonly OpenPort[];
  readonly #router: Router;
  readonly #auditFile: LineSink | null;
  readonly #grpc: readonly (GrpcJsServer | H2GrpcServer)[];
  readonly #site: Site;
  #stopping: Promise<void> | null = null;
  #end!: () => void;
  #failReady!: (err: Error) => void;

  constructor(
    env: RealEnv,
    member: Member,
    ports: readonly OpenPort[],
    { clientUrls, peers, options }: { clientUrls: string[]; peers: PeerAddresses; options: StartOptions },
  ) {
    this.#env = env;
    this.member = member;
    this.#ports = ports;
    this.clientUrls = clientUrls;
    this.clientHttpUrls = ports.filter(({ serves }) => serves === 'http').map(({ url }) => url);
    this.metricsUrls = ports.filter(({ serves }) => serves === 'metrics').map(({ url }) => url);
    this.peerUrls = peers.urls;
    const { auditLogPath } = member.config;
    this.#auditFile = auditLogPath === '' ? null : auditFile(auditLogPath, options.auditLogRotation ?? null, env.log);
    this.#router = new Router(member, env, {
      watchProgressMs: member.config.watchProgressNotifyMs,
      recheckWatches: member.config.authRecheckWatches,
      timeCalls: options.extensiveMetrics ?? false,
      slowCalls: new SlowCalls(member.config.warningUnaryMs, env.log, env.clock),
      ...(this.#auditFile === null ? {} : { auditSink: (line) => this.#auditFile?.write(line) }),
    });
    const grpcOptions = {
      receiveBytesMax: member.limits.maxRequestBytes + (512 << 10),
      concurrentStreamsMax: options.maxConcurrentStreams ?? GRPC_DEFAULTS.concurrentStreamsMax,
      pingMinMs: options.grpcKeepaliveMinTimeMs ?? GRPC_DEFAULTS.pingMinMs,
      keepaliveIntervalMs: options.grpcKeepaliveIntervalMs ?? GRPC_DEFAULTS.keepaliveIntervalMs,
      keepaliveTimeoutMs: options.grpcKeepaliveTimeoutMs ?? GRPC_DEFAULTS.keepaliveTimeoutMs,
    };
    const site = siteOf(member, env, this.#router, options, grpcOptions.receiveBytesMax);
    this.#site = site;
    const grpcWith = (pages: Pages | null): GrpcJsServer | H2GrpcServer =>
      process.env.KEEL_TRANSPORT === 'grpc-js'
        ? new GrpcJsServer(this.#router, grpcOptions)
        : new H2GrpcServer(this.#router, env, grpcOptions, pages === null ? undefined : http2Of(pages));
    const plainGrpc = grpcWith(null);
    // What comes by HTTP/2 and is no gRPC is for the pages, but over TLS only (etcd wire §1).
    const mixedGrpc = ports.some(isMixed) ? grpcWith(site) : plainGrpc;
    this.#grpc = mixedGrpc === plainGrpc ? [plainGrpc] : [plainGrpc, mixedGrpc];
    const http1 = httpServerOf(site);
    const metrics = httpServerOf(metricsPagesOf(site));
    const serversOf = (port: OpenPort): PortServers => {
      const grpc = isMixed(port) ? mixedGrpc : plainGrpc;
      const { serves } = port;
      const hasGrpc = serves === 'all' || serves === 'grpc';
      return {
        acceptHttp2: hasGrpc ? (socket, certificateName) => grpc.accept(socket, certificateName) : null,
        http1: serves === 'grpc' ? null : serves === 'metrics' ? metrics : http1,
      };
    };
    this.ended = new Promise((resolve) => {
      this.#end = () => {
        http1.close();
        metrics.close();
        resolve();
      };
    });
    this.ready = new Promise((resolve, reject) => {
      this.#failReady = reject;
      member.onReady = () => {
        this.#serve(serversOf);
        resolve();
      };
    });
    // Whoever does not wait for it need not hear of its failure.
    this.ready.catch(() => {});
    member.onEnded = () => {
      this.stop().catch((err: Error) => env.log.error('failed to stop', { error: err.message }));
    };
    member.start();
    for (const open of ports) {
      if (open.serves !== 'metrics') continue;
      open.port.serve(serversOf(open));
      env.log.info('serving metrics', { caller: 'keel/start-member.ts', address: open.url });
    }
  }

  #serve(serversOf: (port: OpenPort) => PortServers): void {
    const log = this.#env.log.with({ caller: 'keel/start-member.ts' });
    for (const open of this.#ports) {
      const { serves, secure, port } = open;
      if (serves === 'metrics') continue;
      port.serve(serversOf(open));
      log.info('ready to serve client requests', { address: port.address });
      log.info(
        secure ? 'serving client traffic securely' : 'serving client traffic insecurely; this is strongly discouraged!',
        { traffic: serves === 'all' ? 'grpc+http' : serves, address: port.address },
      );
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** In etcd's order (etcd operations §1.6), but that streams are not waited for. */
  async #stop(): Promise<void> {
    this.#failReady(new Error('the member was stopped before it was ready'));
    for (const { port } of this.#ports) port.stopAccepting();
    this.#router.stop();
    await Promise.all([
      ...this.#grpc.map((grpc) => new Promise<void>((done) => grpc.drain(DRAIN_MS, done))),
      new Promise<void>((done) => this.#site.drain(DRAIN_MS, done)),
    ]);
    await new Promise<void>((done) => this.member.stop(done));
    for (const { port } of this.#ports) port.destroy();
    await new Promise<void>((done) => (this.#auditFile === null ? done() : this.#auditFile.close(done)));
    await new Promise<void>((done) => this.#env.close(done));
    this.#end();
  }
}

function auditFile(path: string, rotation: Rotation | null, log: Logger): LineSink {
  const failed = (err: Error): void => log.error('failed to write the audit log', { error: err.message });
  return rotation === null ? new LineFile(path, failed) : new RotatingLines(path, rotation, failed);
}

/** HTTP/2 connections carry gRPC and pages. */
function isMixed({ serves, secure }: OpenPort): boolean {
  return serves === 'all' && secure;
}

function portGroups({
  listenClientUrls,
  listenClientHttpUrls = [],
  listenMetricsUrls = [],
}: StartOptions): PortGroup[] {
  return [
    {
      serves: listenClientHttpUrls.length > 0 ? 'grpc' : 'all',
      flag: 'listen-client-urls',
      urls: listenClientUrls ?? ['http://localhost:2379'],
    },
    { serves: 'http', flag: 'listen-client-http-urls', urls: listenClientHttpUrls },
    { serves: 'metrics', flag: 'listen-metrics-urls', urls: listenMetricsUrls },
  ];
}

function siteOf(member: Member, env: RealEnv, router: Router, options: StartOptions, receiveBytesMax: number): Site {
  const { corsOrigins, hostWhitelist, gatewayLegacyErrors: legacyErrors = false } = options;
  const gateway = options.gateway === false ? null : new JsonGateway(router, env, { receiveBytesMax, legacyErrors });
  return new Site(member, env.log, {
    rpcs: router,
    gateway,
    profiles: options.profiles ?? false,
    extensiveMetrics: options.extensiveMetrics ?? false,
    clientCertAuth: options.clientTls?.clientCertAuth ?? false,
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
