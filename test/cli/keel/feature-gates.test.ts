import { describe, expect, test } from 'vitest';
import { parseFlags } from '../../../src/cli/keel/flag-set.js';
import { serverConfig } from '../../../src/cli/keel/server-config.js';
import { serverFlags } from '../../../src/cli/keel/server-flags.js';

const config = (...args: string[]) => serverConfig(parseFlags(serverFlags, args, {}, ['ETCD'])).member;

describe('corruption checks, checkpoints and compaction, by either name', () => {
  test('are off, or as etcd has them, by default', () => {
    expect(config()).toMatchObject({
      initialCorruptCheck: false,
      corruptCheckMs: 0,
      compactHashCheck: false,
      compactHashCheckMs: 60_000,
      leaseCheckpoint: false,
      compactionBatchLimit: 1000,
      compactionSleepMs: 10,
    });
  });

  test('as 3.6 calls them', () => {
    const gates =
      '--feature-gates=InitialCorruptCheck=true,CompactHashCheck=true,LeaseCheckpoint=T,StopGRPCServiceOnDefrag=0';
    expect(config(gates, '--corrupt-check-time=5s', '--compaction-sleep-interval=3ms')).toMatchObject({
      initialCorruptCheck: true,
      corruptCheckMs: 5000,
      compactHashCheck: true,
      leaseCheckpoint: true,
      compactionSleepMs: 3,
    });
  });

  test('as 3.5 calls them', () => {
    const args = [
      '--experimental-initial-corrupt-check',
      '--experimental-corrupt-check-time=5s',
      '--experimental-compact-hash-check-enabled=true',
      '--experimental-compact-hash-check-time=2m',
      '--experimental-enable-lease-checkpoint',
      '--experimental-enable-lease-checkpoint-persist',
      '--experimental-compaction-batch-limit=7',
    ];
    expect(config(...args)).toMatchObject({
      initialCorruptCheck: true,
      corruptCheckMs: 5000,
      compactHashCheck: true,
      compactHashCheckMs: 120_000,
      leaseCheckpoint: true,
      compactionBatchLimit: 7,
    });
  });

  test.each([
    ['--feature-gates=Nope=true', /unrecognized feature gate: Nope/],
    ['--feature-gates=LeaseCheckpoint', /missing bool value for feature gate LeaseCheckpoint/],
    ['--feature-gates=LeaseCheckpoint=maybe', /invalid value of LeaseCheckpoint=maybe/],
    [
      '--feature-gates=LeaseCheckpointPersist=true',
      /^enabling feature gate LeaseCheckpointPersist requires enabling feature gate LeaseCheckpoint$/,
    ],
    ['--experimental-enable-lease-checkpoint-persist', /requires enabling feature gate LeaseCheckpoint/],
    ['--compact-hash-check-time=0s', /^--compact-hash-check-time must be >0 \(set to 0/],
  ])('%s is refused', (flag, why) => {
    expect(() => config(flag)).toThrow(why);
  });

  test('a gate by both of its names is refused', () => {
    const both = ['--experimental-initial-corrupt-check', '--feature-gates=InitialCorruptCheck=true'];
    expect(() => config(...both)).toThrow(/cannot specify both flags/);
  });
});
