/** GET /metrics of a running member: the names that dashboards ask for are there, and what they count moves. */
import { get } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { H2Client } from '../rpc/support/h2-client.js';
import type { TestMember } from '../rpc/support/member.js';
import { startTestMember } from '../rpc/support/member.js';
import { encode, methodOf } from '../rpc/support/proto.js';

let member: TestMember;
let client: H2Client;

beforeAll(async () => {
  member = await startTestMember();
  client = new H2Client(member.endpoint);
});

afterAll(async () => {
  client.close();
  await member.stop();
});

interface Scrape {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** The values of all lines of a name, by their labels as they stand. */
  value(name: string, labels?: string): number;
}

function fetchText(path: string): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    get(`http://${member.endpoint}${path}`, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          text: Buffer.concat(chunks).toString(),
        }),
      );
    }).on('error', reject);
  });
}

async function scrape(): Promise<Scrape> {
  const answer = await fetchText('/metrics');
  return {
    ...answer,
    value: (name, labels = '') => {
      const line = answer.text.split('\n').find((l) => l.startsWith(`${name}${labels} `));
      return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ') + 1));
    },
  };
}

async function call(name: string, request: Record<string, unknown>): Promise<number> {
  const method = methodOf(name);
  return (await client.unary(method.path, encode(method.request, request), {})).code;
}

const PUT = '{grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"}';
const handled = (code: string) =>
  `{grpc_code="${code}",grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"}`;

test('the text format, and what stands still', async () => {
  const { status, type, text, value } = await scrape();
  expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  // Every line is a comment or a sample, and every metric says what it is before its first line.
  let current = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('# TYPE ')) current = line.split(' ')[2]!;
    if (line === '' || line.startsWith('#')) continue;
    expect(line).toMatch(/^[a-z_]+(\{([a-zA-Z_]+="[^"]*",?)+\})? (-?\d+(\.\d+)?(e[+-]?\d+)?|\+Inf|Nan)$/i);
    expect(line.startsWith(current)).toBe(true);
  }
  expect(value('etcd_server_has_leader')).toBe(1);
  expect(value('etcd_server_is_leader')).toBe(1);
  expect(value('etcd_server_is_learner')).toBe(0);
  expect(value('etcd_server_leader_changes_seen_total')).toBe(1);
  expect(value('etcd_server_version', '{server_version="3.6.14"}')).toBe(1);
  expect(value('etcd_cluster_version', '{cluster_version="3.6"}')).toBe(1);
  expect(value('etcd_server_quota_backend_bytes')).toBe(2147483648);
  expect(value('etcd_server_proposals_failed_total')).toBe(0);
  // Methods that nobody has called are there, so that a rate of theirs is 0 and not unknown.
  expect(value('grpc_server_started_total', PUT.replace('Put', 'DeleteRange'))).toBe(0);
  expect(value('grpc_server_handled_total', handled('Unavailable'))).toBe(0);
});

test('what is counted moves', async () => {
  const before = await scrape();
  for (let i = 0; i < 5; i++) expect(await call('KV/Put', { key: `k${i}`, value: 'v'.repeat(1000) })).toBe(0);
  expect(await call('KV/Put', {})).toBe(3);
  const watch = client.stream(methodOf('Watch/Watch').path, {});
  watch.send(encode(methodOf('Watch/Watch').request, { create_request: { key: 'k' } }));
  await watch.next(1000);
  await fetchText('/health');
  await fetchText('/readyz');
  // A flush of the backend.
  await new Promise((done) => setTimeout(done, 250));
  const after = await scrape();
  const moved = (name: string, labels = '') => after.value(name, labels) - before.value(name, labels);
  expect(moved('etcd_server_proposals_applied_total')).toBe(5);
  expect(moved('etcd_server_proposals_committed_total')).toBe(5);
  expect(moved('grpc_server_started_total', PUT)).toBe(6);
  expect(moved('grpc_server_handled_total', handled('OK'))).toBe(5);
  expect(moved('grpc_server_handled_total', handled('InvalidArgument'))).toBe(1);
  expect(moved('grpc_server_msg_received_total', PUT)).toBe(6);
  expect(moved('grpc_server_msg_sent_total', PUT)).toBe(5);
  expect(moved('etcd_network_client_grpc_received_bytes_total')).toBeGreaterThan(5000);
  expect(moved('etcd_network_client_grpc_sent_bytes_total')).toBeGreaterThan(50);
  expect(moved('etcd_disk_wal_fsync_duration_seconds_count')).toBeGreaterThan(0);
  expect(moved('etcd_disk_wal_fsync_duration_seconds_bucket', '{le="+Inf"}')).toBe(
    moved('etcd_disk_wal_fsync_duration_seconds_count'),
  );
  expect(moved('etcd_disk_backend_commit_duration_seconds_count')).toBeGreaterThan(0);
  expect(moved('etcd_mvcc_db_total_size_in_use_in_bytes')).toBeGreaterThan(5000);
  expect(moved('etcd_debugging_mvcc_current_revision')).toBe(5);
  expect(moved('etcd_debugging_mvcc_keys_total')).toBe(5);
  expect(moved('etcd_debugging_mvcc_watcher_total')).toBe(1);
  expect(moved('etcd_debugging_mvcc_watch_stream_total')).toBe(1);
  expect(moved('etcd_server_health_success')).toBe(1);
  expect(after.value('etcd_server_healthcheck', '{type="readyz",name="linearizable_read"}')).toBe(1);
  expect(moved('process_cpu_seconds_total')).toBeGreaterThan(0);
  watch.cancel();
});

test('the process', async () => {
  const { value } = await scrape();
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(10e6);
  expect(value('process_virtual_memory_bytes')).toBeGreaterThan(value('process_resident_memory_bytes'));
  expect(value('process_open_fds')).toBeGreaterThan(5);
  expect(value('process_max_fds')).toBeGreaterThan(value('process_open_fds'));
  expect(Math.abs(value('process_start_time_seconds') - Date.now() / 1000)).toBeLessThan(600);
});
