/**
 * What `npm start`, `npm test` and the rest do for themselves on a fresh clone: install and build, and neither where
 * it is done already. Only Node's own modules are imported here, since nothing else may be installed yet.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const NODE_MAJOR_MIN = 20;

/** Installs the dependencies that package-lock.json names, unless exactly these are installed. */
export function ensureInstalled() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NODE_MAJOR_MIN) fail(`Node ${NODE_MAJOR_MIN} or newer is needed; this is ${process.versions.node}`);
  if (isInstalled()) return;
  say('installing dependencies (npm ci) ...');
  // Inside `npm run` the npm that is running is known; outside, the one on the path is taken.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const [command, argv] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
  const { status, error } = spawnSync(command, argv, { cwd: root, stdio: 'inherit' });
  if (status !== 0) fail(`npm ci failed${error ? `: ${error.message}` : ''}`);
}

/**
 * npm writes node_modules/.package-lock.json when an installation is complete. It is ours if every package in it has
 * the version and checksum of package-lock.json, and only optional ones (of other platforms) are missing.
 */
function isInstalled() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const present = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!wanted) fail('package-lock.json is missing or damaged');
  if (!present) return false;
  for (const [path, pkg] of Object.entries(wanted)) {
    if (path === '') continue;
    const have = present[path];
    if (
      have === undefined
        ? !pkg.optional
        : have.version !== pkg.version || (pkg.integrity ?? have.integrity) !== have.integrity
    )
      return false;
  }
  return Object.keys(present).every((path) => path in wanted);
}

/**
 * Compiles src/ into dist/ unless dist/ is of exactly these sources. It is built beside and moved into place, so that
 * a half-built dist/ is never seen.
 * @param options.force build in any case
 * @param options.loose keep what was emitted although there are type errors (for work in progress)
 */
export function ensureBuilt(options = {}) {
  const dist = join(root, 'dist');
  const stampFile = join(dist, '.build-stamp');
  const stamp = sourceHash(['src', 'tsconfig.json', 'tsconfig.build.json', 'scripts/bundle.mjs']);
  if (!options.force && readText(stampFile) === stamp) return;
  say('building (tsc) ...');
  const next = workFolder();
  if (tsc(['-p', 'tsconfig.build.json', '--outDir', next]) !== 0 && !options.loose) fail('the build failed');
  copyAssets(join(root, 'src'), next);
  const packed = spawnSync(process.execPath, [join(root, 'scripts', 'bundle.mjs'), next], {
    cwd: root,
    stdio: 'inherit',
  });
  if (packed.status !== 0) fail('packing the programs failed');
  for (const bin of Object.values(readJson(join(root, 'package.json')).bin)) {
    const file = join(next, relative('dist', bin));
    if (existsSync(file)) chmodSync(file, 0o755);
  }
  if (!options.loose) writeFileSync(join(next, '.build-stamp'), stamp);
  swap(next, dist);
}

/** bench/ and what it needs, into dist-bench/bench. */
export function ensureBenchBuilt() {
  ensureProgramsBuilt({ folder: 'bench', out: 'dist-bench', config: 'tsconfig.bench.json' });
}

/** test/lanes/ (the runs with real processes) and what it needs, into dist-lanes/test/lanes. */
export function ensureLanesBuilt() {
  ensureProgramsBuilt({ folder: 'test/lanes', out: 'dist-lanes', config: 'tsconfig.lanes.json' });
}

/**
 * Compiles a folder of programs, and the parts of test/support/ that they use, with their imports of ../src/ pointed at
 * dist/: what they try is the code that is shipped.
 */
function ensureProgramsBuilt({ folder, out: name, config }) {
  ensureBuilt();
  const out = join(root, name);
  const stampFile = join(out, '.build-stamp');
  const stamp = sourceHash([folder, 'test/support', 'src', 'tsconfig.json', config]);
  if (readText(stampFile) === stamp) return;
  say(`building ${folder} (tsc) ...`);
  const next = workFolder();
  if (tsc(['-p', config, '--outDir', next]) !== 0) fail(`the build of ${folder} failed`);
  // The compiler follows the imports and emits src/ as well; that copy is not used.
  rmSync(join(next, 'src'), { recursive: true, force: true });
  for (const file of listFiles(next)) {
    if (!file.endsWith('.js')) continue;
    const path = join(next, file);
    // One folder deeper than the sources: dist-bench/bench/ and dist-bench/test/support/.
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(/((?:from|import) ?\(?['"](?:\.\.\/)+)src\//g, '$1../dist/'),
    );
  }
  copyAssets(join(root, folder), join(next, folder));
  writeFileSync(join(next, '.build-stamp'), stamp);
  swap(next, out);
}

/** A folder for a build in progress, gone when this process ends, however it ends. */
function workFolder() {
  const folder = join(root, `dist.${process.pid}`);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  remove();
  process.once('exit', remove);
  return folder;
}

function tsc(args) {
  const { status, error } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (error) fail(error.message);
  return status;
}

/** What is not TypeScript and is needed at run time (a worker's .mjs, a .json) goes where the compiled files are. */
function copyAssets(from, to) {
  for (const file of listFiles(from)) {
    if (/\.(ts|md)$/.test(file)) continue;
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(from, file), join(to, file));
  }
}

function swap(next, place) {
  const old = `${place}.old.${process.pid}`;
  if (existsSync(place)) renameSync(place, old);
  renameSync(next, place);
  rmSync(old, { recursive: true, force: true });
}

/** A hash over the names and contents of files and folders: a checkout changes times, an edit may not. */
function sourceHash(paths) {
  const hash = createHash('sha256');
  hash.update(readText(join(root, 'node_modules/typescript/package.json')) ?? '');
  for (const path of paths) {
    const full = join(root, path);
    const isDirectory = statSync(full, { throwIfNoEntry: false })?.isDirectory() ?? false;
    for (const file of isDirectory ? listFiles(full).map((name) => join(path, name)) : [path]) {
      const content = readFileSync(join(root, file));
      hash.update(`${file.split(sep).join('/')}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest('hex');
}

/** Paths of all files below `folder`, relative to it, sorted. */
function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function readJson(file) {
  const text = readText(file);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // damaged is as good as missing: the caller decides
  }
}

export function say(message) {
  process.stderr.write(`keel: ${message}\n`);
}

export function fail(message) {
  say(message);
  process.exit(1);
}
