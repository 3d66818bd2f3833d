/**
 * `npm run sim` and `npm run sim:mutants`: builds what is missing, then runs the simulator with the arguments.
 * `npm run sim:versions`: the same seeds under this Node and another one.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, ensureInstalled, root } from './ensure.mjs';

ensureInstalled();
ensureBuilt();

const [first, ...rest] = process.argv.slice(2);
if (first === 'versions') {
  process.argv = [process.argv[0], join(root, 'scripts', 'sim-versions.mjs'), ...rest];
  await import(pathToFileURL(process.argv[1]).href);
} else {
  const mutants = first === 'mutants';
  const main = join(root, 'dist', 'sim', mutants ? 'mutants-main.js' : 'main.js');
  // Nearly all that a run makes is short-lived: with V8's usual young generation a tenth of the time goes into copying it.
  const args = ['--max-semi-space-size=64', main, ...(mutants ? rest : process.argv.slice(2))];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
