#!/usr/bin/env node
import { processIo } from './ctl/io.js';
import { runUtility } from './utl/main.js';
import { UTILITY } from './utl/tree.js';

process.exit(await runUtility(UTILITY, process.argv.slice(2), processIo()));
