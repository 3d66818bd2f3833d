import type { MemberConfig, MemberTuning } from '../server/index.js';
import { defaultTuning } from '../server/index.js';
import { Rng } from '../util/rng.js';
import type { FaultKind } from './faults/kinds.js';
import { FAULT_KINDS } from './faults/registry.js';
import { drawClients } from './workload/client-kinds.js';

/**
 * How much of each fault a seed gets: no fault and a high load, a few kinds together, or everything. Many kinds at a
 * time hide each other, so most seeds have few (swarm testing).
 */
export type Profile = 'calm' | 'swarm' | 'storm';

/** Everything that is drawn once for a seed. Plain values: it is printed as JSON, and what the shrinker changes. */
export interface SimOptions {
  readonly seed: number;
  readonly profile: Profile;
  readonly members: number;
  /** Virtual ms of load with faults; healing and the last checks come after it. */
  readonly loadMs: number;
  readonly clients: number;
  readonly opsPerSecond: number;
  readonly watchers: number;
  readonly leaseHolders: number;
  /** Clients of the other kinds, by name (workload/client-kinds.ts). */
  readonly others: Readonly<Record<string, number>>;
  readonly keys: number;
  readonly valueBytesMax: number;
  /** Of a million requests, and as many answers, so many are lost. */
  readonly clientLossPpm: number;
  /** Events of one moment happen in drawn order. */
  readonly surpriseOrder: boolean;
  /** Parts in a million by which the members' clocks may run fast or slow. */
  readonly driftPpm: number;
  readonly faultKinds: readonly FaultKind[];
  /** Mean time between two faults, ms. */
  readonly faultEveryMs: number;
  readonly net: { readonly maxDelayUs: number; readonly slowOneIn: number };
  readonly disk: { readonly syncUsMax: number };
  readonly store: { readonly writeBufferBytes: number };
  readonly config: Pick<
    MemberConfig,
    | 'heartbeatMs'
    | 'electionMs'
    | 'snapshotCount'
    | 'snapshotCatchUpEntries'
    | 'maxWals'
    | 'compactionBatchLimit'
    | 'preVote'
    | 'quotaBackendBytes'
    | 'corruptCheckMs'
    | 'compactHashCheck'
    | 'compactHashCheckMs'
    | 'initialCorruptCheck'
    | 'leaseCheckpoint'
    | 'compactionSleepMs'
    | 'strictReconfigCheck'
  >;
  /** Each member has some settings of its own: ticks, pre-vote, snapshots. */
  readonly mixedConfig: boolean;
  readonly tuning: Omit<MemberTuning, 'mutants'>;
  readonly mutants: readonly string[];
}

/** What may be asked for from outside of the seed. */
export type Overrides = Partial<Omit<SimOptions, 'seed'>>;

/** Draws a seed's options. Each group has a stream of its own, so that a new draw in one leaves the others alone. */
export function drawOptions(seed: number, overrides: Overrides = {}): SimOptions {
  const root = new Rng(seed).split('options');
  const profile = overrides.profile ?? drawProfile(root.split('profile'));
  const load = root.split('load');
  const calm = profile === 'calm';
  const drawn: SimOptions = {
    seed,
    profile,
    members: root.split('members').pick([1, 3, 3, 3, 3, 3, 3, 5]),
    loadMs: load.between(8, 24) * 1000,
    clients: load.between(3, calm ? 12 : 8),
    opsPerSecond: calm ? load.between(100, 250) : load.between(20, 120),
    watchers: load.between(0, 5),
    leaseHolders: load.between(0, 3),
    others: drawClients(root.split('other clients'), profile),
    keys: load.pick([4, 10, 10, 30, 100]),
    valueBytesMax: load.pick([16, 64, 300, 2000]),
    clientLossPpm: calm ? 0 : load.pick([0, 0, 1_000, 20_000]),
    surpriseOrder: root.split('order').chance(1, 2),
    driftPpm: root.split('drift').pick([50, 500, 500, calm ? 500 : 100_000]),
    faultKinds: drawKinds(profile, root.split('faults')),
    faultEveryMs: root.split('fault rate').pick([300, 800, 1500, 3000]),
    net: drawNet(root.split('net')),
    disk: { syncUsMax: root.split('disk').pick([1_000, 3_000, 10_000]) },
    store: { writeBufferBytes: root.split('store').pick([4, 16, 64]) * 1024 },
    config: { ...drawConfig(root.split('config')), ...drawCare(root.split('care')) },
    mixedConfig: root.split('mixed config').chance(1, 6),
    tuning: { ...drawTuning(root.split('tuning')), ...drawComparison(root.split('comparison')) },
    mutants: [],
  };
  const narrow = profile === 'swarm' && root.split('narrow').chance(1, 10);
  return { ...drawn, ...(narrow ? narrowed(drawn) : {}), ...overrides };
}

