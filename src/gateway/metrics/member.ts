import type { MemberApi } from '../../server/index.js';
import { hex } from '../../util/hex.js';
import type { Histogram } from '../../util/histogram.js';
import { alarmName } from '../alarm-name.js';
import type { Labels, Metrics, Sample } from './pulled.js';

const ONE: Labels = {};

/** What a member counts, under etcd's names (etcd operations §3). */
export function memberMetrics(metrics: Metrics, member: MemberApi): void {
  serverMetrics(metrics, member);
  storeMetrics(metrics, member);
  leaseMetrics(metrics, member);
  peerMetrics(metrics, member);
  keelMetrics(metrics, member);
}

/** What an etcd does not have. */
function keelMetrics(metrics: Metrics, member: MemberApi): void {
  const figures = () => member.figures();
  metrics.gauge(
    'keel_backend_overlay_bytes',
    'What has been applied and is not in the store yet.',
    () => figures().overlayBytes,
  );
  metrics.gauge('keel_backend_rows', 'Rows of the backend, of all buckets.', () => figures().rows);
  metrics.histograms('keel_wal_batch_entries', 'Entries of one write to the log.', () => [[ONE, figures().walBatches]]);
  metrics.histograms('keel_apply_batch_entries', 'Entries applied in one turn.', () => [[ONE, figures().applyBatches]]);
  metrics.histograms(
    'keel_apply_turn_duration_seconds',
    'How long the turns that applied something took for it.',
    () => [[ONE, figures().applyTimes]],
  );
}

function leaseMetrics(metrics: Metrics, member: MemberApi): void {
  const figures = () => member.figures();
  metrics.counter(
    'etcd_debugging_lease_granted_total',
    'The total number of granted leases.',
    () => figures().leasesGranted,
  );
  metrics.counter(
    'etcd_debugging_lease_revoked_total',
    'The total number of revoked leases.',
    () => figures().leasesRevoked,
  );
  metrics.counter(
    'etcd_debugging_lease_renewed_total',
    'The number of renewed leases seen by the leader.',
    () => figures().leasesRenewed,
  );
  metrics.counter(
    'etcd_debugging_server_lease_expired_total',
    'The total number of expired leases.',
    () => figures().leasesExpired,
  );
  metrics.gauge('keel_leases', 'Leases that there are.', () => figures().leases);
  metrics.gauge('etcd_debugging_auth_revision', 'The current revision of auth store.', () => figures().authRevision);
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
  metrics.counter(
    'etcd_server_slow_apply_total',
    'The total number of slow apply requests (likely overloaded from slow disk).',
    () => figures().appliesSlow,
  );
  metrics.counter(
    'etcd_server_heartbeat_send_failures_total',
    'The total number of leader heartbeat send failures (likely overloaded from slow disk).',
    () => figures().heartbeatsLate,
  );
  metrics.gauge(
    'etcd_server_snapshot_apply_in_progress_total',
    '1 if the server is applying the incoming snapshot. 0 if none.',
    () => yes(figures().snapshotInstalling),
  );
  metrics.gauges(
    'etcd_debugging_server_alarms',
    "Alarms for every member in cluster. 1 for 'server_id' label with current ID. 2 for 'alarm_type' label with type of this alarm",
    () =>
      member.alarms().map(({ memberId, alarm }) => ({
        labels: { server_id: hex(memberId), alarm_type: alarmName(alarm) },
        value: 1,
      })),
  );
  metrics.gauges('etcd_server_go_version', 'Which version of its runtime the server runs on.', () => [
    { labels: { server_go_version: `node ${process.version}` }, value: 1 },
  ]);
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
  const traffic = () => figures().traffic;
  metrics.counter('etcd_mvcc_put_total', 'Total number of puts seen by this member.', () => traffic().puts);
  metrics.counter('etcd_mvcc_delete_total', 'Total number of deletes seen by this member.', () => traffic().deletes);
  metrics.counter('etcd_mvcc_range_total', 'Total number of ranges seen by this member.', () => traffic().ranges);
  metrics.counter('etcd_mvcc_txn_total', 'Total number of txns seen by this member.', () => traffic().txns);
  metrics.gauge(
    'etcd_debugging_mvcc_total_put_size_in_bytes',
    'The total size of put kv pairs seen by this member.',
    () => traffic().putBytes,
  );
  metrics.counter(
    'etcd_debugging_mvcc_events_total',
    'Total number of events sent by this member.',
    () => figures().eventsSent,
  );
  metrics.gauge(
    'etcd_debugging_mvcc_slow_watcher_total',
    'Total number of unsynced slow watchers.',
    () => figures().watchersSlow,
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
