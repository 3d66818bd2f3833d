/**
 * The house rules as functions over file texts, so that the tests can run them on the tree and on bad examples.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vitest/node';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A file of the repository: its path from the root, with forward slashes, and its text. */
export interface SourceFile {
  path: string;
  text: string;
}

/** One import or re-export, in whatever form it is written. */
export interface Import {
  specifier: string;
  line: number;
  /** Nothing of it is left at run time. */
  typeOnly: boolean;
}

interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

/** All files below a folder of the repository whose names end so. */
export function filesUnder(folder: string, ending: string): SourceFile[] {
  const paths = readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** What git tracks, as far as it is text and there. In a folder without git (an unpacked archive): all files of ours. */
export function trackedFiles(): SourceFile[] {
  const files: SourceFile[] = [];
  for (const path of trackedPaths()) {
    try {
      const text = readFileSync(join(root, path), 'utf8');
      if (!text.includes('\0')) files.push({ path, text });
    } catch (error) {
      // Deleted and not committed yet, or a link to nowhere: there is nothing to read in it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return files;
}

function trackedPaths(): string[] {
  if (existsSync(join(root, '.git'))) {
    const args = ['-c', 'safe.directory=*', 'ls-files', '-z'];
    const names = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
    return names.split('\0').filter((path) => path !== '');
  }
  const ours = (name: string) => !/^(node_modules|dist.*|coverage|data|.*\.etcd)$/.test(name);
  return readdirSync(root)
    .filter(ours)
    .flatMap((name) =>
      statSync(join(root, name)).isDirectory() ? filesUnder(name, '').map((file) => file.path) : [name],
    );
}

/** Calls `visit` for every node of the file, outer ones first. */
export function walk(file: SourceFile, visit: (node: Node, line: () => number) => void): void {
  const seen = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const element of value) seen(element);
    } else if (typeof value === 'object' && value !== null) {
      const node = value as Node;
      if (typeof node.type === 'string') visit(node, () => lineOf(file.text, node.start));
      for (const key in node) if (key !== 'type') seen(node[key]);
    }
  };
  seen(parseAst(file.text, { lang: 'ts', astType: 'ts' }, file.path));
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) line++;
  return line;
}

/** Every import of a file: static, re-exported, dynamic, and `import('x').T` in a type. */
export function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = [];
  walk(file, (node, line) => {
    const source = node.source as { type: string; value: unknown } | null | undefined;
    if (!/^(Import(Declaration|Expression)|Export(Named|All)Declaration|TSImportType)$/.test(node.type)) return;
    if (source?.type !== 'Literal' || typeof source.value !== 'string') return;
    const typeOnly = node.importKind === 'type' || node.exportKind === 'type' || node.type === 'TSImportType';
    imports.push({ specifier: source.value, line: line(), typeOnly });
  });
  return imports;
}

/** Rooms of src/ from the top down. A room imports rooms of lower rows; those of one row do not know each other. */
export const ROOMS: readonly (readonly string[])[] = [
  ['cli'],
  ['kube'],
  ['cluster'],
  ['client'],
  ['gateway'],
  ['rpc'],
  ['h2'],
  ['server'],
  ['peer'],
  ['auth', 'lease', 'mvcc'],
  ['storage'],
  ['raft'],
  ['wire'],
  ['env'],
  ['util'],
];

/** The rooms of src/kube/, likewise; those of one pipeline may know each other. */
export const KUBE_ROOMS: readonly (readonly string[])[] = [
  ['app'],
  ['controllers', 'scheduler'],
  ['node'],
  ['kit'],
  ['server'],
  ['crd'],
  ['authn', 'authz', 'admission'],
  ['rest'],
  ['kinds'],
  ['registry'],
  ['machinery'],
];
const KUBE_PIPELINE = ['authn', 'authz', 'admission'];

