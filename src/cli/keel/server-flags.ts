import { olderFlags } from './feature-gates.js';
import type { Flag, FlagKind } from './flag-set.js';

function flag(group: string, name: string, kind: FlagKind, initial: string, help: string): Flag {
  return { name, kind, initial, help, group };
}

const MEMBER = 'Member';
const CLUSTERING = 'Clustering';
const LOGGING = 'Logging';
const COMPACTION = 'Compaction';
const AUTH = 'Auth';
const OTHER = 'Other';

const currentFlags: readonly Flag[] = [
  flag(MEMBER, 'name', 'string', 'default', 'Human-readable name for this member.'),
  flag(MEMBER, 'data-dir', 'string', '', "Path to the data directory; '<name>.etcd' if empty."),
  flag(
    MEMBER,
    'snapshot-count',
    'int',
    '10000',
    'Number of committed transactions that trigger a compaction of the log.',
  ),
  flag(
    MEMBER,
    'snapshot-catchup-entries',
    'int',
    '5000',
    'Entries kept for a slow follower behind a compaction of the log.',
  ),
  flag(MEMBER, 'heartbeat-interval', 'milliseconds', '100', 'Time (in milliseconds) of a heartbeat interval.'),
  flag(MEMBER, 'election-timeout', 'milliseconds', '1000', 'Time (in milliseconds) for an election to timeout.'),
  flag(
    MEMBER,
    'initial-election-tick-advance',
    'bool',
    'true',
    'Whether to campaign soon after a start without a leader.',
  ),
  flag(MEMBER, 'listen-peer-urls', 'urls', 'http://localhost:2380', 'List of URLs to listen on for peer traffic.'),
  flag(MEMBER, 'listen-client-urls', 'urls', 'http://localhost:2379', 'List of URLs to listen on for client traffic.'),
  flag(MEMBER, 'max-wals', 'int', '5', 'Number of log segments to keep behind a compaction of the log.'),
  flag(
    MEMBER,
    'quota-backend-bytes',
    'int',
    '0',
    'Size of the store from which writes are refused; 0 means 2 GiB, negative none.',
  ),
  flag(
    MEMBER,
    'on-disk-damage',
    'string',
    'repair',
    "Damaged data: 'repair' sets it aside and rebuilds it from the log or the peers, 'stop' leaves it as it is.",
  ),
  flag(MEMBER, 'max-txn-ops', 'int', '128', 'Maximum number of operations permitted in a transaction.'),
  flag(MEMBER, 'max-request-bytes', 'int', '1572864', 'Maximum client request size in bytes the server will accept.'),
  flag(
    CLUSTERING,
    'initial-advertise-peer-urls',
    'urls',
    'http://localhost:2380',
    "This member's peer URLs to advertise to the rest of the cluster.",
  ),
  flag(
    CLUSTERING,
    'initial-cluster',
    'string',
    '',
    'Initial cluster configuration for bootstrapping: name=url,name=url.',
  ),
  flag(CLUSTERING, 'initial-cluster-state', 'string', 'new', "Initial cluster state ('new' or 'existing')."),
  flag(
    CLUSTERING,
    'initial-cluster-token',
    'string',
    'etcd-cluster',
    'Initial cluster token for the cluster during bootstrap.',
  ),
  flag(
    CLUSTERING,
    'advertise-client-urls',
    'urls',
    'http://localhost:2379',
    "This member's client URLs to advertise to the rest of the cluster.",
  ),
  flag(
    CLUSTERING,
    'strict-reconfig-check',
    'bool',
    'true',
    'Reject reconfiguration requests that would cause quorum loss.',
  ),
  flag(CLUSTERING, 'force-new-cluster', 'bool', 'false', 'Force to create a new one-member cluster.'),
  flag(CLUSTERING, 'auto-promote', 'bool', 'false', 'As leader, make voters of learners that have caught up.'),
  flag(
    CLUSTERING,
    'pre-vote',
    'bool',
    'true',
    'Ask for votes before an election, so that a member that comes back does not disturb.',
  ),
  flag(COMPACTION, 'auto-compaction-mode', 'string', 'periodic', "'periodic' or 'revision'."),
  flag(
    COMPACTION,
    'auto-compaction-retention',
    'string',
    '0',
    "Retention: hours or a duration if periodic, a number if 'revision'; 0 means disabled.",
  ),
  flag(COMPACTION, 'compaction-batch-limit', 'int', '1000', 'Maximum revisions deleted in each slice of a compaction.'),
  flag(COMPACTION, 'compaction-sleep-interval', 'duration', '10ms', 'Pause between the slices of a compaction.'),
  flag(
    AUTH,
    'auth-token',
    'string',
    'simple',
    "'simple' or 'jwt,pub-key=<file>,priv-key=<file>,sign-method=<method>,ttl=<duration>'.",
  ),
  flag(AUTH, 'auth-token-ttl', 'int', '300', 'Time (in seconds) that a simple token lives without being used.'),
  flag(AUTH, 'bcrypt-cost', 'int', '10', 'Cost of hashing a password, 4 to 31.'),
  flag(
    AUTH,
    'auth-recheck-watches',
    'bool',
    'false',
    'End an open watch when its user may no longer read what it watches.',
  ),
  flag(
    AUTH,
    'audit-log-path',
    'string',
    '',
    'File to which every request is noted as a JSON line: who, what, which range, result. Off if empty.',
  ),
  flag(LOGGING, 'logger', 'string', 'zap', "Only 'zap': structured lines."),
  flag(LOGGING, 'log-outputs', 'string', 'default', "'default' or 'stderr', 'stdout', or a list of file paths."),
  flag(LOGGING, 'log-level', 'string', 'info', 'debug, info, warn, error, panic or fatal.'),
  flag(LOGGING, 'log-format', 'string', 'json', "'json' or 'console'."),
  flag(OTHER, 'watch-progress-notify-interval', 'duration', '10m', 'Interval of progress notifications of watchers.'),
  flag(OTHER, 'max-learners', 'int', '1', 'Maximum number of learners that may be members at a time.'),
  flag(
    OTHER,
    'cluster-version-max',
    'string',
    '',
    'Highest cluster version to propose, so that an etcd of that version can replay the log.',
  ),
  flag(
    OTHER,
    'corrupt-check-time',
    'duration',
    '0s',
    'Time between two comparisons of all keys with the peers; 0 is never.',
  ),
  flag(
    OTHER,
    'compact-hash-check-time',
    'duration',
    '1m',
    'Time between two comparisons of what compactions left, with the feature gate CompactHashCheck.',
  ),
  flag(
    OTHER,
    'feature-gates',
    'string',
    '',
    'Features by name, NAME=true,NAME=false: InitialCorruptCheck, CompactHashCheck, LeaseCheckpoint, LeaseCheckpointPersist.',
  ),
  flag(OTHER, 'version', 'bool', 'false', 'Print the version and exit.'),
];

