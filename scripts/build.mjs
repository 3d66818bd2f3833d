/** `npm run build`: compiles src/ into dist/. `-- --loose` keeps the result although there are type errors. */
import { ensureBuilt, ensureInstalled } from './ensure.mjs';

ensureInstalled();
ensureBuilt({ force: true, loose: process.argv.includes('--loose') });
