import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonLoggerOptions } from '../../src/env/json-logger.js';
import { JsonLogger } from '../../src/env/json-logger.js';
import { memoryLogger, nullLogger } from '../../src/util/log.js';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A logger and the lines it has written. */
function logger(options: JsonLoggerOptions = {}) {
  const lines: string[] = [];
  const log = new JsonLogger({
    outputs: [(line) => lines.push(line)],
    wall: () => AT + 678.901,
    zoneMinutes: () => 0,
    caller: 'a/b.ts',
    ...options,
  });
  return { log, lines };
}

describe('a line', () => {
  test('has level, ts, caller and msg in front of its fields', () => {
    const { log, lines } = logger();
    log.info('ready to serve client requests', { address: '127.0.0.1:2379', term: 2 });
    expect(lines).toEqual([
      '{"level":"info","ts":"2026-01-02T03:04:05.678901Z","caller":"a/b.ts","msg":"ready to serve client requests",' +
        '"address":"127.0.0.1:2379","term":2}\n',
    ]);
  });

  test.each([
    [0, 0, '2026-01-02T03:04:05Z'],
    [0.001, 0, '2026-01-02T03:04:05.000001Z'],
    [100, 0, '2026-01-02T03:04:05.1Z'],
    [678.9, 0, '2026-01-02T03:04:05.6789Z'],
    [999.9999, 0, '2026-01-02T03:04:06Z'],
    [0.5, 540, '2026-01-02T12:04:05.0005+0900'],
    [0.5, -570, '2026-01-01T17:34:05.0005-0930'],
  ])('%d ms after the second, zone %d: %s', (ms, zone, expected) => {
    const { log, lines } = logger({ wall: () => AT + ms, zoneMinutes: () => zone });
    log.info('');
    expect(JSON.parse(lines[0]!).ts).toBe(expected);
  });

  test('follows the time from second to second', () => {
    let now = AT;
    const { log, lines } = logger({ wall: () => now });
    for (const step of [0, 1, 998, 1, 60_000]) {
      now += step;
      log.info('');
    }
    expect(lines.map((line) => JSON.parse(line).ts.slice(14))).toEqual([
      '04:05Z',
      '04:05.001Z',
      '04:05.999Z',
      '04:06Z',
      '05:06Z',
    ]);
  });

  test('takes the time of the machine', () => {
    const lines: string[] = [];
    const before = Date.now();
    new JsonLogger({ outputs: [(line) => lines.push(line)] }).info('x');
    const { ts } = JSON.parse(lines[0]!);
    expect(ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d{4})$/);
    const time = Date.parse(ts.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
    expect(Math.abs(time - before)).toBeLessThan(1000);
  });

  test('prints every kind of value', () => {
    const { log, lines } = logger();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    log.info('quote " and \n newline', {
      id: 0x8e9e05c52164694dn,
      bytes: Buffer.from('hi'),
      error: new Error('outer', { cause: new Error('inner') }),
      deep: { id: 1n, list: [Buffer.from([255]), new Error('e')], map: new Map([['k', 2n]]), set: new Set([1]) },
      when: new Date(AT),
      nan: Number.NaN,
      yes: true,
      nothing: null,
      left: undefined,
      out: () => 1,
      circle,
      'odd "key"': 1,
    });
    const { level, ts, caller, circle: printed, ...rest } = JSON.parse(lines[0]!);
    expect(lines[0]!.split('\n')).toHaveLength(2);
    expect(printed).toMatch(/^not printable: /);
    expect(rest).toEqual({
      msg: 'quote " and \n newline',
      id: '10276657743932975437',
      bytes: 'aGk=',
      error: 'outer: inner',
      deep: { id: '1', list: ['/w==', 'e'], map: { k: '2' }, set: [1] },
      when: '2026-01-02T03:04:05.000Z',
      nan: 'NaN',
      yes: true,
      nothing: null,
      'odd "key"': 1,
    });
  });

  test('for people', () => {
    const { log, lines } = logger({ format: 'console' });
    log.warn('slow', { took: '1s' });
    log.info('plain');
    expect(lines).toEqual([
      '2026-01-02T03:04:05.678901Z\twarn\ta/b.ts\tslow\t{"took":"1s"}\n',
      '2026-01-02T03:04:05.678901Z\tinfo\ta/b.ts\tplain\n',
    ]);
  });
});

describe('with', () => {
  test('adds fields and says who speaks', () => {
    const { log, lines } = logger();
    const child = log.with({ caller: 'raft/raft.ts', 'member-id': 'a1' }).with({ term: 3 });
    child.info('x', { vote: 'b2' });
    child.info('x', { caller: 'raft/log.ts' });
    log.info('x');
    const seen = lines.map((line) => JSON.parse(line)).map(({ ts, level, msg, ...rest }) => rest);
    expect(seen).toEqual([
      { caller: 'raft/raft.ts', 'member-id': 'a1', term: 3, vote: 'b2' },
      { caller: 'raft/log.ts', 'member-id': 'a1', term: 3 },
      { caller: 'a/b.ts' },
    ]);
  });
});

describe('the level', () => {
  test('drops what is below it, and can be set at run time for the whole family', () => {
    const { log, lines } = logger();
    const child = log.with({ a: 1 });
    expect(child.enabled('debug')).toBe(false);
    child.debug('no');
    log.level = 'debug';
    expect(child.enabled('debug')).toBe(true);
    child.debug('yes');
    child.level = 'error';
    log.warn('no');
    log.error('yes');
    log.log('fatal', 'yes');
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(['debug', 'error', 'fatal']);
    expect(log.level).toBe('error');
  });
});

describe('outputs', () => {
  test('a file is appended to; after close lines are dropped', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keel-log-'));
    try {
      const file = join(folder, 'keel.log');
      const { log, lines } = logger({ outputs: [file] });
      log.info('one');
      log.close();
      log.info('lost');
      const again = logger({ outputs: [file, (line) => lines.push(line)] }).log;
      again.info('two');
      again.close();
      const written = readFileSync(file, 'utf8').trimEnd().split('\n');
      expect(written.map((line) => JSON.parse(line).msg)).toEqual(['one', 'two']);
      expect(lines).toHaveLength(1);
      expect(() => logger({ outputs: [join(folder, 'no', 'such', 'folder')] })).toThrow('ENOENT');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('stdout and stderr', () => {
    const program = `
      import { JsonLogger } from ${JSON.stringify(new URL('../../dist/env/json-logger.js', import.meta.url).href)};
      new JsonLogger({ outputs: ['stdout', 'default'] }).info('both');
      new JsonLogger().info('stderr only');
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    const messages = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).msg);
    expect(messages(stdout)).toEqual(['both']);
    expect(messages(stderr)).toEqual(['both', 'stderr only']);
  });
});

test('the logger of the tests keeps lines, and the silent one says nothing', () => {
  const lines: Parameters<typeof memoryLogger>[0] = [];
  memoryLogger(lines).with({ a: 1 }).warn('x', { b: 2 });
  expect(lines).toEqual([{ level: 'warn', msg: 'x', fields: { a: 1, b: 2 } }]);
  expect(nullLogger.with({ a: 1 }).enabled('fatal')).toBe(false);
});
