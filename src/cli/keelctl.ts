#!/usr/bin/env node
import { processIo } from './ctl/io.js';
import { runCommandLine } from './ctl/main.js';
import { ROOT } from './ctl/tree.js';

// grpc-js names servers by their addresses, which Node notes on stderr: scripts read that.
process.noDeprecation = true;

process.exit(await runCommandLine(ROOT, process.argv.slice(2), processIo()));
