import { API_VERSION, VERSION } from '../ctl/about.js';
import type { Command } from '../ctl/command.js';
import { Exit, Fail } from '../ctl/fail.js';
import { flag } from '../ctl/flags.js';
import { DEFRAG_FLAGS, runDefrag } from './defrag.js';
import { HASHKV_FLAGS, runHashKv } from './hashkv.js';
import { RESTORE_FLAGS, runRestore } from './restore.js';
import { runSave, SAVE_FLAGS } from './save.js';
import { runStatus } from './status.js';

const PROGRAM = 'keelutl';

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
      run: runRestore,
    },
    {
      name: 'save',
      use: 'save <filename> --data-dir {data dir}',
      short: "Stores a stopped keel member's backend snapshot to a given file",
      flags: SAVE_FLAGS,
      run: runSave,
    },
    {
      name: 'status',
      use: 'status <filename>',
      short: 'Gets backend snapshot status of a given file',
      run: runStatus,
    },
  ],
};

function unbuilt(name: string, short: string): Command {
  return {
    name,
    use: name,
    short,
    run: async () => {
      throw new Fail(Exit.ERROR, `"${PROGRAM} ${name}" is not built yet`);
    },
  };
}

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
      run: runHashKv,
    },
    {
      name: 'defrag',
      use: 'defrag',
      short: 'Defragments the storage of a stopped member',
      flags: DEFRAG_FLAGS,
      run: runDefrag,
    },
    unbuilt('migrate', 'Migrates schema of etcd data dir files to make them compatible with different etcd version'),
    unbuilt('completion', 'Generate the autocompletion script for the specified shell'),
    {
      name: 'version',
      use: 'version',
      short: `Prints the version of ${PROGRAM}`,
      run: async ({ io }) => io.out(`etcdutl version: ${VERSION}\nAPI version: ${API_VERSION}\n`),
    },
    { name: 'help', use: 'help [command]', short: 'Help about any command' },
  ],
};
