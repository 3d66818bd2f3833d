import type { MemberApi } from '../../server/index.js';
import { hex } from '../../util/hex.js';
import type { Histogram } from '../../util/histogram.js';
import type { Labels, Metrics, Sample } from './pulled.js';

const ONE: Labels = {};

/** What a member counts, under etcd's names (etcd operations §3). */
export function memberMetrics(metrics: Metrics, member: MemberApi): void {
  serverMetrics(metrics, member);
  storeMetrics(metrics, member);
  peerMetrics(metrics, member);
}

function serverMetrics(metrics: Metrics, member: MemberApi): void {
  const figures = () => member.figures();
  const yes = (value: boolean): number => (value ? 1 : 0);
  const { etcd, keel } = member.clientVersion;
  metrics.gauge('etcd_server_has_leader', 'Whether or not a leader exists. 1 is existence, 0 is not.', () =>
    yes(member.hasLeader),
  );
  metrics.gauge('etcd_server_is_leader', 'Whether or not this member is a leader. 1 if is, 0 otherwise.', () =>
    yes(figures().isLeader),
  );
  metrics.gauge('etcd_server_is_learner', 'Whether or not this member is a learner. 1 if is, 0 otherwise.', () =>
    yes(member.isLearner),
  );
  metrics.counter(
    'etcd_server_leader_changes_seen_total',
    'The number of leader changes seen.',
    () => figures().leaderChanges,
  );
  metrics.gauge(
    'etcd_server_proposals_committed_total',
    'The total number of consensus proposals committed.',
    () => figures().committedIndex,
  );
  metrics.gauge(
    'etcd_server_proposals_applied_total',
    'The total number of consensus proposals applied.',
    () => figures().appliedIndex,
  );
  metrics.gauge(
    'etcd_server_proposals_pending',
    'The current number of pending proposals to commit.',
    () => figures().proposalsPending,
  );
  metrics.counter(
    'etcd_server_proposals_failed_total',
    'The total number of failed proposals seen.',
    () => figures().proposalsFailed,
  );
  metrics.counter(
    'etcd_server_slow_read_indexes_total',
    'The total number of pending read indexes not in sync with leader or timed out read index requests.',
    () => figures().readIndexesSlow,
  );
  metrics.counter(
    'etcd_server_read_indexes_failed_total',
    'The total number of failed read indexes seen.',
    () => figures().readIndexesFailed,
  );
  metrics.gauge(
    'etcd_server_quota_backend_bytes',
    'Current backend storage quota size in bytes.',
    () => member.status().dbSizeQuota,
  );
  metrics.gauges('etcd_server_id', 'Server or member ID in hexadecimal format. 1 for label with current ID.', () => [
    { labels: { server_id: hex(member.memberId) }, value: 1 },
  ]);
  metrics.gauges('etcd_server_version', 'Which version is running. 1 for label with current version.', () => [
    { labels: { server_version: etcd }, value: 1 },
  ]);
  metrics.gauges('keel_server_version', 'Which version of Keel is running. 1 for label with current version.', () => [
    { labels: { server_version: keel }, value: 1 },
  ]);
  metrics.gauges('etcd_cluster_version', 'Which version is running. 1 for label with current cluster version.', () => {
    const { cluster } = member.clientVersion;
    return /^\d/.test(cluster) ? [{ labels: { cluster_version: cluster.replace(/\.\d+$/, '') }, value: 1 }] : [];
  });
}

function storeMetrics(metrics: Metrics, member: MemberApi): void {
  const figures = () => member.figures();
  const histogram = (name: string, help: string, of: () => Histogram) =>
    metrics.histograms(name, help, () => [[ONE, of()]]);
  metrics.gauge(
    'etcd_mvcc_db_total_size_in_bytes',
    'Total size of the underlying database physically allocated in bytes.',
    () => member.status().dbSize,
  );
  metrics.gauge(
    'etcd_mvcc_db_total_size_in_use_in_bytes',
    'Total size of the underlying database logically in use in bytes.',
    () => member.status().dbSizeInUse,
  );
  histogram(
    'etcd_disk_wal_fsync_duration_seconds',
    'The latency distributions of fsync called by WAL.',
    () => figures().walSync,
  );
  histogram(
    'etcd_disk_backend_commit_duration_seconds',
    'The latency distributions of commit called by backend.',
    () => figures().backendCommit,
  );
  metrics.gauge('etcd_debugging_mvcc_current_revision', 'The current revision of store.', () => member.revision);
  metrics.gauge(
    'etcd_debugging_mvcc_compact_revision',
    'The revision of the last compaction in store.',
    () => figures().compactRevision,
  );
  metrics.gauge('etcd_debugging_mvcc_keys_total', 'Total number of keys.', () => figures().keys);
  metrics.gauge(
    'etcd_debugging_mvcc_watch_stream_total',
    'Total number of watch streams.',
    () => figures().watchStreams,
  );
  metrics.gauge('etcd_debugging_mvcc_watcher_total', 'Total number of watchers.', () => figures().watchers);
}

function peerMetrics(metrics: Metrics, member: MemberApi): void {
  type Peer = ReturnType<MemberApi['figures']>['peers'][number];
  const local = hex(member.memberId);
  const each = (labels: (id: string) => Labels, value: (peer: Peer) => number): (() => Sample[]) => {
    return () => member.figures().peers.map((peer) => ({ labels: labels(hex(peer.id)), value: value(peer) }));
  };
  const to = (id: string): Labels => ({ To: id });
  const both = (id: string): Labels => ({ Local: local, Remote: id });
  metrics.counters(
    'etcd_network_peer_sent_bytes_total',
    'The total number of bytes sent to peers.',
    each(to, (peer) => peer.sentBytes),
  );
  metrics.counters(
    'etcd_network_peer_received_bytes_total',
    'The total number of bytes received from peers.',
    each(
      (id) => ({ From: id }),
      (peer) => peer.receivedBytes,
    ),
  );
  metrics.counters(
    'etcd_network_peer_sent_failures_total',
    'The total number of send failures from peers.',
    each(to, (peer) => peer.sentFailures),
  );
  metrics.counters(
    'etcd_network_disconnected_peers_total',
    'The total number of disconnected peers.',
    each(both, (peer) => peer.disconnects),
  );
  metrics.gauges(
    'etcd_network_active_peers',
    'The current number of active peer connections.',
    each(both, (peer) => (peer.active ? 1 : 0)),
  );
  metrics.gauges(
    'etcd_network_known_peers',
    'The current number of known peers.',
    each(both, () => 1),
  );
  metrics.histograms('etcd_network_peer_round_trip_time_seconds', 'Round-Trip-Time histogram between peers.', () =>
    member.figures().peers.map((peer) => [to(hex(peer.id)), peer.roundTrips] as const),
  );
}
