import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesUnder, pathsNamedIn, root, SANS_IO, sansIoOffences, textOffences, trackedFiles } from './house.js';

// In pieces, so that this file does not hold what it forbids.
const NOTES = ['', 'work', 'notes.md'].join('/');
const HOST = ['registry', 'npmjs', 'org'].join('.');

describe('sans-I/O', () => {
  test('the state machines use no promise, clock, timer or random number of their own', () => {
    const files = filesUnder('src', '.ts').filter((file) =>
      SANS_IO.some((room) => file.path.startsWith(`src/${room}/`)),
    );
    expect(files.length).toBeGreaterThan(5);
    expect(files.flatMap(sansIoOffences)).toEqual([]);
  });

  test.each([
    ['async function f() {}', 'an async function'],
    ['const f = async () => 1;', 'an async function'],
    ['class A { async f() {} }', 'an async function'],
    ['export let f: () => Promise<void>;', 'a promise'],
    ['new Promise(() => {});', 'a promise'],
    ['Promise.resolve();', 'Promise.resolve'],
    ['Math.random();', 'Math.random'],
    ['const now = new Date();', 'new Date'],
    ['Date.now();', 'Date.now'],
    ['performance.now();', 'performance.now'],
    ['setTimeout(f, 1);', 'setTimeout()'],
    ['queueMicrotask(f);', 'queueMicrotask()'],
    ['globalThis.setTimeout(f, 1);', 'globalThis.setTimeout'],
    ['process.nextTick(f);', 'process.nextTick'],
  ])('catches %s', (text, what) => {
    expect(sansIoOffences({ path: 'src/raft/x.ts', text: `// on line two\n${text}` })).toContain(
      `src/raft/x.ts:2: ${what}`,
    );
  });

  test('does not take words for deeds', () => {
    const text = `
      // a Promise made by Date.now() in Math.random()
      const text = 'setTimeout(new Promise())';
      this.clock.setTimeout(1);
      const x = { Date: 1, process: Math.floor(2) };
    `;
    expect(sansIoOffences({ path: 'src/raft/x.ts', text })).toEqual([]);
  });
});

describe('files', () => {
  /** Files of src over 600 lines, each with the reason why it is better whole. */
  const LONG: Record<string, string> = {};
  const LINES_MAX = 600;

  const lines = (text: string) => text.split('\n').length - 1;

  test('no file of src is long without a reason', () => {
    const long = filesUnder('src', '.ts').filter((file) => lines(file.text) > LINES_MAX);
    expect(
      long.filter((file) => !(file.path in LONG)).map((file) => `${file.path}: ${lines(file.text)} lines`),
    ).toEqual([]);
    // A file that has become short, or is gone, leaves the list.
    expect(Object.keys(LONG).filter((path) => !long.some((file) => file.path === path))).toEqual([]);
  });

  test('nothing tracked names a machine, a registry or unfinished business', () => {
    const files = trackedFiles();
    expect(files.length).toBeGreaterThan(20);
    // These two hold the patterns and the bad examples.
    const rules = ['test/house/house.ts', 'test/house/rules.test.ts'];
    expect(files.filter((file) => !rules.includes(file.path)).flatMap(textOffences)).toEqual([]);
  });

  test.each([
    [`see ${NOTES}`, `a path of one machine: ${NOTES}`],
    ["'/home/me/keel'", 'a path of one machine: /home/me'],
    ['--data-dir=/tmp/x', 'a path of one machine: /tmp/x'],
    [`"https://${HOST}/x"`, `the host of a registry: ${HOST}`],
    ['"resolved": "https://example.com/x.tgz"', 'the host of a registry: "resolved": "http'],
    [`// ${'FIX'}${'ME'}: later`, `a note to oneself: ${'FIX'}${'ME'}`],
  ])('catches %s', (text, what) => {
    expect(textOffences({ path: 'a.md', text: `\n${text}\n` })).toEqual([`a.md:2: ${what}`]);
  });

  test.each(['a/work/b', 'https://example.com/opt/x', './tmp/x', 'homework', '/api/home', 'FIXMEUP'])(
    'lets %s be',
    (text) => {
      expect(textOffences({ path: 'a.md', text })).toEqual([]);
    },
  );
});

describe('documents', () => {
  test('every file that a document names is there', () => {
    const documents = [
      ...filesUnder('src', 'DESIGN.md'),
      ...trackedFiles().filter((f) => /^(ARCHITECTURE|README)\.md$/.test(f.path)),
    ];
    expect(documents.map((file) => file.path)).toContain('ARCHITECTURE.md');
    const missing = documents.flatMap((file) =>
      pathsNamedIn(file)
        .filter((path) => !existsSync(join(root, path)))
        .map((path) => `${file.path} names ${path}`),
    );
    expect(missing).toEqual([]);
  });

  test('knows a path when it sees one', () => {
    const text = 'See `src/raft/DESIGN.md`, `raft/` and `ARCHITECTURE.md`; `npm test`; `test/house/`.';
    expect(pathsNamedIn({ path: 'x.md', text })).toEqual(['src/raft/DESIGN.md', 'ARCHITECTURE.md', 'test/house/']);
  });
});

describe('the package', () => {
  const { bin, exports, scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

  test('every command and entry point it promises has a source', () => {
    const promised = [
      ...Object.values<string>(bin),
      ...Object.values<{ default: string }>(exports).map((e) => e.default),
    ];
    expect(promised.length).toBeGreaterThanOrEqual(5);
    const sources = promised.map((path) => path.replace(/^(\.\/)?dist\/(.*)\.js$/, 'src/$2.ts'));
    expect(sources.filter((path) => !path.startsWith('src/') || !existsSync(join(root, path)))).toEqual([]);
    const commands = Object.values<string>(bin).map((path) => path.replace(/^dist\/(.*)\.js$/, 'src/$1.ts'));
    const first = (path: string) => readFileSync(join(root, path), 'utf8').split('\n')[0];
    expect(commands.filter((path) => first(path) !== '#!/usr/bin/env node')).toEqual([]);
  });

  test('every script it names is there', () => {
    const named = Object.values<string>(scripts).flatMap((script) => script.match(/(?:scripts|\.ci)\/[\w.-]+/g) ?? []);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
