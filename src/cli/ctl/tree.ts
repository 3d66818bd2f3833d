import { API_VERSION, PROGRAM, VERSION } from './about.js';
import type { Command } from './command.js';
import { AUTH } from './commands/auth.js';
import { COMPLETION } from './commands/completion.js';
import { DOWNGRADE } from './commands/downgrade.js';
import { DEFRAG, ENDPOINT } from './commands/endpoint.js';
import { COMPACTION, DEL, GET, PUT } from './commands/kv.js';
import { CHECK, ELECT, LOCK, MAKE_MIRROR } from './commands/late.js';
import { LEASE } from './commands/lease.js';
import { ALARM, MOVE_LEADER, SNAPSHOT } from './commands/maintenance.js';
import { MEMBER } from './commands/member.js';
import { ROLE } from './commands/role.js';
import { TXN } from './commands/txn.js';
import { USER } from './commands/user.js';
import { WATCH } from './commands/watch.js';
import { GLOBAL_FLAGS } from './globals.js';

const VERSION_COMMAND: Command = {
  name: 'version',
  use: 'version',
  short: `Prints the version of ${PROGRAM}`,
  run: async (context) => {
    context.io.out(`etcdctl version: ${VERSION}\nAPI version: ${API_VERSION}\n`);
  },
};

const HELP: Command = { name: 'help', use: 'help [command]', short: 'Help about any command' };

/** All commands. */
export const ROOT: Command = {
  name: PROGRAM,
  use: PROGRAM,
  short: 'A command line client for Keel and any etcd v3.',
  persistent: GLOBAL_FLAGS,
  commands: [
    GET,
    PUT,
    DEL,
    TXN,
    COMPACTION,
    ALARM,
    DEFRAG,
    DOWNGRADE,
    ENDPOINT,
    MOVE_LEADER,
    WATCH,
    VERSION_COMMAND,
    LEASE,
    MEMBER,
    SNAPSHOT,
    MAKE_MIRROR,
    LOCK,
    ELECT,
    CHECK,
    COMPLETION,
    AUTH,
    USER,
    ROLE,
    HELP,
  ],
};
