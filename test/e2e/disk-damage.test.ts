import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rng } from '../../src/util/rng.js';
import { keelBuilt } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import { sleep } from '../support/member-process.js';

/*
 * Real LevelDB files and real log segments of a member that is down are damaged; it is started again in its cluster. It
 * has to notice, whether or not LevelDB does, never serve a wrong byte, and end up equal to the others.
 */

const SEED = Number(process.env.KEEL_E2E_SEED ?? 1);
const VICTIM = 'm3';
const ASIDE = 'damaged data was set aside';
const built = keelBuilt();
if (!built) console.warn('SKIPPED disk damage with real files: dist/ is not built');

let cluster: Cluster;
let written = 0;
const rng = new Rng(SEED);

const folder = (): string => join(cluster.member(VICTIM).dataDir, 'member');

function store(): string {
  const name = /"store":"(db-\d+)"/.exec(readFileSync(join(folder(), 'keel', 'KEEL'), 'utf8'))?.[1];
  return join(folder(), 'keel', name as string);
}

/** The largest file of the store with such a name. */
function storeFile(ending: RegExp): string {
  const found = readdirSync(store())
    .filter((name) => ending.test(name))
    .map((name) => join(store(), name))
    .sort((a, b) => statSync(b).size - statSync(a).size)[0];
  if (found === undefined) throw new Error(`no ${ending} among ${readdirSync(store()).join(' ')}`);
  return found;
}

/** Changes bytes in place, as a disk does: nothing else of the file moves. */
function change(path: string, offset: number, length: number, to: (bytes: Buffer) => void): void {
  const fd = openSync(path, 'r+');
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, offset);
  to(bytes);
  writeSync(fd, bytes, 0, length, offset);
  closeSync(fd);
}

function flip(path: string, places: number): void {
  const { size } = statSync(path);
  for (let i = 0; i < places; i++) {
    change(path, rng.below(size), 1, (bytes) => {
      bytes[0]! ^= 1 << rng.below(8);
    });
  }
}

function flipLog(): void {
  const dir = join(folder(), 'wal');
  const path = join(dir, readdirSync(dir).filter((name) => name.endsWith('.wal'))[0] as string);
  const bytes = readFileSync(path);
  let end = bytes.length;
  while (bytes[end - 1] === 0) end--;
  change(path, Math.floor(end / 2), 1, (byte) => {
    byte[0]! ^= 8;
  });
}

const valueFor = (n: number): string => `value ${n} `.repeat(20);
const keyFor = (n: number): string => `k${String(n).padStart(6, '0')}`;

async function put(count: number): Promise<void> {
  const client = cluster.client('m1');
  const one = async (): Promise<void> => {
    const n = written++;
    const op = { kind: 'put', key: keyFor(n), value: valueFor(n), lease: '0', prev: false };
    const result = await client.run(op as never, 10_000);
    if (!result.ok) throw new Error(`put ${n}: ${result.error.message}`);
  };
  for (let i = 0; i < count; i += 100) await Promise.all(Array.from({ length: Math.min(100, count - i) }, one));
}

/** Starts it, again where it stopped by itself, which damage found while it serves makes it do. */
async function startVictim(): Promise<string> {
  const { process } = cluster.member(VICTIM);
  let log = '';
  for (let i = 0; i < 4; i++) {
    process.start();
    try {
      await process.ready(20_000);
      await wholeState();
      return log + process.log();
    } catch (err) {
      log += process.log();
      if (process.running) throw err;
    }
  }
  throw new Error(`${VICTIM} does not come up:\n${log.split('\n').slice(-10).join('\n')}`);
}

