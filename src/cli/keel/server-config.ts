import type { MemberConfig, StartOptions } from '../../index.js';
import { ConfigError, memberDefaults, validateConfig } from '../../index.js';
import { byEitherName, featureGates } from './feature-gates.js';
import type { Flag, Parsed } from './flag-set.js';
import { FlagError } from './flag-set.js';
import type { FlagValue } from './flag-value.js';
import { checkUrl, parseDuration, parseValue } from './flag-value.js';
import type { LogConfig } from './logging.js';
import { logConfig, rotationOf } from './logging.js';
import { serverFlags } from './server-flags.js';
import { tlsOptions } from './tls-config.js';

export interface ServerConfig {
  readonly member: MemberConfig;
  readonly listening: Listening;
  readonly log: LogConfig;
  readonly transport: Transport;
}

/** Where it listens, and what of TLS. */
type Listening = Pick<
  StartOptions,
  'listenClientUrls' | 'listenClientHttpUrls' | 'listenMetricsUrls' | 'clientTls' | 'peerTls'
>;

/** What the client ports are told. */
type Transport = Pick<
  StartOptions,
  | 'maxConcurrentStreams'
  | 'grpcKeepaliveMinTimeMs'
  | 'grpcKeepaliveIntervalMs'
  | 'grpcKeepaliveTimeoutMs'
  | 'corsOrigins'
  | 'hostWhitelist'
  | 'gateway'
  | 'gatewayLegacyErrors'
  | 'profiles'
  | 'extensiveMetrics'
  | 'auditLogRotation'
>;

/**
 * Makes a member's configuration of its flags and refuses what etcd refuses, with its words (operations spec 1.3).
 * @throws FlagError or ConfigError
 */
export function serverConfig(parsed: Parsed): ServerConfig {
  const { values, given } = parsed;
  const get = <T>(name: string): T => values.get(name) as T;
  oneBootstrap(parsed);
  mustBeBuilt(parsed);
  const log = logConfig(get);
  const name = get<string>('name');
  const listenClientUrls = get<string[]>('listen-client-urls');
  const listenPeerUrls = get<string[]>('listen-peer-urls');
  const advertisePeerUrls = get<string[]>('initial-advertise-peer-urls');
  const listenClientHttpUrls = get<string[]>('listen-client-http-urls');
  const listenMetricsUrls = get<string[]>('listen-metrics-urls');
  for (const url of [...listenPeerUrls, ...listenClientUrls, ...listenClientHttpUrls]) mustListenable(url);
  if (parsed.file === undefined && given.has('listen-client-urls') && !given.has('advertise-client-urls')) {
    throw new FlagError('--advertise-client-urls is required when --listen-client-urls is set explicitly');
  }
  const state = get<'new' | 'existing'>('initial-cluster-state');
  const either = <T>(name: string): T => byEitherName(parsed, name) as T;
  const gate = featureGates(parsed);
  const compactHashCheckMs = either<number>('compact-hash-check-time');
  if (compactHashCheckMs <= 0) {
    throw new FlagError(`--compact-hash-check-time must be >0 (set to ${compactHashCheckMs}ms)`);
  }
  const member: MemberConfig = {
    ...memberDefaults(name),
    dataDir: get<string>('data-dir') || `${name}.etcd`,
    initialCluster: initialCluster(get('initial-cluster'), name, advertisePeerUrls),
    initialClusterToken: get('initial-cluster-token'),
    initialClusterState: state,
    listenPeerUrls,
    advertisePeerUrls,
    advertiseClientUrls: get('advertise-client-urls'),
    heartbeatMs: get('heartbeat-interval'),
    electionMs: get('election-timeout'),
    initialElectionTickAdvance: get('initial-election-tick-advance'),
    preVote: get('pre-vote'),
    snapshotCount: get('snapshot-count'),
    snapshotCatchUpEntries: either('snapshot-catchup-entries'),
    maxWals: get('max-wals'),
    quotaBackendBytes: get('quota-backend-bytes'),
    maxRequestBytes: get('max-request-bytes'),
    maxTxnOps: get('max-txn-ops'),
    ...autoCompaction(get('auto-compaction-mode'), get('auto-compaction-retention')),
    // 0 is etcd's default as well.
    compactionBatchLimit: either<number>('compaction-batch-limit') || 1000,
    compactionSleepMs: either<number>('compaction-sleep-interval') || 10,
    watchProgressNotifyMs: either('watch-progress-notify-interval'),
    initialCorruptCheck: gate('InitialCorruptCheck'),
    corruptCheckMs: either('corrupt-check-time'),
    compactHashCheck: gate('CompactHashCheck'),
    compactHashCheckMs,
    leaseCheckpoint: gate('LeaseCheckpoint'),
    strictReconfigCheck: get('strict-reconfig-check'),
    maxLearners: get('max-learners'),
    autoPromote: get('auto-promote'),
    forceNewCluster: get('force-new-cluster'),
    ...auth(get('auth-token'), get('auth-token-ttl'), get('bcrypt-cost')),
    authRecheckWatches: get('auth-recheck-watches'),
    auditLogPath: get('audit-log-path'),
    warningApplyMs: either('warning-apply-duration'),
    warningUnaryMs: either('warning-unary-request-duration'),
    onDiskDamage: oneOf('on-disk-damage', get('on-disk-damage'), ['repair', 'stop']) as 'repair' | 'stop',
    clusterVersionMax: get<string>('cluster-version-max') || null,
  };
  validateConfig(member);
  const listening = { listenClientUrls, listenClientHttpUrls, listenMetricsUrls, ...tlsOptions(parsed) };
  return { member, listening, log, transport: transport(get) };
}

