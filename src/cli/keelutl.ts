#!/usr/bin/env node
import { ETCD_VERSION } from '../util/versions.js';

const USAGE = `keelutl: offline work on a member's folder and on snapshot files, as etcdutl does

Usage:

  keelutl version
`;

/** etcdutl's commands; their files are read and written by a later version. */
const UNBUILT = ['snapshot', 'defrag', 'hashkv', 'migrate', 'completion'];

const [command, ...rest] = process.argv.slice(2);
if (command === undefined || command === 'help' || command === '-h' || command === '--help') {
  process.stdout.write(USAGE);
} else if (command === 'version' && rest.length === 0) {
  const [major, minor] = ETCD_VERSION.split('.');
  process.stdout.write(`etcdutl version: ${ETCD_VERSION}\nAPI version: ${major}.${minor}\n`);
} else if (UNBUILT.includes(command)) {
  process.stderr.write(`Error: "keelutl ${command}" is not built yet\n`);
  process.exitCode = 1;
} else {
  process.stderr.write(`Error: unknown command "${command}" for "keelutl"\nRun 'keelutl --help' for usage.\n`);
  process.exitCode = 1;
}
