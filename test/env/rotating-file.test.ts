import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { JsonLogger } from '../../src/env/json-logger.js';
import type { Rotation } from '../../src/env/rotating-file.js';
import { RotatingFile } from '../../src/env/rotating-file.js';

const rotation: Rotation = { maxBytes: 10, maxAgeMs: 0, maxBackups: 0, localTime: false, compress: false };
const DAY = Date.parse('2026-01-02T15:04:05.678Z');

describe('a log file that rotates', () => {
  const root = mkdtempSync(join(tmpdir(), 'keel-log-'));
  let dir: string;
  let at: string;
  let now: number;
  let count = 0;
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  beforeEach(() => {
    dir = join(root, String(count++));
    at = join(dir, 'keel.log');
    now = DAY;
  });
  const open = (changes: Partial<Rotation> = {}) => new RotatingFile(at, { ...rotation, ...changes }, () => now);
  const write = (file: RotatingFile, ...lines: string[]) => {
    for (const line of lines) {
      file.write(line);
      now += 1000;
    }
  };

  test('is set aside when a line would not fit, and no line is lost or split', () => {
    const file = open();
    write(file, '12345\n', '678\n', 'abcdefghijklmnop\n', 'z\n');
    file.close();
    expect(readdirSync(dir).sort()).toEqual([
      'keel-2026-01-02T15-04-07.678.log',
      'keel-2026-01-02T15-04-08.678.log',
      'keel.log',
    ]);
    expect(readFileSync(join(dir, 'keel-2026-01-02T15-04-07.678.log'), 'utf8')).toBe('12345\n678\n');
    expect(readFileSync(join(dir, 'keel-2026-01-02T15-04-08.678.log'), 'utf8')).toBe('abcdefghijklmnop\n');
    expect(readFileSync(at, 'utf8')).toBe('z\n');
  });

  test('goes on where it was', () => {
    const first = open();
    write(first, '12345\n');
    first.close();
    const second = open();
    write(second, '6789abc\n');
    second.close();
    expect(readdirSync(dir)).toHaveLength(2);
    expect(readFileSync(at, 'utf8')).toBe('6789abc\n');
  });

  test('keeps so many, and none that is too old', () => {
    const file = open({ maxBackups: 2 });
    writeFileSync(join(dir, 'keel-notes.log'), 'not ours');
    write(file, ...'abcdef'.split('').map((letter) => letter.repeat(9)));
    file.close();
    expect(readdirSync(dir).filter((name) => name.startsWith('keel-2026'))).toEqual([
      'keel-2026-01-02T15-04-09.678.log',
      'keel-2026-01-02T15-04-10.678.log',
    ]);
    now += 24 * 3600 * 1000;
    open({ maxAgeMs: 24 * 3600 * 1000 + 1500 }).close();
    expect(readdirSync(dir).sort()).toEqual(['keel-2026-01-02T15-04-10.678.log', 'keel-notes.log', 'keel.log']);
  });

  test('two in the same millisecond have names of their own', () => {
    const file = open();
    for (const letter of 'abc') file.write(letter.repeat(9));
    file.close();
    expect(readdirSync(dir)).toHaveLength(3);
  });

  test('compresses what was set aside', async () => {
    const file = open({ compress: true });
    write(file, 'aaaaaaaaa\n', 'bbbbbbbbb\n', 'c\n');
    const packed = () => readdirSync(dir).filter((name) => name.endsWith('.log.gz'));
    await vi.waitFor(() => expect(packed()).toHaveLength(2));
    await vi.waitFor(() => expect(readdirSync(dir)).toHaveLength(3));
    file.close();
    const texts = packed().map((name) => gunzipSync(readFileSync(join(dir, name))).toString());
    expect(texts.sort()).toEqual(['aaaaaaaaa\n', 'bbbbbbbbb\n']);
  });

  test('writes on when its folder is gone', () => {
    const file = open();
    write(file, '123456789');
    rmSync(dir, { recursive: true });
    expect(() => write(file, '123456789', '123456789')).not.toThrow();
    file.close();
  });

  test('is a logger’s output', () => {
    const logger = new JsonLogger({ outputs: [at], rotation: { ...rotation, maxBytes: 200 } });
    for (let i = 0; i < 5; i++) logger.info('a line', { i });
    logger.close();
    logger.info('after the end');
    expect(existsSync(at)).toBe(true);
    const lines = readdirSync(dir).flatMap((name) => readFileSync(join(dir, name), 'utf8').trim().split('\n'));
    expect(lines.map((line) => JSON.parse(line).i).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(readdirSync(dir).length).toBeGreaterThan(1);
  });
});
