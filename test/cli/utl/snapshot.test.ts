/** keelutl on files of our own making: no server, no etcd. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeRevision } from '../../../src/mvcc/index.js';
import { sha256 } from '../../../src/util/sha.js';
import { KeyValue } from '../../../src/wire/index.js';
import type { Row } from '../../storage/bbolt/support.js';
import { write } from '../../storage/bbolt/support.js';
import { runKeelutl } from '../../support/utl.js';

let dir: string;
const at = (name: string) => join(dir, name);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keelutl-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const kv = (key: string, revision: number, version: number, created: number, value: string): Row => [
  'key',
  encodeRevision(revision, 0, false),
  KeyValue.encode({
    key,
    createRevision: created,
    modRevision: revision,
    version,
    value: Buffer.from(value),
    lease: 0n,
  } as never),
];

/** Three keys, one of them deleted; a lease; a user. */
const ROWS: readonly Row[] = [
  kv('a', 2, 1, 2, 'one'),
  kv('b', 3, 1, 3, 'two'),
  kv('a', 4, 2, 2, 'three'),
  kv('c', 5, 1, 5, 'x'.repeat(6000)),
  ['key', encodeRevision(6, 0, true), KeyValue.encode({ key: 'b' } as never)],
  ['lease', Buffer.from('0000000000000007', 'hex'), Buffer.from('0807103c', 'hex')],
  ['authUsers', Buffer.from('root'), Buffer.from([0x0a, 0x04, 0x72, 0x6f, 0x6f, 0x74])],
  ['members', Buffer.from('1'), Buffer.from('{"id":1,"peerURLs":["http://old:1"]}')],
  ['members_removed', Buffer.from('2'), Buffer.from('removed')],
  ['meta', Buffer.from('consistent_index'), Buffer.from('00000000000003e8', 'hex')],
];

async function snapshot(rows: readonly Row[] = ROWS): Promise<Buffer> {
  const db = await write(rows);
  return Buffer.concat([db, sha256(db)]);
}

describe('snapshot status', () => {
  it('counts the user keys that exist, in every format', async () => {
    writeFileSync(at('s.db'), await snapshot());
    const json = await runKeelutl(['snapshot', 'status', at('s.db'), '-w', 'json']);
    const { hash, totalSize, ...rest } = JSON.parse(json.out);
    expect(rest).toEqual({ revision: 6, totalKey: 2, version: '' });
    const simple = await runKeelutl(['snapshot', 'status', at('s.db')]);
    expect(simple.out).toBe(`${hash.toString(16)}, 6, 2, ${Math.round(totalSize / 1000)} kB, \n`);
    expect((await runKeelutl(['snapshot', 'status', at('s.db'), '-w', 'fields'])).out).toContain('"Keys" : 2\n');
    expect((await runKeelutl(['snapshot', 'status', at('s.db'), '-w', 'table'])).out).toContain('| TOTAL KEYS |');
  });

  it('says what is wrong with a file', async () => {
    const good = await snapshot();
    writeFileSync(at('cut'), good.subarray(0, good.length - 4096));
    const cut = await runKeelutl(['snapshot', 'status', at('cut')]);
    expect([cut.code, cut.out]).toEqual([1, '']);
    expect(cut.err).toContain('Error: the file is cut');
    const bad = Buffer.from(good);
    bad.writeUInt16LE(0x77, 2 * 4096 + 8);
    writeFileSync(at('bad'), bad);
    expect((await runKeelutl(['snapshot', 'status', at('bad')])).err).toMatch(
      /^Error: snapshot file integrity check failed\. 1 errors found\.\npage 2: neither branch nor leaf/,
    );
  });
});

