/**
 * `npm run sim:versions -- --node PATH [--seeds 30] [--from 1]`: runs the same seeds under this Node and under another
 * one, both at once, and compares the trace hashes. PATH may also come from KEEL_SIM_NODE. With `--install 22` instead
 * of a path that version is taken from the npm package `node` into a temporary folder.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, say } from './ensure.mjs';

const args = process.argv.slice(2);
const optionOf = (flag, otherwise) => (args.includes(flag) ? args[args.indexOf(flag) + 1] : otherwise);
const seeds = optionOf('--seeds', '30');
const from = optionOf('--from', '1');
const version = optionOf('--install');

let folder;
let other = optionOf('--node', process.env.KEEL_SIM_NODE);
if (version !== undefined) {
  folder = mkdtempSync(join(tmpdir(), 'keel-node-'));
  say(`installing node@${version} into ${folder} ...`);
  const npm = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-save', `node@${version}`];
  if (spawnSync('npm', npm, { stdio: 'inherit' }).status !== 0) throw new Error('npm install failed');
  other = join(folder, 'node_modules', 'node', 'bin', 'node');
}
if (!other) {
  say('no other Node: --node PATH, --install VERSION or KEEL_SIM_NODE names one');
  process.exit(2);
}
try {
  process.exitCode = await compare([process.execPath, other]);
} finally {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}

async function compare(nodes) {
  const names = nodes.map((node) => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? node);
  const [ours, theirs] = await Promise.all(nodes.map(hashes));
  const differ = ours.filter((line, i) => line !== theirs[i]);
  for (const line of differ) {
    const seed = line.split(' ')[0];
    const match = theirs.find((candidate) => candidate.split(' ')[0] === seed);
    say(`seed ${seed}: ${names[0]} has ${line}, ${names[1]} has ${match ?? 'nothing'}`);
  }
  const same = ours.length - differ.length;
  process.stdout.write(`${same} of ${seeds} seeds have one trace hash under ${names[0]} and ${names[1]}\n`);
  return same === Number(seeds) && theirs.length === ours.length ? 0 : 1;
}

function hashes(node) {
  const main = join(root, 'dist', 'sim', 'main.js');
  const child = spawn(node, [main, '--hashes', '--from', from, '--seeds', seeds], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(text.split('\n').filter((line) => line !== '')));
  });
}
