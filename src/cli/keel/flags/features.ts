import { group } from './declare.js';

export const FEATURES = group('Features', [
  [
    'feature-gates',
    'string',
    '',
    'Features by name, NAME=true,NAME=false: InitialCorruptCheck, CompactHashCheck, LeaseCheckpoint, LeaseCheckpointPersist.',
  ],
  ['corrupt-check-time', 'duration', '0s', 'Time between two comparisons of all keys with the peers; 0 is never.'],
  [
    'compact-hash-check-time',
    'duration',
    '1m',
    'Time between two comparisons of what compactions left, with the feature gate CompactHashCheck.',
  ],
  ['compaction-batch-limit', 'int', '1000', 'Maximum revisions deleted in each slice of a compaction.'],
  ['compaction-sleep-interval', 'duration', '10ms', 'Pause between the slices of a compaction.'],
  ['watch-progress-notify-interval', 'duration', '10m', 'Interval of progress notifications of watchers.'],
  ['warning-apply-duration', 'duration', '100ms', 'Warn of requests whose apply takes longer.'],
  [
    'bootstrap-defrag-threshold-megabytes',
    'uint',
    '0',
    'Defragment at a start that frees at least so much.',
    { inert: 'the store gives space back by itself' },
  ],
  ['max-learners', 'int', '1', 'Maximum number of learners that may be members at a time.'],
  [
    'downgrade-check-time',
    'duration',
    '5s',
    'Time between two looks at whether a downgrade is done.',
    { inert: 'a downgrade is looked at whenever a version changes' },
  ],
]);

export const UNSAFE = group('Unsafe feature', [
  ['force-new-cluster', 'bool', 'false', 'Force to create a new one-member cluster.'],
  ['unsafe-no-fsync', 'bool', 'false', 'Disables fsync.', { inert: 'the log is synced all the same' }],
]);

/** What etcd has not. */
export const OWN = group('Keel', [
  ['auto-promote', 'bool', 'false', 'As leader, make voters of learners that have caught up.'],
  [
    'on-disk-damage',
    'string',
    'repair',
    "Damaged data: 'repair' sets it aside and rebuilds it from the log or the peers, 'stop' leaves it as it is.",
  ],
  [
    'cluster-version-max',
    'string',
    '',
    'Highest cluster version to propose, so that an etcd of that version can replay the log.',
  ],
  ['client-cert-allowed-cn', 'string', '', 'Comma list of allowed CNs for client cert authentication.'],
  ['auth-recheck-watches', 'bool', 'false', 'End an open watch when its user may no longer read what it watches.'],
  [
    'audit-log-path',
    'string',
    '',
    'File to which every request is noted as a JSON line: who, what, which range, result. Off if empty.',
  ],
  [
    'audit-log-rotation-config-json',
    'string',
    '',
    'Rotation of the audit log, as --log-rotation-config-json has it. Never rotated if empty.',
  ],
]);

export const GENERAL = group('General', [
  [
    'config-file',
    'string',
    '',
    'Path to the server configuration file (YAML or JSON). Other flags and variables are then ignored.',
  ],
  ['version', 'bool', 'false', 'Print the version and exit.'],
]);

const PAST = { inert: 'nothing is left of what it was for' };

/** Of older days: etcd takes and ignores them. */
export const PAST_FLAGS = group('Ignored', [
  ['cluster-active-size', 'string', '', '', PAST],
  ['cluster-remove-delay', 'string', '', '', PAST],
  ['cluster-sync-interval', 'string', '', '', PAST],
  ['config', 'string', '', '', PAST],
  ['force', 'bool', 'false', '', PAST],
  ['max-result-buffer', 'string', '', '', PAST],
  ['max-retry-attempts', 'string', '', '', PAST],
  ['peer-heartbeat-interval', 'string', '', '', PAST],
  ['peer-election-timeout', 'string', '', '', PAST],
  ['retry-interval', 'string', '', '', PAST],
  ['snapshot', 'bool', 'false', '', PAST],
  ['v', 'bool', 'false', '', PAST],
  ['vv', 'bool', 'false', '', PAST],
  ['test.coverprofile', 'string', '', '', PAST],
  ['test.outputdir', 'string', '', '', PAST],
]);
