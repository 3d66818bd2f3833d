/** keelutl prints what the real etcdutl prints: output, errors and exit codes of the same command lines. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRevision } from '../../../src/mvcc/index.js';
import { sha256 } from '../../../src/util/sha.js';
import { KeyValue } from '../../../src/wire/index.js';
import type { Row } from '../../storage/bbolt/support.js';
import { write } from '../../storage/bbolt/support.js';
import { etcdutlBinary } from '../../support/binaries.js';
import type { CtlResult } from '../../support/ctl.js';
import { runEtcdutl, runKeelutl } from '../../support/utl.js';

const reason = etcdutlBinary() ? undefined : 'no etcdutl: set KEEL_TEST_ETCD_BIN or put it on PATH';
if (reason) console.warn(`SKIPPED keelutl beside the real etcdutl: ${reason}`);

/** Not compared, and why: each is etcdutl 3.6's where the one beside us is 3.5's, or a name. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  // Its own name, and its own log lines on stderr.
  [/etcdutl|keelutl/g, '<program>'],
  [/^\d{4}-\d\d-\d\dT\S+\t(info|warn)\t.*\n/gm, ''],
  // bbolt 1.4 says how small.
  [/file size too small \d+/, 'file size too small'],
  // 3.6 counts the user keys that exist, 3.5 all rows; 3.6 names the storage version.
  [/"totalKey":\d+/, '"totalKey":N'],
  [/"Keys" : \d+/, '"Keys" : N'],
  [/^([0-9a-f]+, \d+), \d+,/m, '$1, N,'],
  [/,"version":"[^"]*"/, ''],
  [/"Version" : .*\n/, ''],
  [/, (3\.6\.0)?$/m, ''],
  [/ [A-Z][A-Za-z ]+ an etcd member snapshot to .* directory/, ' Restores an etcd member snapshot to a directory'],
];

function masked({ code, out, err }: CtlResult): CtlResult {
  const mask = (text: string) => MASKS.reduce((t, [pattern, by]) => t.replace(pattern, by), text);
  return { code, out: mask(out), err: mask(err) };
}

/** The table of 3.5 has no version column, and another count. */
function maskTable(result: CtlResult): CtlResult {
  // Borders are drawn one way or the other.
  const lines = Buffer.from(result.out, 'latin1').toString('utf8').replaceAll('│', '|').split('\n');
  const cells = lines.map((line) => line.split('|').map((cell) => cell.trim()));
  return {
    ...result,
    out: cells
      .map((line) => [line[1], line[2], line[4]].join('|'))
      .filter((l) => !l.startsWith('|'))
      .join('\n'),
  };
}

