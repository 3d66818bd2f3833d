/**
 * What etcd's public alert rules and dashboard ask for is there, under their names and labels, and moves when it should:
 * three members, one of which goes, so that the others lose their quorum in the end.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failpoints, onFailpoint } from '../../src/util/failpoint.js';
import type { TestMember } from '../rpc/support/member.js';
import { startTestMember } from '../rpc/support/member.js';
import { REPO_ROOT } from '../support/binaries.js';
import { freePorts } from '../support/ports.js';
import type { Family } from './support/prometheus.js';
import { parseMetrics } from './support/prometheus.js';

const TABLE = '<!-- the table: npm run test:rewrite -->';
const members: TestMember[] = [];

beforeAll(async () => {
  const ports = await freePorts(3);
  const names = ['a', 'b', 'c'];
  const url = (i: number): string => `http://127.0.0.1:${ports[i]}`;
  const initialCluster = names.map((name, i) => ({ name, peerUrls: [url(i)] }));
  const started = names.map((name, i) =>
    startTestMember(
      { name, initialCluster, listenPeerUrls: [url(i)], advertisePeerUrls: [url(i)], heartbeatMs: 30, electionMs: 300 },
      { extensiveMetrics: true },
    ),
  );
  members.push(...(await Promise.all(started)));
}, 30_000);

afterAll(async () => {
  onFailpoint(null);
  await Promise.all(members.map((member) => member.stop()));
});

function fetchText(member: TestMember, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`http://${member.endpoint}${path}`, { agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

async function scrape(member: TestMember): Promise<Map<string, Family>> {
  return parseMetrics(await fetchText(member, '/metrics'));
}

/** The sum of a metric's samples whose labels are these; NaN: there is none. */
function sum(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number {
  const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  const samples = (family?.samples ?? []).filter(
    (sample) => sample.name === name && Object.entries(labels).every(([k, v]) => sample.labels[k] === v),
  );
  return samples.length === 0 ? Number.NaN : samples.reduce((total, { value }) => total + value, 0);
}

async function post(member: TestMember, path: string, body: string): Promise<number> {
  const response = await fetch(`http://${member.endpoint}${path}`, { method: 'POST', body });
  await response.text();
  return response.status;
}

const leader = (): TestMember => members.find(({ keel }) => keel.member.figures().isLeader) as TestMember;

async function until(what: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 15_000; !(await what()); ) {
    if (Date.now() > end) throw new Error('it did not come true');
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Every metric of the mixin's rules and dashboard (etcd operations §3). */
const NAMES = [
  'etcd_server_has_leader',
  'etcd_server_leader_changes_seen_total',
  'etcd_server_proposals_failed_total',
  'etcd_server_proposals_committed_total',
  'etcd_server_proposals_applied_total',
  'etcd_server_proposals_pending',
  'etcd_disk_wal_fsync_duration_seconds',
  'etcd_disk_backend_commit_duration_seconds',
  'etcd_network_peer_round_trip_time_seconds',
  'etcd_network_peer_sent_failures_total',
  'etcd_network_peer_sent_bytes_total',
  'etcd_network_peer_received_bytes_total',
  'etcd_network_client_grpc_received_bytes_total',
  'etcd_network_client_grpc_sent_bytes_total',
  'etcd_mvcc_db_total_size_in_bytes',
  'etcd_mvcc_db_total_size_in_use_in_bytes',
  'etcd_server_quota_backend_bytes',
  'etcd_server_slow_apply_total',
  'etcd_server_slow_read_indexes_total',
  'etcd_server_heartbeat_send_failures_total',
  'grpc_server_started_total',
  'grpc_server_handled_total',
  'grpc_server_handling_seconds',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
];

test('every one is there, and strict readers can read it', async () => {
  for (const member of members) {
    const families = await scrape(member);
    expect(NAMES.filter((name) => !families.has(name))).toEqual([]);
    // Histograms that nobody has observed anything in are there too, so that their rates are 0.
    expect(sum(families, 'etcd_network_peer_round_trip_time_seconds_bucket', { le: '+Inf' })).toBeGreaterThanOrEqual(0);
    expect(families.get('grpc_server_handled_total')!.samples.length).toBeGreaterThan(40 * 17);
  }
});

test('docs/metrics.md names them all', async () => {
  const families = [...(await scrape(leader())).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = families.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help.replaceAll('|', '\\|')} |`);
  const table = `\n| metric | type | |\n|---|---|---|\n${rows.join('\n')}\n`;
  const path = join(REPO_ROOT, 'docs', 'metrics.md');
  const text = readFileSync(path, 'utf8');
  const head = text.slice(0, text.indexOf(TABLE) + TABLE.length);
  if (process.env.KEEL_TEST_REWRITE === '1') writeFileSync(path, `${head}\n${table}`);
  else expect(text).toBe(`${head}\n${table}`);
});

test('what work moves', async () => {
  const before = await scrape(leader());
  for (let i = 0; i < 20; i++) {
    expect(await post(leader(), '/v3/kv/put', `{"key":"a2V5","value":"${'QUJD'.repeat(500)}"}`)).toBe(200);
  }
  expect(await post(leader(), '/v3/kv/put', '{}')).toBe(400);
  expect(await post(leader(), '/v3/kv/range', '{"key":"a2V5"}')).toBe(200);
  await fetchText(leader(), '/health');
  // A flush of the backend, and a ping of the peers.
  await new Promise((done) => setTimeout(done, 300));
  await until(async () => {
    const now = await scrape(leader());
    const trips = (all: typeof now) => sum(all, 'etcd_network_peer_round_trip_time_seconds_count');
    return trips(now) > trips(before);
  });
  const after = await scrape(leader());
  const moved = (name: string, labels?: Record<string, string>): number =>
    sum(after, name, labels) - sum(before, name, labels);
  const put = { grpc_service: 'etcdserverpb.KV', grpc_method: 'Put', grpc_type: 'unary' };
  expect(moved('etcd_server_proposals_committed_total')).toBeGreaterThanOrEqual(20);
  expect(moved('etcd_server_proposals_applied_total')).toBeGreaterThanOrEqual(20);
  expect(moved('etcd_disk_wal_fsync_duration_seconds_count')).toBeGreaterThan(0);
  expect(moved('etcd_disk_wal_fsync_duration_seconds_bucket', { le: '8.192' })).toBeGreaterThan(0);
  expect(moved('etcd_disk_backend_commit_duration_seconds_count')).toBeGreaterThan(0);
  expect(moved('etcd_mvcc_db_total_size_in_use_in_bytes')).toBeGreaterThan(20_000);
  expect(moved('etcd_network_peer_sent_bytes_total')).toBeGreaterThan(20_000);
  expect(moved('etcd_network_peer_received_bytes_total')).toBeGreaterThan(0);
  expect(moved('etcd_network_client_grpc_received_bytes_total')).toBeGreaterThan(20_000);
  expect(moved('grpc_server_started_total', put)).toBe(21);
  expect(moved('grpc_server_handled_total', { ...put, grpc_code: 'OK' })).toBe(20);
  expect(moved('grpc_server_handled_total', { ...put, grpc_code: 'InvalidArgument' })).toBe(1);
  expect(moved('grpc_server_handling_seconds_count', put)).toBe(21);
  expect(moved('grpc_server_handling_seconds_sum', put)).toBeGreaterThan(0);
  expect(moved('etcd_mvcc_put_total')).toBe(20);
  expect(moved('etcd_mvcc_range_total')).toBeGreaterThanOrEqual(1);
  expect(moved('etcd_server_health_success')).toBe(1);
  expect(moved('keel_wal_batch_entries_count')).toBeGreaterThan(0);
  expect(moved('keel_apply_batch_entries_sum')).toBeGreaterThanOrEqual(20);
  expect(moved('keel_apply_turn_duration_seconds_count')).toBeGreaterThan(0);
  expect(sum(after, 'keel_backend_rows')).toBeGreaterThan(20);
  expect(sum(after, 'keel_backend_overlay_bytes')).toBeGreaterThanOrEqual(0);
  expect(sum(after, 'keel_eventloop_lag_seconds', { quantile: '1' })).toBeGreaterThanOrEqual(0);
  expect(sum(after, 'keel_gc_collections_total')).toBeGreaterThan(0);
});

test('a slow apply, and a leader that is late for it', async () => {
  const asked = leader();
  const before = await scrape(asked);
  const point = failpoints().get('beforeApplyOneEntryNormal')!;
  onFailpoint((hit) => {
    if (hit !== point) return;
    point.on = false;
    for (const end = performance.now() + 150; performance.now() < end; );
  });
  point.on = true;
  expect(await post(asked, '/v3/kv/put', '{"key":"eA=="}')).toBe(200);
  onFailpoint(null);
  // The three share this process, and whichever came first was slow; a late heartbeat is its leader's.
  const slow = await Promise.all(members.map(async (m) => sum(await scrape(m), 'etcd_server_slow_apply_total')));
  expect(slow.reduce((a, b) => a + b)).toBeGreaterThan(0);
  await until(async () => {
    const late = 'etcd_server_heartbeat_send_failures_total';
    return sum(await scrape(asked), late) > sum(before, late);
  });
});

test('what a loss moves', async () => {
  const lost = leader();
  const [left, other] = members.filter((member) => member !== lost) as [TestMember, TestMember];
  const before = await scrape(left);
  await lost.keel.stop();
  await until(async () => {
    const now = await scrape(left);
    return (
      sum(now, 'etcd_server_leader_changes_seen_total') > sum(before, 'etcd_server_leader_changes_seen_total') &&
      sum(now, 'etcd_server_has_leader') === 1
    );
  });
  await other.keel.stop();
  await until(async () => sum(await scrape(left), 'etcd_server_has_leader') === 0);
  const alone = await scrape(left);
  const put = post(left, '/v3/kv/put', '{"key":"eQ=="}');
  const read = post(left, '/v3/kv/range', '{"key":"eQ=="}');
  const health = await fetchText(left, '/health');
  expect(health).toContain('RAFT NO LEADER');
  // By the time that is up, or by the leader that is missed.
  expect([504, 503]).toContain(await put);
  expect([504, 503]).toContain(await read);
  const after = await scrape(left);
  const moved = (name: string): number => sum(after, name) - sum(alone, name);
  expect(moved('etcd_server_proposals_failed_total')).toBeGreaterThanOrEqual(1);
  expect(moved('etcd_server_slow_read_indexes_total') + moved('etcd_server_read_indexes_failed_total')).toBeGreaterThan(
    0,
  );
  expect(moved('etcd_server_health_failures')).toBe(1);
  expect(sum(after, 'etcd_network_peer_sent_failures_total')).toBeGreaterThan(0);
  expect(sum(after, 'etcd_network_disconnected_peers_total')).toBeGreaterThan(0);
  expect(sum(after, 'etcd_network_active_peers')).toBe(0);
}, 30_000);
