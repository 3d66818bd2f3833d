/** `npm run test:kill`, `npm run soak`: builds what is missing, then runs test/lanes/<name>-main.ts with the arguments. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureInstalled, ensureLanesBuilt, root } from './ensure.mjs';

const [name, ...args] = process.argv.slice(2);
ensureInstalled();
ensureLanesBuilt();

const main = join(root, 'dist-lanes', 'test', 'lanes', `${name}-main.js`);
process.argv = [process.argv[0], main, ...args];
await import(pathToFileURL(main).href);