describe('snapshot restore', () => {
  const restore = (file: string, data: string, ...flags: string[]) =>
    runKeelutl(['snapshot', 'restore', at(file), '--data-dir', at(data), ...flags]);

  it("makes a folder whose hash is the file's, with the members of the new cluster", async () => {
    writeFileSync(at('s.db'), await snapshot());
    const urls = 'm1=http://127.0.0.1:1,m2=http://127.0.0.1:2';
    const made = await restore(
      's.db',
      'm1',
      '--name',
      'm1',
      '--initial-cluster',
      urls,
      '--initial-advertise-peer-urls',
      'http://127.0.0.1:1',
    );
    expect([made.code, made.out]).toEqual([0, '']);
    expect(readdirSync(at('m1'))).toEqual(['member']);
    const hash = (await runKeelutl(['hashkv', at('s.db')])).out;
    expect((await runKeelutl(['hashkv', at('m1')])).out).toBe(hash);

    expect((await runKeelutl(['snapshot', 'save', at('again.db'), '--data-dir', at('m1')])).code).toBe(0);
    expect((await runKeelutl(['hashkv', at('again.db')])).out).toBe(hash);
    const { readAll } = await import('../../storage/bbolt/support.js');
    const rows = readAll(readFileSync(at('again.db')).subarray(0, -32));
    const kept = (name: string) => rows.filter(([bucket]) => bucket === name);
    for (const name of ['key', 'lease', 'authUsers']) {
      expect(kept(name)).toEqual(ROWS.filter(([bucket]) => bucket === name));
    }
    expect(
      kept('members')
        .map(([, , value]) => JSON.parse(value.toString()).name)
        .sort(),
    ).toEqual(['m1', 'm2']);
    expect(kept('members_removed')).toEqual([]);
    const meta = Object.fromEntries(kept('meta').map(([, key, value]) => [key.toString(), value]));
    expect([meta.consistent_index!.readBigUInt64BE(), meta.term!.readBigUInt64BE()]).toEqual([2n, 1n]);
    expect(meta.storageVersion!.toString()).toBe('3.6.0');
  });

  it('bumps the revision and marks it compacted', async () => {
    writeFileSync(at('s.db'), await snapshot());
    expect((await restore('s.db', 'd', '--bump-revision', '1000', '--mark-compacted')).code).toBe(0);
    const { hashRevision, compactRevision } = JSON.parse((await runKeelutl(['hashkv', at('d'), '-w', 'json'])).out);
    expect([hashRevision, compactRevision]).toEqual([1006, 1006]);
    for (const flags of [['--bump-revision', '1'], ['--mark-compacted']]) {
      const half = await restore('s.db', 'e', ...flags);
      expect([half.code, half.err]).toEqual([128, 'Error: --mark-compacted required if --revision-bump > 0\n']);
    }
  });

  it('refuses a snapshot with any byte changed, and one that is cut, and writes nothing', async () => {
    const good = await snapshot();
    for (let i = 0; i < good.length; i += 487) {
      const bad = Buffer.from(good);
      bad[i]! ^= 0x40;
      writeFileSync(at('bad'), bad);
      const flipped = await restore('bad', 'd');
      expect(flipped.code).toBe(1);
      expect(flipped.err).toContain('Error: expected sha256 [');
    }
    for (const length of [0, 100, 4096, 20_000, good.length - 32, good.length - 4096]) {
      writeFileSync(at('bad'), good.subarray(0, length));
      expect((await restore('bad', 'd')).code, `cut to ${length}`).toBe(1);
    }
    expect(existsSync(at('d'))).toBe(false);
  }, 60_000);

  it('without the hash check still refuses what is no database, or one that a member could not read', async () => {
    const refused = async (bytes: Buffer, text: string): Promise<void> => {
      writeFileSync(at('bad'), bytes);
      const got = await restore('bad', 'd', '--skip-hash-check');
      expect(got.err).toContain(text);
      expect([got.code, existsSync(at('d'))]).toEqual([1, false]);
    };
    await refused(Buffer.alloc(20_000, 0x41), 'Error: invalid database');
    await refused(await write([['key', Buffer.from('hello'), Buffer.alloc(1)]]), 'not a revision in bucket key');
    await refused(
      await write([['key', encodeRevision(2, 0, false), Buffer.from([0x0a, 0x7f])]]),
      'cannot unmarshal value',
    );
    await refused(await write([['lease', Buffer.from('xyz'), Buffer.alloc(0)]]), "not a lease's id");
    await refused(
      await write([['meta', Buffer.from('storageVersion'), Buffer.from('3.7.0')]]),
      'the file has storage version 3.7.0; this version of keel reads up to 3.6.0',
    );
    const good = await snapshot();
    writeFileSync(at('db'), good.subarray(0, -32));
    expect((await restore('db', 'd')).err).toContain('Error: snapshot missing hash but --skip-hash-check=false\n');
    expect((await restore('db', 'd', '--skip-hash-check')).code).toBe(0);
  });

  it('takes an empty folder, and one that a restore was cut off in; no other', async () => {
    writeFileSync(at('s.db'), await snapshot());
    mkdirSync(at('empty'));
    expect((await restore('s.db', 'empty')).code).toBe(0);
    mkdirSync(at('cut/member.restoring/keel/db-1'), { recursive: true });
    expect((await restore('s.db', 'cut')).code).toBe(0);
    expect(readdirSync(at('cut'))).toEqual(['member']);
    const again = await restore('s.db', 'empty');
    expect([again.code, again.err]).toEqual([1, `Error: data-dir "${at('empty')}" not empty or could not be read\n`]);
    writeFileSync(at('file'), 'x');
    expect((await restore('s.db', 'file')).code).toBe(1);
  });
});

describe('hashkv and defrag', () => {
  it("refuse what is no member's folder and make nothing of it", async () => {
    mkdirSync(at('x'));
    expect((await runKeelutl(['hashkv', at('x')])).err).toContain('is not the data folder of a keel member');
    expect((await runKeelutl(['defrag', '--data-dir', at('x')])).err).toBe(
      `Error: Failed to defragment etcd data[${at('x')}] (${at('x')} is not the data folder of a keel member)\n`,
    );
    expect(readdirSync(at('x'))).toEqual([]);
    mkdirSync(at('e/member/snap'), { recursive: true });
    writeFileSync(at('e/member/snap/db'), '');
    expect((await runKeelutl(['defrag', '--data-dir', at('e')])).err).toContain('use "etcdutl defrag"');
  });

  it('defragment a stopped member, which is the same afterwards', async () => {
    writeFileSync(at('s.db'), await snapshot());
    await runKeelutl(['snapshot', 'restore', at('s.db'), '--data-dir', at('d')]);
    const before = (await runKeelutl(['hashkv', at('d')])).out;
    expect((await runKeelutl(['defrag', '--data-dir', at('d')])).code).toBe(0);
    expect((await runKeelutl(['hashkv', at('d')])).out).toBe(before);
  });
});
