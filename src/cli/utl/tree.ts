import { API_VERSION, VERSION } from '../ctl/about.js';
import type { Command } from '../ctl/command.js';
import { completionOf } from '../ctl/commands/completion.js';
import { flag } from '../ctl/flags.js';
import { DEFRAG_FLAGS, HASHKV_FLAGS, MIGRATE_FLAGS, RESTORE_FLAGS, SAVE_FLAGS } from './flags.js';

const PROGRAM = 'keelutl';

// What a command does, and the store with it, is loaded when it is called.
const SNAPSHOT: Command = {
  name: 'snapshot',
  use: 'snapshot',
  short: 'Manages etcd node snapshots',
  commands: [
    {
      name: 'restore',
      use: 'restore <filename> --data-dir {output dir} [options]',
      short: "Restores an etcd member snapshot to a keel member's directory",
      flags: RESTORE_FLAGS,
      run: async (context, args) => (await import('./restore.js')).runRestore(context, args),
    },
    {
      name: 'save',
      use: 'save <filename> --data-dir {data dir}',
      short: "Stores a stopped keel member's backend snapshot to a given file",
      flags: SAVE_FLAGS,
      run: async (context, args) => (await import('./save.js')).runSave(context, args),
    },
    {
      name: 'status',
      use: 'status <filename>',
      short: 'Gets backend snapshot status of a given file',
      run: async (context, args) => (await import('./status.js')).runStatus(context, args),
    },
  ],
};

/** etcdutl's commands. */
export const UTILITY: Command = {
  name: PROGRAM,
  use: PROGRAM,
  short: 'An administrative command line tool for keel and etcd3.',
  persistent: [
    flag('write-out', 'string', 'simple', 'set the output format (fields, json, protobuf, simple, table)', 'w'),
  ],
  commands: [
    SNAPSHOT,
    {
      name: 'hashkv',
      use: 'hashkv <filename>',
      short: 'Prints the KV history hash of a given file',
      flags: HASHKV_FLAGS,
      run: async (context, args) => (await import('./hashkv.js')).runHashKv(context, args),
    },
    {
      name: 'defrag',
      use: 'defrag',
      short: 'Defragments the storage of a stopped member',
      flags: DEFRAG_FLAGS,
      run: async (context) => (await import('./defrag.js')).runDefrag(context),
    },
    {
      name: 'migrate',
      use: 'migrate',
      short: 'Migrates schema of etcd data dir files to make them compatible with different etcd version',
      flags: MIGRATE_FLAGS,
      run: async (context) => (await import('./migrate.js')).runMigrate(context),
    },
    completionOf(PROGRAM),
    {
      name: 'version',
      use: 'version',
      short: `Prints the version of ${PROGRAM}`,
      run: async ({ io }) => io.out(`etcdutl version: ${VERSION}\nAPI version: ${API_VERSION}\n`),
    },
    { name: 'help', use: 'help [command]', short: 'Help about any command' },
  ],
};