describe.skipIf(reason)('keelutl beside etcdutl', () => {
  let dir: string;
  const at = (name: string) => join(dir, name);

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'keelutl-parity-'));
    const rows: Row[] = [];
    for (let i = 2; i < 300; i++) {
      const kv = { key: `k${i % 50}`, createRevision: i, modRevision: i, version: 1, value: Buffer.alloc(i * 7, 'v') };
      rows.push(['key', encodeRevision(i, 0, false), KeyValue.encode(kv as never)]);
    }
    rows.push(['meta', Buffer.from('storageVersion'), Buffer.from('3.6.0')]);
    const db = await write(rows);
    const snapshot = Buffer.concat([db, sha256(db)]);
    writeFileSync(at('s.db'), snapshot);
    writeFileSync(at('bare.db'), db);
    const flipped = Buffer.from(snapshot);
    flipped[9000]! ^= 1;
    writeFileSync(at('flipped.db'), flipped);
    writeFileSync(at('foreign'), Buffer.alloc(20_000, 0x61));
    writeFileSync(at('short'), Buffer.alloc(100, 0x61));
    writeFileSync(at('onepage'), db.subarray(0, 8000));
    writeFileSync(at('empty'), '');
    mkdirSync(at('full'));
    writeFileSync(at('full/x'), 'x');
    mkdirSync(at('wal'));
  });

  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const both = async (line: string): Promise<[CtlResult, CtlResult]> => {
    const args = line
      .split(' ')
      .filter((word) => word !== '')
      .map((word) => word.replace('@', `${dir}/`).replace("''", ''));
    const made = args.filter((word) => word.startsWith(at('out')));
    const clean = (): void => {
      for (const path of made) rmSync(path, { recursive: true, force: true });
    };
    clean();
    const theirs = await runEtcdutl(args);
    clean();
    const ours = await runKeelutl(args);
    // etcdutl leaves an unfinished folder behind; we leave none.
    if (ours.code !== 0) for (const path of made) expect(existsSync(path), `${line}: ${path}`).toBe(false);
    clean();
    return [ours, theirs];
  };

  it.each([
    'snapshot status @s.db',
    'snapshot status @bare.db',
    'snapshot status @flipped.db',
    'snapshot status @s.db -w json',
    'snapshot status @s.db -w fields',
    '--write-out=json snapshot status @s.db',
    'snapshot status @s.db -w protobuf',
    'snapshot status @s.db -w foo',
    'snapshot status @nope',
    'snapshot status @foreign',
    'snapshot status @short',
    'snapshot status @onepage',
    'snapshot status',
    'snapshot status a b',
    'snapshot status -h',
    'snapshot status -x',
    'snapshot status --foo',
    'snapshot statu @nope',
    'snapshot restore @s.db --data-dir @out1',
    'snapshot restore @s.db --data-dir @full',
    'snapshot restore @s.db --data-dir @out1 --wal-dir @wal',
    'snapshot restore @bare.db --data-dir @out1',
    'snapshot restore @bare.db --data-dir @out1 --skip-hash-check',
    'snapshot restore @flipped.db --data-dir @out1',
    'snapshot restore @foreign --data-dir @out1',
    'snapshot restore @short --data-dir @out1',
    'snapshot restore @onepage --data-dir @out1',
    'snapshot restore @empty --data-dir @out1',
    'snapshot restore @nope --data-dir @out1',
    'snapshot restore --data-dir @out1',
    'snapshot restore a b --data-dir @out1',
    'snapshot restore @s.db --data-dir @out1 --bump-revision 5',
    'snapshot restore @s.db --data-dir @out1 --mark-compacted',
    'snapshot restore @s.db --data-dir @out1 --bump-revision 0 --mark-compacted',
    'snapshot restore @s.db --data-dir @out1 --bump-revision 5 --mark-compacted',
    'snapshot restore @s.db --data-dir @out1 --name m1',
    "snapshot restore @s.db --data-dir @out1 --name m1 --initial-cluster=''",
    'snapshot restore @s.db --data-dir @out1 --name m1 --initial-cluster m2=http://localhost:2380',
    'snapshot restore @s.db --data-dir @out1 --name m1 --initial-cluster m1=http://localhost:2380',
    'snapshot restore @s.db --data-dir @out1 --name m1 --initial-cluster m1=http://localhost:2380,m2=http://localhost:2381',
    'snapshot restore @s.db --data-dir @out1 --name m1 --initial-cluster m1=http://localhost:2380,m2=http://localhost:2380',
    'snapshot restore @s.db --data-dir @out1 --name m1 --initial-cluster m1=http://localhost:2380 --initial-advertise-peer-urls http://localhost:2381',
    'snapshot restore @s.db --data-dir @out1 --initial-cluster foo',
    'snapshot restore @s.db --data-dir @out1 --initial-cluster default=foo',
    'snapshot restore @s.db --data-dir @out1 --initial-cluster default=http://localhost',
    'snapshot restore @s.db --data-dir @out1 --initial-advertise-peer-urls foo',
    'snapshot restore @s.db --data-dir @out1 --initial-advertise-peer-urls http://foo',
    "snapshot restore @s.db --data-dir @out1 --initial-advertise-peer-urls=''",
    'snapshot restore @s.db --data-dir @out1 --initial-cluster-token t --initial-memory-map-size 1',
    'foo',
    'help snapshot status',
  ])('%s', async (line) => {
    const [ours, theirs] = (await both(line)).map(masked);
    expect(ours).toEqual(theirs);
  });

  it.each([
    'snapshot restore @s.db --data-dir @out1 --bump-revision x',
    'snapshot restore @s.db --data-dir @out1 --bump-revision=-1',
    'snapshot restore @s.db --foo',
    'snapshot restore -h',
  ])('%s', async (line) => {
    const [ours, theirs] = (await both(line)).map(masked);
    expect(ours).toEqual(theirs);
  });

  it('snapshot status @s.db -w table', async () => {
    const [ours, theirs] = (await both('snapshot status @s.db -w table')).map(maskTable);
    expect(ours).toEqual(theirs);
  });

  it('the same folder of rows: what etcdutl restored has the hash of what we restored', async () => {
    const flags = ['--bump-revision', '7', '--mark-compacted'];
    for (const [name, more] of [
      ['plain', []],
      ['bumped', flags],
    ] as const) {
      expect((await runEtcdutl(['snapshot', 'restore', at('s.db'), '--data-dir', at(`e-${name}`), ...more])).code).toBe(
        0,
      );
      expect((await runKeelutl(['snapshot', 'restore', at('s.db'), '--data-dir', at(`k-${name}`), ...more])).code).toBe(
        0,
      );
      const theirs = await runKeelutl(['hashkv', at(`e-${name}/member/snap/db`)]);
      const ours = await runKeelutl(['hashkv', at(`k-${name}`)]);
      expect(ours).toEqual(theirs);
    }
  });

  it('reads what is saved with a tail that etcd had not used', async () => {
    // A running etcd grows its file ahead: what lies behind the high-water mark is not looked at.
    writeFileSync(at('grown.db'), readFileSync(at('bare.db')));
    appendFileSync(at('grown.db'), Buffer.alloc(1 << 20));
    const [ours, theirs] = (await both('snapshot status @grown.db')).map(masked);
    expect(ours).toEqual(theirs);
    expect(execFileSync(etcdutlBinary()!, ['snapshot', 'status', at('grown.db')]).length).toBeGreaterThan(10);
  });
});
