import { flag } from '../ctl/flags.js';

const NAME = 'default';
const PEER_URL = 'http://localhost:2380';

export const SAVE_FLAGS = [flag('data-dir', 'string', '', 'Required. The data folder of a stopped keel member')];

export const DEFRAG_FLAGS = [
  flag('data-dir', 'string', '', 'Required. Defragments a data directory not in use by etcd.'),
];

export const HASHKV_FLAGS = [flag('rev', 'int', '0', 'maximum revision to hash (default: latest revision)')];

export const RESTORE_FLAGS = [
  flag('data-dir', 'string', '', 'Path to the output data directory'),
  flag('wal-dir', 'string', '', 'Path to the WAL directory (use --data-dir if none given)'),
  flag('initial-cluster', 'string', `${NAME}=${PEER_URL}`, 'Initial cluster configuration for restore bootstrap'),
  flag(
    'initial-cluster-token',
    'string',
    'etcd-cluster',
    'Initial cluster token for the etcd cluster during restore bootstrap',
  ),
  flag(
    'initial-advertise-peer-urls',
    'string',
    PEER_URL,
    "List of this member's peer URLs to advertise to the rest of the cluster",
  ),
  flag('name', 'string', NAME, 'Human-readable name for this member'),
  flag(
    'skip-hash-check',
    'bool',
    'false',
    'Ignore snapshot integrity hash value (required if copied from data directory)',
  ),
  flag(
    'initial-memory-map-size',
    'uint',
    '10737418240',
    'Initial memory map size of the database in bytes. It uses the default value if not defined or defined to 0',
  ),
  flag('bump-revision', 'uint', '0', 'How much to increase the latest revision after restore'),
  flag(
    'mark-compacted',
    'bool',
    'false',
    'Mark the latest revision after restore as the point of scheduled compaction (required if --bump-revision > 0, disallowed otherwise)',
  ),
];

export const MIGRATE_FLAGS = [
  flag('data-dir', 'string', '', 'Path to the etcd data dir'),
  flag(
    'target-version',
    'string',
    '',
    'Target etcd version to migrate contents of data dir. Minimal value 3.5. Format "X.Y" for example 3.6.',
  ),
  flag('force', 'bool', 'false', 'Ignore migration failure and forcefully override storage version. Not recommended.'),
];
