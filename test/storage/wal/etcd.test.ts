import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RealDisk } from '../../../src/env/real-disk.js';
import type { WalOptions } from '../../../src/storage/wal/index.js';
import { Wal } from '../../../src/storage/wal/index.js';
import { Entry, encodeInternalRequest, InternalKind, PutRequest } from '../../../src/wire/index.js';
import { missing } from '../../support/binaries.js';
import { MemberProcess } from '../../support/member-process.js';
import { freePorts } from '../../support/ports.js';
import { RawClient } from '../../support/raw-client.js';

const reason = missing('etcd');
if (reason) console.warn(`SKIPPED the WAL against a real etcd: ${reason}`);

let dir = '';
let disk: RealDisk;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'keel-etcd-wal-'));
  disk = new RealDisk({ lossy: false });
});
afterAll(async () => {
  await new Promise<void>((done) => disk.stop(done));
  rmSync(dir, { recursive: true, force: true });
});

/** A real etcd, alone, on a data folder; `use` gets a client of it. Then it is ended as `how` says. */
async function withEtcd<T>(dataDir: string, how: 'stop' | 'kill', use: (client: RawClient) => Promise<T>): Promise<T> {
  const [client, peer] = await freePorts(2);
  const member = new MemberProcess({
    kind: 'etcd',
    name: 'etcd',
    logFile: `${dataDir}.log`,
    flags: [
      ...['--data-dir', dataDir, '--listen-client-urls', `http://127.0.0.1:${client}`],
      ...['--advertise-client-urls', `http://127.0.0.1:${client}`, '--listen-peer-urls', `http://127.0.0.1:${peer}`],
    ],
  });
  const raw = new RawClient(`127.0.0.1:${client}`);
  try {
    member.start();
    await member.ready(20_000);
    return await use(raw);
  } finally {
    raw.close();
    if (how === 'stop') await member.stop();
    else await member.kill9();
  }
}

async function put(client: RawClient, key: string, value: string): Promise<void> {
  const result = await client.run({ kind: 'put', key, value, lease: '0', prev: false }, 5000);
  if (!result.ok) throw new Error(result.error.message);
}

async function keys(client: RawClient): Promise<string[]> {
  const request = { key: Buffer.from('\0'), range_end: Buffer.from('\0') };
  const result = await client.call('KV/Range', 'RangeRequest', 'RangeResponse', request, 5000);
  if (!result.ok) throw new Error(result.error.message);
  const { kvs } = result.value as unknown as { kvs: { key: Buffer; value: Buffer }[] };
  return kvs.map((kv) => `${kv.key.toString()}=${kv.value.toString()}`);
}

const saved = (
  wal: Wal,
  ...args: Parameters<Wal['save']> extends [infer H, infer E, infer S, unknown] ? [H, E, S] : never
) => new Promise<void>((done, fail) => wal.save(...args, (err) => (err === null ? done() : fail(err))));
const closed = (wal: Wal) => new Promise<void>((done, fail) => wal.close((err) => (err === null ? done() : fail(err))));

describe.skipIf(reason)('with a real etcd', () => {
  test('we go on in its log, and it goes on in ours', { timeout: 90_000 }, async () => {
    const first = join(dir, 'first');
    await withEtcd(first, 'kill', async (client) => {
      for (let i = 0; i < 30; i++) await put(client, `etcd/${String(i).padStart(2, '0')}`, 'x'.repeat(i));
    });

    // Its log as a killed member leaves it: all of the state, and no mark.
    const from = { index: 0, term: 0 };
    const opened = Wal.open(disk, join(first, 'member/wal'), from);
    expect(opened.uncertain).toBe(false);
    expect(opened.entries.length).toBeGreaterThan(30);
    expect(opened.hardState!.commit).toBeGreaterThanOrEqual(opened.entries.length - 1);

    // One more write into it, as a member would have logged it.
    const last = opened.entries.at(-1)!;
    const request = PutRequest.encode({ key: 'keel' as never, value: Buffer.from('was here') });
    const data = encodeInternalRequest(77n, '', 0, InternalKind.PUT, request);
    const entry = new Entry(0, last.term, last.index + 1, data);
    await saved(opened.wal, { ...opened.hardState!, commit: entry.index }, [entry], true);
    await closed(opened.wal);

    // The whole of it once more, in many segments of our own.
    const second = join(dir, 'second');
    const wal = join(second, 'member/wal');
    const options: WalOptions = { segmentBytes: 600 };
    const ours = Wal.create(disk, wal, opened.metadata, options);
    for (const e of [...opened.entries, entry]) {
      await saved(ours, { ...opened.hardState!, term: e.term, commit: e.index - 1 }, [e], true);
    }
    await saved(ours, { ...opened.hardState!, commit: entry.index }, [], true);
    await closed(ours);
    expect(readdirSync(wal).length).toBeGreaterThan(5);

    const want = [
      ...Array.from({ length: 30 }, (_, i) => `etcd/${String(i).padStart(2, '0')}=${'x'.repeat(i)}`),
      'keel=was here',
    ];
    const stores: string[][] = [];
    for (const [name, source] of [
      ['third', join(first, 'member/wal')],
      ['fourth', wal],
    ] as const) {
      // Only the log: the state must come out of it.
      const copy = join(dir, name);
      mkdirSync(join(copy, 'member'), { recursive: true });
      cpSync(source, join(copy, 'member/wal'), { recursive: true });
      stores.push(
        await withEtcd(copy, 'stop', async (client) => {
          await put(client, 'again', 'etcd');
          return keys(client);
        }),
      );
      // And back: what it appended is read, in the segments that we cut.
      const back = Wal.open(disk, join(copy, 'member/wal'), from, options);
      expect(back.entries.at(-1)!.index).toBeGreaterThan(entry.index);
      expect(back.cut).toBeNull();
      await closed(back.wal);
    }
    expect(stores).toEqual([
      ['again=etcd', ...want],
      ['again=etcd', ...want],
    ]);
    expect(dirname(wal)).toBe(join(second, 'member'));
  });
});
