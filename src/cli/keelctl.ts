#!/usr/bin/env node
import { processIo } from './ctl/io.js';
import { runCommandLine } from './ctl/main.js';
import { ROOT } from './ctl/tree.js';

process.exit(await runCommandLine(ROOT, process.argv.slice(2), processIo()));
