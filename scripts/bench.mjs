/** `npm run bench`: builds what is missing, then runs bench/main.ts with the arguments. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBenchBuilt, ensureInstalled, root } from './ensure.mjs';

ensureInstalled();
ensureBenchBuilt();

const main = join(root, 'dist-bench', 'bench', 'main.js');
process.argv = [process.argv[0], main, ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