/**
 * The log is compacted right behind what is applied, a follower is sent one small message at a time, and such messages
 * are lost: what it needs next is gone from the log while its window is full.
 */
function narrowed(drawn: SimOptions): Partial<SimOptions> {
  const [first] = drawn.faultKinds;
  return {
    members: 3,
    opsPerSecond: Math.max(60, drawn.opsPerSecond),
    faultKinds: ['swamp', ...(first === undefined || first === 'swamp' ? [] : [first])],
    faultEveryMs: 300,
    config: { ...drawn.config, snapshotCount: 5, snapshotCatchUpEntries: 0 },
    tuning: { ...drawn.tuning, maxInflightMessages: 1, maxAppendBytes: 100 },
  };
}

function drawProfile(rng: Rng): Profile {
  const tenth = rng.below(10);
  return tenth === 0 ? 'calm' : tenth === 1 ? 'storm' : 'swarm';
}

function drawKinds(profile: Profile, rng: Rng): FaultKind[] {
  if (profile === 'calm') return [];
  if (profile === 'storm') return [...FAULT_KINDS];
  return rng.shuffle([...FAULT_KINDS]).slice(0, rng.between(2, 4));
}

function drawNet(rng: Rng): SimOptions['net'] {
  return { maxDelayUs: rng.pick([500, 1500, 5000, 20_000]), slowOneIn: rng.pick([0, 100, 1000]) };
}

function drawConfig(rng: Rng) {
  const heartbeatMs = rng.pick([50, 100, 100]);
  return {
    heartbeatMs,
    electionMs: 10 * heartbeatMs,
    snapshotCount: rng.pick([5, 5, 10, 20, 100, 10_000, 10_000]),
    snapshotCatchUpEntries: rng.pick([0, 0, 1, 5, 20, 100]),
    maxWals: rng.pick([2, 5]),
    compactionBatchLimit: rng.between(3, 100),
    preVote: rng.chance(9, 10),
    strictReconfigCheck: rng.chance(1, 3),
  };
}

/** What a member does to stay well. */
function drawCare(rng: Rng) {
  return {
    quotaBackendBytes: rng.pick([0, 0, 0, 30_000, 60_000, 150_000]),
    corruptCheckMs: rng.pick([0, 700, 3000]),
    compactHashCheck: rng.chance(1, 2),
    compactHashCheckMs: rng.pick([300, 2000]),
    initialCorruptCheck: rng.chance(1, 3),
    leaseCheckpoint: rng.chance(1, 2),
    compactionSleepMs: rng.pick([0, 0, 1, 10]),
  };
}

function drawComparison(rng: Rng) {
  return {
    stateHashEvery: rng.pick([1, 1, 1, 8]),
    stateHashCheckMs: rng.pick([300, 2000]),
    leaseCheckpointMs: rng.pick([500, 1500]),
  };
}

/** What one member has of its own where they are mixed. */
export function drawMemberConfig(rng: Rng): Partial<MemberConfig> {
  return { ...drawConfig(rng), preVote: rng.chance(1, 2) };
}

function drawTuning(rng: Rng): SimOptions['tuning'] {
  const { mutants: _, ...usual } = defaultTuning;
  return {
    ...usual,
    walSegmentBytes: rng.pick([4, 8, 16, 64]) * 1024,
    flushIntervalMs: rng.pick([5, 20, 100, 500, 3000]),
    flushBytes: rng.pick([200, 2000, 20_000, 4 << 20]),
    maxAppendBytes: rng.pick([100, 300, 1000, 10_000, 1 << 20]),
    peerPendingBytesMax: rng.pick([2000, 128 << 20, 128 << 20, 128 << 20]),
    maxInflightMessages: rng.pick([1, 2, 4, 8, 512]),
    maxCommittedBytesPerReady: rng.pick([100, 300, 1000, 4 << 20]),
    readIndexRetryMs: rng.pick([100, 500]),
    leaseCheckMs: rng.pick([100, 500]),
    leaseRevokeRate: rng.pick([2, 10, 1000]),
    watchFragmentBytes: rng.pick([300, 2000, 1 << 20]),
    valueCacheBytes: rng.pick([0, 1000, 100_000, 64 << 20]),
    checkpointRows: rng.pick([1, 20, 200]),
    checkpointIntervalMs: rng.pick([50, 500, 5000]),
  };
}