/** Where lower is not enough: the only rooms that these see. */
const SEES_ONLY: Record<string, readonly string[]> = {
  // A member is started through src/index.ts; the offline tools of keelutl read the store's files.
  cli: ['index', 'kube', 'cluster', 'client', 'auth', 'lease', 'mvcc', 'storage', 'raft', 'wire', 'env', 'util'],
  // A client of the store, so that it runs on a real etcd as well.
  kube: ['client', 'util'],
  // Members are child processes: it knows their addresses, not their insides.
  cluster: ['client', 'wire', 'env', 'util'],
  client: ['wire', 'util'],
  // gRPC over HTTP/2, and nothing of etcd.
  h2: ['util'],
};

/** The real machine is chosen at the top and handed down. sim compares its types only. */
const IMPORTS_ENV = ['cli', 'cluster', 'index'];

/** Packages, and the rooms that may know them. */
const PACKAGES: Record<string, readonly string[]> = {
  '@grpc/grpc-js': ['rpc', 'client'],
  '@grpc/proto-loader': ['rpc'],
  bcryptjs: ['env'],
  'classic-level': ['env'],
  msgpackr: ['peer', 'wire'],
  jose: ['kube'],
  'prom-client': ['gateway', 'kube'],
  protobufjs: ['wire'],
  ws: ['kube'],
  yaml: ['cli', 'kube'],
};

/**
 * The offences of one file of src/ against the direction of imports, as
 * `src/raft/log.ts:3: imports ../server/pump.js: raft does not see server`.
 */
export function importOffences(file: SourceFile): string[] {
  const offences: string[] = [];
  const from = roomOf(file.path);
  for (const { specifier, line, typeOnly } of importsOf(file)) {
    const offence = (why: string) => offences.push(`${file.path}:${line}: imports ${specifier}: ${why}`);
    if (!specifier.startsWith('.')) {
      const why = packageOffence(from, specifier, typeOnly);
      if (why !== undefined) offence(why);
      continue;
    }
    const target = posix.join(posix.dirname(file.path), specifier);
    if (!target.startsWith('src/')) {
      offence('outside of src');
      continue;
    }
    if (!/\.m?js$/.test(specifier)) offence('a relative import ends in .js');
    const to = roomOf(target);
    const why =
      roomOffence(from, to, typeOnly) ??
      (from === 'kube' && to === 'kube' ? kubeOffence(file.path, target) : undefined);
    if (why !== undefined) offence(why);
  }
  return offences;
}

/** The room of a path in src: the folder's name, or `index` for the files that lie in src itself. */
function roomOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1]! : 'index';
}

function rank(rows: readonly (readonly string[])[], room: string): number {
  return rows.findIndex((row) => row.includes(room));
}

function roomOffence(from: string, to: string, typeOnly: boolean): string | undefined {
  if (from === to) return undefined;
  if (to === 'sim') return 'nothing imports sim';
  if (from === 'sim') return to === 'env' && !typeOnly ? 'sim sees types of env only' : undefined;
  if (from === 'index') {
    return ['cli', 'kube', 'cluster'].includes(to) ? `src/index.ts does not see ${to}` : undefined;
  }
  if (rank(ROOMS, from) < 0) return `${from} is no room of the house`;
  if (to !== 'index' && rank(ROOMS, to) < 0) return `${to} is no room of the house`;
  if (SEES_ONLY[from] !== undefined && !SEES_ONLY[from].includes(to)) return `${from} does not see ${to}`;
  if (to === 'env' && !IMPORTS_ENV.includes(from)) return `${from} is handed its environment (util/env.ts)`;
  if (to === 'index') return SEES_ONLY[from]?.includes('index') ? undefined : `${from} lies below src/index.ts`;
  return rank(ROOMS, from) < rank(ROOMS, to) ? undefined : `${from} does not see ${to}`;
}

