/**
 * A data folder outlives the build that wrote it. test/testdata/data-folder holds folders of each format version, made once
 * and never again, with what their members answered then: every later build answers the same, or refuses them by name.
 *
 * KEEL_TEST_REWRITE=1 makes those of the present format where there are none; it never touches one that is there.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeelClient } from '../../src/client/index.js';
import { KEEL_FORMAT } from '../../src/storage/backend/keel-file.js';
import { crc32c } from '../../src/util/crc32c.js';
import { REPO_ROOT, sayIfMissing } from '../support/binaries.js';
import { packFolder, unpackFolder } from '../support/data-folder.js';
import { MemberProcess } from '../support/member-process.js';
import { freePorts } from '../support/ports.js';

const FOLDER = join(REPO_ROOT, 'test', 'testdata', 'data-folder');
const ENDS = ['stopped', 'killed'] as const;
const ROOT = { name: 'root', password: 'of the fixture' };
const lacking = sayIfMissing('the data folders of earlier builds', 'keel');
const fixture = (version: number, end: string) => join(FOLDER, `v${version}-${end}.json`);
/** Every format that a build has ever written. */
const VERSIONS = Array.from({ length: KEEL_FORMAT }, (_, i) => i + 1);

let dir: string;
let member: MemberProcess | undefined;
let client: KeelClient | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keel-data-folder-'));
});
afterEach(async () => {
  await client?.close();
  client = undefined;
  await member?.kill9();
  member = undefined;
  rmSync(dir, { recursive: true, force: true });
});

if (process.env.KEEL_TEST_REWRITE === '1') {
  test.skipIf(lacking).each(ENDS)('make the folder of a member that was %s', async (end) => {
    const path = fixture(KEEL_FORMAT, end);
    if (existsSync(path)) return;
    await start();
    await live(client!);
    const answers = await look(client!);
    if (end === 'stopped') await member!.stop();
    else await member!.kill9();
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(path, `${JSON.stringify({ answers, files: JSON.parse(packFolder(join(dir, 'data'))) }, null, 1)}\n`);
  });
}

test.skipIf(lacking).each(VERSIONS.flatMap((version) => ENDS.map((end) => [version, end] as const)))(
  'a folder of format %d, its member %s, is opened as it was left',
  async (version, end) => {
    const { answers, files } = JSON.parse(readFileSync(fixture(version, end), 'utf8'));
    unpackFolder(JSON.stringify(files), join(dir, 'data'));
    await start(ROOT);
    expect(await look(client!)).toEqual(answers);
    // It goes on from there, and reads itself again.
    const { header } = await client!.put('after', 'it goes on');
    expect(header.revision).toBe(answers.revision + 1);
    await client!.close();
    await member!.stop();
    await start(ROOT);
    expect((await client!.get('after')).kvs[0]?.value.toString()).toBe('it goes on');
    const after = await look(client!);
    expect(after.keys.filter((k) => k.key !== 'after')).toEqual(answers.keys);
  },
);

test.skipIf(lacking)('a folder of a later format is refused, and the way out is named', async () => {
  const { files } = JSON.parse(readFileSync(fixture(1, 'stopped'), 'utf8'));
  const data = join(dir, 'data');
  unpackFolder(JSON.stringify(files), data);
  const path = join(data, 'member', 'keel', 'KEEL');
  const later = readFileSync(path, 'latin1')
    .replace(/ [0-9a-f]{8}\n$/, '')
    .replace('"keel":1', `"keel":${KEEL_FORMAT + 1}`);
  const line = `${later} ${crc32c(Buffer.from(later, 'latin1')).toString(16).padStart(8, '0')}\n`;
  writeFileSync(path, line);
  const before = packFolder(data);
  await expect(start()).rejects.toThrow();
  const log = readFileSync(join(dir, 'log'), 'utf8');
  expect(log).toContain(
    `was written in format ${KEEL_FORMAT + 1}; this version of keel reads up to format ${KEEL_FORMAT}`,
  );
  expect(log).toContain('keelutl snapshot restore');
  expect(packFolder(data)).toBe(before);
});

