/** `npm run sim` and `npm run sim:mutants`: builds what is missing, then runs the simulator with the arguments. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, ensureInstalled, root } from './ensure.mjs';

ensureInstalled();
ensureBuilt();

const [first, ...rest] = process.argv.slice(2);
const mutants = first === 'mutants';
const main = join(root, 'dist', 'sim', mutants ? 'mutants-main.js' : 'main.js');
process.argv = [process.argv[0], main, ...(mutants ? rest : process.argv.slice(2))];
await import(pathToFileURL(main).href);