function kubeOffence(path: string, target: string): string | undefined {
  const room = (p: string) => (p.split('/').length > 3 ? p.split('/')[2]! : 'index');
  const [from, to] = [room(path), room(target)];
  if (from === to || from === 'index') return undefined;
  if (KUBE_PIPELINE.includes(from) && KUBE_PIPELINE.includes(to)) return undefined;
  if (rank(KUBE_ROOMS, from) < 0) return `kube/${from} is no room of the house`;
  if (to !== 'index' && rank(KUBE_ROOMS, to) < 0) return `kube/${to} is no room of the house`;
  return to !== 'index' && rank(KUBE_ROOMS, from) < rank(KUBE_ROOMS, to)
    ? undefined
    : `kube/${from} does not see kube/${to}`;
}

function packageOffence(from: string, specifier: string, typeOnly: boolean): string | undefined {
  if (specifier.startsWith('node:')) return undefined; // which built-ins a room may use is the linter's table
  if (builtinModules.includes(specifier)) return `write node:${specifier}`;
  const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]!;
  const rooms = PACKAGES[name];
  if (rooms === undefined) return `${name} is not a package that src may use`;
  return rooms.includes(from) || typeOnly ? undefined : `${name} is for ${rooms.join(', ')}`;
}

/** The rooms (and folders) that are synchronous state machines with callbacks: they run in the simulator as they are. */
export const SANS_IO = ['raft', 'storage', 'mvcc', 'lease', 'auth', 'server', 'peer', 'client/core'];

/** What the linter's tables do not reach: promises and the few members of otherwise harmless globals. */
export function sansIoOffences(file: SourceFile): string[] {
  const offences: string[] = [];
  walk(file, (node, line) => {
    const what = impurity(node);
    if (what !== undefined) offences.push(`${file.path}:${line()}: ${what}`);
  });
  return offences;
}

const GLOBALS = [
  'Date',
  'performance',
  'process',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
];

function impurity(node: Node): string | undefined {
  if (node.async === true) return 'an async function';
  if (node.type === 'AwaitExpression') return 'await';
  const name = (of: unknown) => (of as { type?: string; name?: string } | undefined)?.name;
  if (node.type === 'NewExpression' && name(node.callee) === 'Promise') return 'a promise';
  if (node.type === 'TSTypeReference' && /^Promise(Like)?$/.test(name(node.typeName) ?? '')) return 'a promise';
  if (node.type === 'NewExpression' && name(node.callee) === 'Date') return 'new Date';
  if (node.type === 'CallExpression' && GLOBALS.includes(name(node.callee) ?? '')) return `${name(node.callee)}()`;
  if (node.type !== 'MemberExpression') return undefined;
  const object = name(node.object) ?? '';
  const property = name(node.property) ?? '';
  if (object === 'Math' && property === 'random') return 'Math.random';
  if (object === 'Promise' || GLOBALS.includes(object)) return `${object}.${property}`;
  if (object === 'globalThis') return `globalThis.${property}`;
  return undefined;
}

/** `word` in a text that is a path of somebody's machine, the name of an npm registry, or a note to oneself. */
export function textOffences(file: SourceFile): string[] {
  const offences: string[] = [];
  const rules: [RegExp, string][] = [
    [/(?<![\w.~-])\/(?:work|opt|root|tmp|home|Users)\/[\w.-]+/g, 'a path of one machine'],
    [/\b[A-Za-z]:\\\\?Users\\/g, 'a path of one machine'],
    [/\bregistry\.(?:npmjs|yarnpkg|npmmirror)\.\w+/g, 'the host of a registry'],
    [/"resolved":\s*"http/g, 'the host of a registry'],
    [new RegExp(`\\b${'FIX'}${'ME'}\\b`, 'g'), 'a note to oneself'],
  ];
  for (const [pattern, what] of rules) {
    for (const match of file.text.matchAll(pattern)) {
      offences.push(`${file.path}:${lineOf(file.text, match.index + 1)}: ${what}: ${match[0]}`);
    }
  }
  return offences;
}

/** Paths that a document names in backquotes and that lead into the repository. */
export function pathsNamedIn(file: SourceFile): string[] {
  const named: string[] = [];
  for (const match of file.text.matchAll(/`((?:src|test|proto|docs|scripts|bench)\/[\w./-]*|[\w-]+\.md)`/g))
    named.push(match[1]!);
  return named;
}
