import type { Flag } from './flag-set.js';
import { FlagError, UsageError } from './flag-set.js';
import type { FlagValue } from './flag-value.js';

/** etcd's feature gates of 3.6 (operations spec 1.2), and whether they are on by default. */
const GATES: ReadonlyMap<string, boolean> = new Map([
  ['InitialCorruptCheck', false],
  ['CompactHashCheck', false],
  ['LeaseCheckpoint', false],
  ['LeaseCheckpointPersist', false],
  // Of etcd's own store and sockets: taken, and without meaning here.
  ['StopGRPCServiceOnDefrag', false],
  ['TxnModeWriteWithSharedBuffer', true],
  ['SetMemberLocalAddr', false],
  ['FastLeaseKeepAlive', true],
  ['PriorityRequest', false],
]);

/** What 3.5 called them. */
const OLD_GATES: readonly (readonly [flag: string, gate: string])[] = [
  ['experimental-initial-corrupt-check', 'InitialCorruptCheck'],
  ['experimental-compact-hash-check-enabled', 'CompactHashCheck'],
  ['experimental-enable-lease-checkpoint', 'LeaseCheckpoint'],
  ['experimental-enable-lease-checkpoint-persist', 'LeaseCheckpointPersist'],
  ['experimental-txn-mode-write-with-shared-buffer', 'TxnModeWriteWithSharedBuffer'],
  ['experimental-stop-grpc-service-on-defrag', 'StopGRPCServiceOnDefrag'],
];

/** Flags that once had `experimental-` in front. */
const RENAMED = [
  'corrupt-check-time',
  'compact-hash-check-time',
  'compaction-batch-limit',
  'compaction-sleep-interval',
  'watch-progress-notify-interval',
  'warning-apply-duration',
  'warning-unary-request-duration',
  'bootstrap-defrag-threshold-megabytes',
  'memory-mlock',
  'snapshot-catchup-entries',
  'max-learners',
  'downgrade-check-time',
  'peer-skip-client-san-verification',
  'enable-distributed-tracing',
  'distributed-tracing-address',
  'distributed-tracing-service-name',
  'distributed-tracing-instance-id',
  'distributed-tracing-sampling-rate',
];

/** The older names, with the kinds and defaults of what they stand for. */
export function olderFlags(flags: readonly Flag[], group: string): Flag[] {
  const renamed = RENAMED.map((name): Flag => {
    const flag = flags.find((known) => known.name === name);
    if (flag === undefined) throw new Error(`no flag ${name}`);
    return { ...flag, group, name: `experimental-${name}`, help: `Deprecated: use --${name}.` };
  });
  const gates = OLD_GATES.map(
    ([name, gate]): Flag => ({
      name,
      kind: 'bool',
      initial: String(GATES.get(gate)),
      group,
      help: `Deprecated: use --feature-gates=${gate}=true.`,
    }),
  );
  return [
    ...renamed,
    ...gates,
    {
      name: 'experimental-enable-v2v3',
      kind: 'string',
      initial: '',
      group,
      help: 'Serve v2 requests from a prefix of the v3 store. Gone in 3.6.',
      unbuilt: 'there is no v2 store',
    },
  ];
}

interface Given {
  readonly values: ReadonlyMap<string, FlagValue>;
  readonly given: ReadonlySet<string>;
}

/** A flag's value, by whichever of its names it was given. */
export function byEitherName({ values, given }: Given, name: string): FlagValue {
  const older = `experimental-${name}`;
  return values.get(given.has(older) ? older : name) as FlagValue;
}

/** @throws UsageError for what is no gate, FlagError for a combination that cannot be */
export function featureGates({ values, given }: Given): (gate: string) => boolean {
  const on = new Map(GATES);
  const bad = (text: string, why: string): Error =>
    new UsageError(`invalid value "${text}" for flag -feature-gates: ${why}`);
  const text = values.get('feature-gates') as string;
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const [name = '', value] = part.split('=').map((word) => word.trim());
    if (!GATES.has(name)) throw bad(text, `unrecognized feature gate: ${name}`);
    if (value === undefined) throw bad(text, `missing bool value for feature gate ${name}`);
    if (!/^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(value)) {
      throw bad(text, `invalid value of ${name}=${value}, err: strconv.ParseBool: parsing "${value}": invalid syntax`);
    }
    on.set(name, /^[1tT]/.test(value));
  }
  for (const [flag, gate] of OLD_GATES) {
    if (!given.has(flag)) continue;
    if (text.includes(`${gate}=`)) {
      throw new FlagError(
        `cannot specify both flags: --${flag} and --feature-gates=${gate}=true/false at the same time`,
      );
    }
    on.set(gate, values.get(flag) === true);
  }
  if (on.get('LeaseCheckpointPersist') && !on.get('LeaseCheckpoint')) {
    throw new FlagError('enabling feature gate LeaseCheckpointPersist requires enabling feature gate LeaseCheckpoint');
  }
  return (gate) => on.get(gate) === true;
}
