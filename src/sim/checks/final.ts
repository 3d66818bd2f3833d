import type { Member } from '../../server/index.js';
import type { Rng } from '../../util/rng.js';
import { makeRangeRequest } from '../../wire/index.js';
import { AS_ROOT } from '../caller.js';
import type { Kv, OpRecord, Violation, WatchRecord } from '../checkers/index.js';
import { checkHistory, checkWatches } from '../checkers/index.js';
import { sameKv } from '../checkers/model.js';
import type { SimCluster } from '../cluster.js';
import type { SimNode } from '../node.js';
import type { SimOptions } from '../options.js';
import type { SimClient } from '../workload/client-kinds.js';
import { kvOf } from '../workload/requests.js';
import type { Oracle } from './oracle.js';
import { leftBehind } from './resources.js';
import type { Settle } from './settle.js';

export interface FinalInput {
  readonly options: SimOptions;
  readonly cluster: SimCluster;
  readonly oracle: Oracle;
  readonly records: readonly OpRecord[];
  readonly watches: readonly WatchRecord[];
  readonly others: readonly SimClient[];
  readonly rng: Rng;
  readonly settle: Settle;
  readonly failed: () => boolean;
  readonly note: (text: string) => void;
}

const COMPACTION_MS = 5000;
/** What is left behind by nobody is gone by then. */
const RESOURCES_MS = 10_000;

/** What can only be said when all is over: histories, watches, tables; and all of it once more after a power cut. */
export function finalChecks(input: FinalInput): void {
  checkHistories(input);
  checkResources(input);
  if (input.failed()) return;
  checkStates(input);
  if (input.failed() || input.rng.chance(1, 2)) return;
  const { cluster, note } = input;
  note('all lose power, once more');
  for (const node of cluster.nodes) node.crash(input.rng.pick(['none', 'mixed', 'prefix'] as const));
  cluster.startAll();
  checkStates(input);
}

function checkHistories({ oracle, records, watches, others, rng }: FinalInput): void {
  const { log } = oracle.model;
  const keys = [...new Set(log.flatMap((entry) => entry.events.map((event) => event.kv.key)))];
  const sampleKeys = rng.shuffle(keys).slice(0, 3);
  const found: Violation[] = [...checkHistory({ records, log, sampleKeys }).violations];
  found.push(...checkWatches(watches, log));
  for (const client of others) found.push(...(client.violations?.() ?? []));
  for (const violation of found) oracle.violations.push(violation);
  if (found.length > 0) oracle.onViolation?.();
}

/** Watchers of a client's core, and their streams: with and without a leader. */
const CORE_WATCHES = 3;
const CORE_STREAMS = 2;

function checkResources({ cluster, options, oracle }: FinalInput): void {
  const { watchers, others } = options;
  const core = others.core ?? 0;
  const limits = {
    streams: watchers + CORE_STREAMS * core,
    watchers: watchers + CORE_WATCHES * core,
    // Two each way to each peer, those of the clients, and some that are being replaced.
    connections: 2 * cluster.nodes.length + 2 * core + 2 * (others.lockers ?? 0) + 2,
    events: 12 + 2 * cluster.nodes.length,
  };
  const wrong = (): string | null => {
    const held = cluster.nodes.flatMap((node) => {
      const { name, member } = node;
      return member === null ? [] : [{ name, ...node.held(), ...member.figures() }];
    });
    return leftBehind(held, limits);
  };
  // Who has just moved may not have said so at the member it came from.
  for (let ms = 0; ms < RESOURCES_MS && wrong() !== null; ms += 100) cluster.run(100);
  const left = wrong();
  if (left !== null) oracle.report('I16 resources', left);
}

/** I11: every table of every member, against each other and against the model. */
function checkStates(input: FinalInput): void {
  // A proposal that was lost to its client may still come through; then the members are looked at again.
  for (let before = -1; before !== input.oracle.applied; ) {
    before = input.oracle.applied;
    if (!input.settle.again(input.failed)) return;
    const found = statesNow(input);
    if (input.failed()) return;
    if (before === input.oracle.applied && found !== null) input.oracle.report(...found);
  }
}

/** @returns rule and message of what is wrong, unless something was applied meanwhile */
function statesNow(
  { cluster, oracle, failed }: Pick<FinalInput, 'cluster' | 'oracle' | 'failed'>,
  mayWait = true,
): [string, string] | null {
  const hashes = new Map<number, string>();
  for (const node of cluster.nodes) {
    if (node.leaving) continue;
    const hash = ask<number>(cluster, node, (member, done) => member.hash({ ok: done, fail: (err) => done(-1, err) }));
    if (hash !== null) hashes.set(hash, `${hashes.get(hash) ?? ''} ${node.name}`);
    if (failed()) return null;
    const wrong = wrongRows(cluster, oracle, node);
    if (wrong !== null) return wrong;
    const leases = node.member?.leases().map(String).sort() ?? [];
    const expected = [...oracle.model.leases].sort();
    if (leases.join() !== expected.join()) {
      return ['I11 leases', `${node.name} has ${leases.join(' ')}, not ${expected.join(' ')}`];
    }
  }
  if (hashes.size <= 1) return null;
  if (mayWait) {
    // Members compact at their own pace, and rows that are to go still count.
    cluster.run(COMPACTION_MS, failed);
    return statesNow({ cluster, oracle, failed }, false);
  }
  const text = [...hashes].map(([hash, names]) => `${hash}:${names}`).join('; ');
  return ['I11 equal hashes', `of the whole database: ${text}`];
}

function wrongRows(cluster: SimCluster, oracle: Oracle, node: SimNode): [string, string] | null {
  const req = { ...makeRangeRequest(), key: '\0', rangeEnd: '\0', serializable: true };
  const rows = ask<readonly Buffer[]>(cluster, node, (member, done) =>
    member.range(req, AS_ROOT, { ok: ({ kvs }) => done(kvs), fail: (err) => done([], err) }),
  );
  // It has found damage, and says so.
  if (rows === null && node.rotten) return null;
  if (rows === null) return ['I15 liveness', `${node.name} does not answer a read of its own state`];
  const kvs = rows.map(kvOf) as Kv[];
  const expected = [...oracle.model.kvs.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  for (let i = 0; i < Math.max(kvs.length, expected.length); i++) {
    if (sameKv(kvs[i] ?? null, expected[i] ?? null)) continue;
    const text = `${node.name} has ${JSON.stringify(kvs[i])}, not ${JSON.stringify(expected[i])}`;
    return ['I11 keys', text];
  }
  return null;
}

function ask<T>(
  cluster: SimCluster,
  node: SimNode,
  send: (member: Member, done: (value: T, err?: Error) => void) => void,
): T | null {
  const got: { value: T; err: Error | undefined }[] = [];
  node.enter((member) => send(member, (value, err) => got.push({ value, err })));
  cluster.run(10_000, () => got.length > 0);
  const answer = got[0];
  return answer === undefined || answer.err !== undefined ? null : answer.value;
}