async function start(auth?: typeof ROOT): Promise<void> {
  const [clientPort, peerPort] = await freePorts(2);
  const url = `http://127.0.0.1:${clientPort}`;
  // Who a member is comes from its peer URL in --initial-cluster; the folder keeps it.
  const flags = ['--name', 'fixture', '--data-dir', join(dir, 'data'), '--snapshot-count', '60'];
  flags.push('--listen-client-urls', url, '--advertise-client-urls', url);
  flags.push('--listen-peer-urls', `http://127.0.0.1:${peerPort}`);
  flags.push(
    '--initial-advertise-peer-urls',
    'http://127.0.0.1:2380',
    '--initial-cluster',
    'fixture=http://127.0.0.1:2380',
  );
  flags.push('--bcrypt-cost', '4');
  member = new MemberProcess({ kind: 'keel', name: 'fixture', flags, logFile: join(dir, 'log') });
  member.start();
  await member.ready(10_000);
  client = new KeelClient({ endpoints: url, ...(auth === undefined ? {} : { auth }) });
}

/** A life with something of everything: history, a compaction, leases, users, a log that was cut behind a flush. */
async function live(c: KeelClient): Promise<void> {
  for (let i = 0; i < 120; i++) await c.put(`key/${i % 40}`, `value ${i}`);
  await c.put(Buffer.from([0xff, 0x00, 0x80]), Buffer.alloc(3000, 7));
  await c.delete('key/7');
  await c.kv.compact(100, { physical: true });
  const { id } = await c.lease.grant(1_000_000, { id: 77n });
  await c.put('leased', 'with its lease', { lease: id });
  await c.auth.roleAdd('reader');
  await c.auth.roleGrantPermission('reader', 'read', 'key/', { rangeEnd: 'key0' });
  await c.auth.userAdd('ann', 'her password');
  await c.auth.userGrantRole('ann', 'reader');
  await c.auth.roleAdd('root');
  await c.auth.userAdd(ROOT.name, ROOT.password);
  await c.auth.userGrantRole(ROOT.name, 'root');
  await c.put('last', 'before authentication');
  await c.auth.enable();
  await c.close();
  client = new KeelClient({ endpoints: `http://127.0.0.1:${portOf()}`, auth: ROOT });
  await client.put('key/1', 'behind the last flush');
}

function portOf(): string {
  return /http:\/\/127\.0\.0\.1:(\d+)/.exec(member!.spec.flags.join(' '))![1]!;
}

/** What a client can see of it. */
async function look(given: KeelClient) {
  const c = client ?? given;
  const { header, kvs } = await c.get('\0', { fromKey: true });
  const at = Math.max(header.revision - 2, 2);
  const hash = await c.maintenance.hashKv(endpoint(), { revision: at });
  return {
    revision: header.revision,
    cluster: String(header.clusterId),
    member: String(header.memberId),
    hash: hash.hash,
    compacted: hash.compactRevision,
    keys: kvs.map((kv) => ({
      key: kv.key.toString('latin1'),
      value: kv.value.length > 100 ? `${kv.value.length} bytes` : kv.value.toString('latin1'),
      create: kv.createRevision,
      mod: kv.modRevision,
      version: kv.version,
      lease: String(kv.lease),
    })),
    past: (await c.get('key/3', { revision: 101 })).kvs.map((kv) => kv.value.toString()),
    leases: (await c.lease.leases()).leases.map(String),
    users: (await c.auth.userList()).users,
    roles: (await c.auth.roleList()).roles,
    permissions: (await c.auth.roleGet('reader')).permissions.map((p) => JSON.parse(JSON.stringify(p))),
  };
}

function endpoint(): string {
  return `http://127.0.0.1:${portOf()}`;
}
