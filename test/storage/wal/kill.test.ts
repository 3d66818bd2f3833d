import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RealDisk } from '../../../src/env/real-disk.js';
import { Wal } from '../../../src/storage/wal/index.js';
import { compile } from '../../support/compile.js';
import { entry } from './harness.js';

/**
 * A child process writes through the real disk and is killed. It tells what was acked on its standard output, which the
 * system keeps when it dies.
 *
 *   node writer.mjs DIR stream        saves without end, `acked N` for each callback
 *   node writer.mjs DIR unsynced      saves 5 entries synced, 5 more without, tells `ready`, and waits to be killed
 */
const WRITER = `
import { writeSync } from 'node:fs';
import { RealDisk } from './env/real-disk.js';
import { Wal } from './storage/wal/index.js';
import { Entry } from './wire/index.js';

const [dir, what] = process.argv.slice(2);
const disk = new RealDisk();
const options = { segmentBytes: 20000 };
let index = 0;
let wal;
if (Wal.exists(disk, dir)) {
  const opened = Wal.open(disk, dir, { index: 0, term: 0 }, options);
  wal = opened.wal;
  index = opened.entries.length;
} else wal = Wal.create(disk, dir, { nodeId: 1n, clusterId: 2n }, options);
const say = (line) => writeSync(1, line + '\\n');
const must = (err) => { if (err) { say('error ' + err.message); process.exit(1); } };
const next = () => { index++; return new Entry(0, 1, index, Buffer.alloc(1 + (index * 37) % 500, index & 0xff || 1)); };
function stream() {
  // Two saves in flight, of one to three entries.
  const entries = [next()];
  while (entries.length < 1 + index % 3) entries.push(next());
  const last = index;
  wal.save({ term: 1, vote: 1n, commit: last - 1 }, entries, true, (err) => { must(err); say('acked ' + last); stream(); });
}
if (what === 'stream') { stream(); stream(); }
else {
  wal.save({ term: 1, vote: 1n, commit: 0 }, [next(), next(), next(), next(), next()], true, (err) => {
    must(err);
    wal.save(null, [next(), next(), next(), next(), next()], false, (err2) => { must(err2); say('ready'); setInterval(() => {}, 1000); });
  });
}
`;

let compiled: ReturnType<typeof compile>;
let dir = '';
const children = new Set<ChildProcess>();

beforeAll(() => {
  compiled = compile(['env/real-disk.ts', 'storage/wal/index.ts', 'wire/index.ts']);
  writeFileSync(join(compiled.dir, 'writer.mjs'), WRITER);
  dir = mkdtempSync(join(tmpdir(), 'keel-kill-'));
}, 60_000);
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  compiled.remove();
  rmSync(dir, { recursive: true, force: true });
});

/** Starts a writer; `onLine` is told each line. Resolves with all lines when it has died. */
function writer(
  wal: string,
  what: string,
  lossy: boolean,
  onLine: (line: string, kill: () => void) => void,
): Promise<string[]> {
  const child = spawn(process.execPath, [join(compiled.dir, 'writer.mjs'), wal, what], {
    env: { ...process.env, KEEL_TEST_LOSSY_DISK: lossy ? '1' : '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const lines: string[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop()!;
    for (const line of parts) {
      lines.push(line);
      onLine(line, () => child.kill('SIGKILL'));
    }
  });
  return new Promise((done) =>
    child.on('close', (_code, signal) => {
      children.delete(child);
      expect(signal).toBe('SIGKILL');
      done(lines);
    }),
  );
}

async function read(wal: string) {
  const disk = new RealDisk({ lossy: false });
  const opened = Wal.open(disk, wal, { index: 0, term: 0 }, { segmentBytes: 20_000 });
  await new Promise<void>((done) => opened.wal.close(() => done()));
  await new Promise<void>((done) => disk.stop(done));
  return opened;
}

describe.each([true, false])('kill -9, lossy disk: %s', (lossy) => {
  test('every acked entry is there, again and again', async () => {
    const wal = join(dir, `stream-${lossy}`, 'member', 'wal');
    let acked = 0;
    for (let round = 0; round < 4; round++) {
      const stopAt = 20 + round * 17;
      let seen = 0;
      const lines = await writer(wal, 'stream', lossy, (_line, kill) => {
        if (++seen === stopAt) setTimeout(kill, round);
      });
      for (const line of lines) {
        expect(line).toMatch(/^acked \d+$/);
        acked = Math.max(acked, Number(line.slice(6)));
      }
      const { entries, hardState, uncertain } = await read(wal);
      expect(entries.length).toBeGreaterThanOrEqual(acked);
      expect(uncertain).toBe(false);
      expect(hardState!.commit).toBeLessThanOrEqual(entries.length);
      entries.forEach((e, i) => {
        const index = i + 1;
        expect([e.index, e.term]).toEqual([index, 1]);
        expect(e.data.equals(entry(index, 1, 1 + ((index * 37) % 500), index & 0xff || 1).data)).toBe(true);
      });
      // What was read counts as durable from then on.
      acked = entries.length;
    }
    expect(acked).toBeGreaterThan(60);
  });

  test(`what was not synced is ${lossy ? 'lost' : 'kept by the system'}`, async () => {
    const wal = join(dir, `unsynced-${lossy}`, 'member', 'wal');
    await writer(wal, 'unsynced', lossy, (line, kill) => {
      expect(line).toBe('ready');
      kill();
    });
    expect(existsSync(wal)).toBe(true);
    expect((await read(wal)).entries.length).toBe(lossy ? 5 : 10);
  });
});