/** The flags of `keel server`, with etcd's names and defaults (operations spec 1.2). */
export const serverFlags: readonly Flag[] = [...currentFlags, ...olderFlags(currentFlags, OTHER)];

/** Flags that etcd has and this version does not: told apart from what nobody knows. */
export const unbuiltFlags: ReadonlyMap<string, string> = new Map(
  (
    [
      [
        'TLS is not built yet',
        'cert-file key-file client-cert-auth client-cert-file client-key-file client-crl-file client-cert-allowed-hostname trusted-ca-file auto-tls peer-cert-file peer-key-file peer-client-cert-auth peer-client-cert-file peer-client-key-file peer-trusted-ca-file peer-cert-allowed-cn peer-cert-allowed-hostname peer-auto-tls peer-crl-file peer-skip-client-san-verification self-signed-cert-validity cipher-suites tls-min-version tls-max-version',
      ],
      [
        'discovery is not built yet',
        'discovery-token discovery-endpoints discovery-dial-timeout discovery-request-timeout discovery-keepalive-time discovery-keepalive-timeout discovery-insecure-transport discovery-insecure-skip-tls-verify discovery-cert discovery-key discovery-cacert discovery-user discovery-password discovery-srv discovery-srv-name discovery-fallback discovery discovery-proxy',
      ],
      [
        'metrics are served at the client URLs, and there are none of this kind',
        'listen-metrics-urls metrics enable-pprof',
      ],
      [
        'it is not built yet',
        'config-file wal-dir listen-client-http-urls enable-log-rotation log-rotation-config-json cors host-whitelist socket-reuse-port socket-reuse-address max-concurrent-streams grpc-keepalive-min-time grpc-keepalive-interval grpc-keepalive-timeout enable-grpc-gateway warning-unary-request-duration warning-apply-duration downgrade-check-time enable-distributed-tracing distributed-tracing-address distributed-tracing-service-name distributed-tracing-instance-id distributed-tracing-sampling-rate unsafe-no-fsync raft-read-timeout raft-write-timeout',
      ],
    ] as const
  ).flatMap(([why, names]) => names.split(' ').map((name) => [name, why] as const)),
);

/** Flags of etcd's own store and past, which mean nothing here: taken, and said once. */
export const ignoredFlags: ReadonlySet<string> = new Set(
  'max-snapshots memory-mlock backend-bbolt-freelist-type backend-batch-interval backend-batch-limit bootstrap-defrag-threshold-megabytes v2-deprecation enable-v2'.split(
    ' ',
  ),
);

/** The text of --help. */
export function serverUsage(): string {
  const groups = [...new Set(serverFlags.map((f) => f.group))];
  const lines = ['Usage:', '', '  keel server [flags]', '    Start a member of a Keel cluster.', ''];
  for (const group of groups) {
    lines.push(`${group}:`);
    for (const f of serverFlags) {
      if (f.group !== group) continue;
      lines.push(`  --${f.name} '${f.initial}'`, `    ${f.help}`);
    }
    lines.push('');
  }
  return lines.join('\n');
}
