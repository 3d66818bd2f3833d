/** `npm start`: install and build what is missing, then the local cluster; arguments go to `keel cluster up`. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, ensureInstalled, root } from './ensure.mjs';

ensureInstalled();
ensureBuilt();

// In this process and not in a child: Ctrl-C reaches it once, its status is ours, and nothing is left behind.
const keel = join(root, 'dist', 'cli', 'keel.js');
process.argv = [process.argv[0], keel, 'cluster', 'up', ...process.argv.slice(2)];
process.chdir(root);
await import(pathToFileURL(keel).href);