/** Every row that the victim serves by itself is the right one, and none is missing in the end. */
async function wholeState(): Promise<void> {
  const until = Date.now() + 20_000;
  for (;;) {
    const op = { kind: 'range', key: '\0', rangeEnd: '\0', revision: 0, serializable: true, limit: 0 };
    const result = await cluster.client(VICTIM).run(op as never, 10_000);
    if (result.ok && result.value.kind === 'range') {
      const { kvs } = result.value;
      for (const kv of kvs) expect(kv.value, kv.key).toBe(valueFor(Number(kv.key.slice(1))));
      if (kvs.length === written) return;
    }
    if (!cluster.member(VICTIM).process.running) throw new Error('it stopped');
    if (Date.now() > until) throw new Error(`not ${written} rows: ${JSON.stringify(result).slice(0, 200)}`);
    await sleep(50);
  }
}

async function equal(): Promise<void> {
  const revision = await cluster.converged();
  const hashes = await Promise.all(cluster.names.map((name) => cluster.client(name).hashKv(revision)));
  expect(new Set(hashes.map((result) => (result.ok ? result.value.hash : result.error.message))).size).toBe(1);
}

/** @param found what the log must say; null where LevelDB may never look at the damaged bytes again */
const CASES: readonly { what: string; damage: () => void; found: RegExp | null }[] = [
  { what: 'twenty bits of a table', damage: () => flip(storeFile(/\.ldb$/), 20), found: /"damaged":"store"/ },
  { what: 'one bit of a table', damage: () => flip(storeFile(/\.ldb$/), 1), found: null },
  {
    what: 'a table cut in half',
    damage: () => truncateSync(storeFile(/\.ldb$/), statSync(storeFile(/\.ldb$/)).size >> 1),
    found: /"damaged":"store"/,
  },
  { what: 'a table that is gone', damage: () => unlinkSync(storeFile(/\.ldb$/)), found: /"damaged":"store"/ },
  { what: 'the MANIFEST zeroed', damage: () => zero(storeFile(/^MANIFEST/)), found: /"damaged":"store"/ },
  { what: 'CURRENT gone', damage: () => unlinkSync(join(store(), 'CURRENT')), found: /"damaged":"store"/ },
  { what: 'bits of the log of LevelDB', damage: () => flip(storeFile(/^\d+\.log$/), 30), found: null },
  {
    what: 'the log of LevelDB cut in half',
    damage: () => truncateSync(storeFile(/^\d+\.log$/), statSync(storeFile(/^\d+\.log$/)).size >> 1),
    found: null,
  },
  { what: 'a bit of KEEL', damage: () => flip(join(folder(), 'keel', 'KEEL'), 1), found: /KEEL is damaged/ },
  { what: 'a bit of the write-ahead log', damage: flipLog, found: /"damaged":"log"/ },
  {
    what: 'log and store at once',
    damage: () => {
      flipLog();
      zero(storeFile(/\.ldb$/));
    },
    found: /"set-aside":"store and log"/,
  },
];

function zero(path: string): void {
  change(path, 0, statSync(path).size, (bytes) => bytes.fill(0));
}

describe.skipIf(!built)('a member whose files were damaged while it was down', () => {
  beforeAll(async () => {
    cluster = await Cluster.start({ kind: 'keel', snapshotCount: 500, electionMs: 500 });
    await put(1500);
  }, 60_000);

  afterAll(async () => {
    await cluster?.dispose({ keep: process.env.KEEL_E2E_KEEP === '1' });
  });

  for (const { what, damage, found } of CASES) {
    test(`${what} (seed ${SEED})`, async () => {
      // A start takes LevelDB's log to a table; what follows is in the log.
      await cluster.stop(VICTIM);
      await cluster.restart(VICTIM);
      await put(100);
      await cluster.converged();
      await cluster.stop(VICTIM);
      damage();
      await put(100);
      const log = await startVictim();
      await equal();
      if (found !== null) {
        expect(log).toContain(ASIDE);
        expect(log).toMatch(found);
      }
      if (log.includes(ASIDE)) expect(readdirSync(folder()).some((name) => name.startsWith('damaged-'))).toBe(true);
      expect(existsSync(join(folder(), 'store.damaged'))).toBe(false);
    });
  }
});