const NO_LIMIT = 2 ** 32 - 1;

function transport(get: <T>(name: string) => T): Transport {
  const streams = get<number>('max-concurrent-streams');
  const interval = get<number>('grpc-keepalive-interval');
  const timeout = get<number>('grpc-keepalive-timeout');
  const pings = interval > 0 && timeout > 0;
  return {
    maxConcurrentStreams: streams >= NO_LIMIT ? 0 : streams,
    grpcKeepaliveMinTimeMs: get('grpc-keepalive-min-time'),
    grpcKeepaliveIntervalMs: pings ? interval : Number.MAX_SAFE_INTEGER,
    ...(pings ? { grpcKeepaliveTimeoutMs: timeout } : {}),
    corsOrigins: get<string>('cors').split(',').filter(Boolean),
    hostWhitelist: get<string>('host-whitelist').split(',').filter(Boolean),
    gateway: get('enable-grpc-gateway'),
    gatewayLegacyErrors: get('gateway-legacy-errors'),
    // As etcd has it.
    profiles: get<boolean>('enable-pprof') || get('log-level') === 'debug',
    extensiveMetrics: get('metrics') === 'extensive',
    ...auditRotation(get('audit-log-rotation-config-json')),
  };
}

function auditRotation(text: string): Pick<StartOptions, 'auditLogRotation'> {
  return text === '' ? {} : { auditLogRotation: rotationOf(text) };
}

function oneBootstrap({ values, given }: Parsed): void {
  const set = ['initial-cluster', 'discovery', 'discovery-endpoints', 'discovery-srv'].filter(
    (name) => given.has(name) && values.get(name) !== '',
  );
  if (set.length > 1) {
    throw new FlagError(
      'multiple discovery or bootstrap flags are set. Choose one of "initial-cluster", "discovery", "discovery-endpoints" or "discovery-srv"',
    );
  }
  if ((values.get('discovery-token') === '') !== (values.get('discovery-endpoints') === '')) {
    throw new FlagError('both --discovery-token and --discovery-endpoints must be set');
  }
}

/** A flag that is not built may say what is so anyway. */
function mustBeBuilt({ values, given }: Parsed): void {
  for (const flag of serverFlags) {
    if (flag.unbuilt === undefined || !given.has(flag.name)) continue;
    if (!isDefault(flag, values.get(flag.name))) throw new FlagError(`--${flag.name}: ${flag.unbuilt}`);
  }
}

function isDefault(flag: Flag, value: FlagValue | undefined): boolean {
  return JSON.stringify(value) === JSON.stringify(parseValue(flag, flag.initial));
}

function auth(
  authToken: string,
  ttlS: number,
  cost: number,
): Pick<MemberConfig, 'authToken' | 'authTokenTtlMs' | 'bcryptCost'> {
  if (ttlS <= 0) throw new FlagError(`--auth-token-ttl must be >0 (set to ${ttlS})`);
  // As in etcd, a cost that bcrypt does not have is the default.
  const bcryptCost = cost < 4 || cost > 31 ? 10 : cost;
  return { authToken, authTokenTtlMs: ttlS * 1000, bcryptCost };
}

/** A listener binds an address, not a name that may resolve to anything. */
function mustListenable(url: string): void {
  const host = /^https?:\/\/(\[[^\]]*\]|[^:/]*):/.exec(url)?.[1];
  if (host === undefined || host === 'localhost' || host === '' || /^[\d.]+$/.test(host) || host.startsWith('['))
    return;
  throw new FlagError(`expected IP in URL for binding (${url})`);
}

function oneOf(flag: string, value: string, allowed: readonly string[]): string {
  if (allowed.includes(value)) return value;
  throw new FlagError(`invalid value "${value}" for flag -${flag}: must be one of ${allowed.join(', ')}`);
}

function initialCluster(text: string, name: string, advertise: readonly string[]): MemberConfig['initialCluster'] {
  if (text === '') return [{ name, peerUrls: advertise }];
  const members = new Map<string, string[]>();
  for (const part of text.split(',')) {
    const eq = part.indexOf('=');
    if (eq <= 0) throw new FlagError(`error setting up initial cluster: invalid element "${part}": want name=url`);
    const url = part.slice(eq + 1).replace(/\/$/, '');
    const why = checkUrl(url);
    if (why !== null) throw new FlagError(`error setting up initial cluster: ${why}`);
    const key = part.slice(0, eq).trim();
    members.set(key, [...(members.get(key) ?? []), url]);
  }
  return [...members].map(([member, peerUrls]) => ({ name: member, peerUrls }));
}

function autoCompaction(
  mode: string,
  retention: string,
): Pick<MemberConfig, 'autoCompactionMode' | 'autoCompactionRetention'> {
  if (mode !== 'periodic' && mode !== 'revision') throw new FlagError(`unknown auto-compaction-mode "${mode}"`);
  const plain = /^\d+$/.test(retention) ? Number(retention) : null;
  if (mode === 'revision') {
    if (plain === null) throw new FlagError(`failed to parse auto-compaction-retention: "${retention}" is no number`);
    return { autoCompactionMode: mode, autoCompactionRetention: plain };
  }
  const ms = plain === null ? parseDuration(retention) : plain * 3_600_000;
  if (ms === null) throw new FlagError(`error parsing CompactionRetention: time: invalid duration "${retention}"`);
  return { autoCompactionMode: mode, autoCompactionRetention: ms };
}

export { ConfigError };
