import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kv, LogRevision, ModelState, OpRecord, Violation } from '../../../src/sim/checkers/index.js';
import {
  applyEvents,
  checkHistory,
  checkSameLogs,
  checkWatch,
  emptyModel,
  isLinearizable,
} from '../../../src/sim/checkers/index.js';
import { upTo } from '../chaos/up-to.js';
import { Watchers } from '../chaos/watchers.js';
import { now, Workload } from '../chaos/workload.js';
import type { Cluster } from '../cluster.js';
import { sleep } from '../member-process.js';

/** What an epoch leaves to the next one. */
export interface EpochEnd {
  /** What the store holds. */
  readonly state: ModelState;
  /** Operations that may still take place, and leases that may still expire. */
  readonly open: readonly OpRecord[];
  readonly nextId: number;
}

export const BEGINNING: EpochEnd = { state: emptyModel(), open: [], nextId: 1 };

export interface EpochReport {
  readonly end: EpochEnd;
  readonly violations: Violation[];
  readonly acknowledged: number;
  readonly unknown: number;
  readonly resolved: number;
  readonly revisions: number;
  readonly keysSearched: number;
  readonly undecided: number;
}

export interface EpochOptions {
  readonly clients: number;
  readonly seed: number;
  readonly restMs: number;
}

/** Members that are in the middle of something: how long they get to agree, ms. */
const SETTLE_MS = 20_000;

/** A stretch of a cluster's life whose history is checked as one, from the state that the last one ended in. */
export class Epoch {
  readonly #cluster: Cluster;
  readonly #began: EpochEnd;
  readonly #workload: Workload;
  readonly #watchers: Watchers;

  constructor(cluster: Cluster, began: EpochEnd, { clients, seed, restMs }: EpochOptions) {
    this.#cluster = cluster;
    this.#began = began;
    this.#workload = new Workload(cluster, { firstId: began.nextId, restMs, deadlineMs: 1000 });
    this.#watchers = new Watchers(cluster, began.state.revision);
    this.#workload.start(clients, seed);
  }

  /** Ends the clients without a check, after a failure. What they saw is written down. */
  async abandon(): Promise<void> {
    await this.#workload.stop();
    this.#watchers.close();
    this.#keep([], []);
  }

  /**
   * Lets the clients finish and holds what they saw against what every member has. All members are up.
   * @param restarts when each member was killed
   */
  async finish(restarts: ReadonlyMap<string, readonly number[]>): Promise<EpochReport> {
    const cluster = this.#cluster;
    await this.#workload.stop();
    // Last reads, through every member, as part of the history.
    for (const [i, { name }] of cluster.members.entries()) await this.#lastRead(1000 + i, name);
    const { revision, hashes } = await this.#agree();
    const { state } = this.#began;
    const violations: Violation[] = [];
    if (revision < state.revision) {
      const message = `the members stand at ${revision}, the last history ended at ${state.revision}`;
      violations.push({ rule: 'revisions never fall', message, ops: [], revisions: [revision] });
    }
    if (new Set(hashes.values()).size > 1) {
      const message = `HashKV at ${revision}: ${JSON.stringify([...hashes])}`;
      violations.push({ rule: 'equal hashes', message, ops: [], revisions: [revision] });
    }
    const logs = new Map<string, LogRevision[]>();
    for (const { name } of cluster.members) {
      // A lease may run out meanwhile: that belongs to the next history.
      logs.set(name, await cluster.client(name).readLog(state.revision + 1, revision));
    }
    violations.push(...checkSameLogs(logs));
    const log = logs.get(cluster.names[0]!)!;
    await this.#watchers.finish(revision);

    const own = this.#workload.records;
    const records = [...this.#began.open, ...own].filter((record) => !this.#forgotten(record, restarts));
    const report = checkHistory({ records, log, initial: state, restarts });
    violations.push(...report.violations);
    for (const watch of this.#watchers.records) {
      violations.push(...checkWatch(upTo(watch, revision), log, state.revision, state.kvs));
    }
    if (violations.length > 0) this.#keep(log, violations);
    const counts = this.#workload.counts();
    const kvs = new Map<string, Kv>(state.kvs);
    for (const { events } of log) applyEvents(kvs, events);
    return {
      violations,
      acknowledged: counts.ok,
      unknown: counts.unknown,
      resolved: report.resolved,
      revisions: log.length,
      keysSearched: report.searched.length,
      undecided: report.undecided.length,
      end: {
        state: { revision, kvs },
        open: stillOpen(records, log),
        nextId: this.#workload.nextId + this.#cluster.members.length,
      },
    };
  }

  async #lastRead(client: number, member: string): Promise<void> {
    const all = { kind: 'range' as const, key: '\0', rangeEnd: '\0', revision: 0, serializable: false };
    let error = '';
    for (let attempt = 0; attempt < 10; attempt++) {
      const record = await this.#workload.run(client, member, this.#cluster.client(member), all, 3000);
      if (record.outcome === 'ok') return;
      error = record.error ?? '';
      await sleep(100);
    }
    throw new Error(`no last read of ${member}: ${error}`);
  }

  /** One revision that all members have, with the hashes there: a lease that runs out meanwhile is no matter. */
  async #agree(): Promise<{ revision: number; hashes: Map<string, number> }> {
    const revision = await this.#cluster.converged(SETTLE_MS);
    const hashes = new Map<string, number>();
    for (const { name } of this.#cluster.members) {
      const hash = await this.#cluster.client(name).hashKv(revision);
      if (!hash.ok) throw new Error(`no hash of ${name} at ${revision}: ${hash.error.message}`);
      hashes.set(name, hash.value.hash);
    }
    return { revision, hashes };
  }

  /** A member that came back may answer serializable reads from a time before this history. */
  #forgotten(record: OpRecord, restarts: ReadonlyMap<string, readonly number[]>): boolean {
    if (record.outcome !== 'ok' || !record.response || isLinearizable(record.op)) return false;
    if (record.response.revision >= this.#began.state.revision) return false;
    return (restarts.get(record.member) ?? []).some((time) => time < record.return);
  }

  #keep(log: readonly LogRevision[], violations: readonly Violation[]): void {
    const { dir } = this.#cluster;
    const lines = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join('\n');
    const { state, open } = this.#began;
    writeFileSync(join(dir, 'began.json'), JSON.stringify({ ...state, kvs: [...state.kvs.values()], open }));
    writeFileSync(join(dir, 'history.jsonl'), lines(this.#workload.records));
    writeFileSync(join(dir, 'watches.jsonl'), lines(this.#watchers.records));
    if (log.length > 0) writeFileSync(join(dir, 'log.jsonl'), lines(log));
    if (violations.length > 0) writeFileSync(join(dir, 'violations.json'), JSON.stringify(violations, null, 1));
  }
}

/**
 * What of a history may still have an effect later: writes without an answer that are not in the log, and leases. The
 * members have agreed on a log, so only what waits in a member's queue is left, and a server gives that up in seconds.
 */
function stillOpen(records: readonly OpRecord[], log: readonly LogRevision[]): OpRecord[] {
  const values = new Set(log.flatMap(({ events }) => events.map(({ kv }) => `${kv.key}\0${kv.value}`)));
  const took = ({ op }: OpRecord): boolean => {
    if (op.kind === 'put') return values.has(`${op.key}\0${op.value}`);
    if (op.kind !== 'txn') return false;
    return op.success.some((inner) => inner.kind === 'put' && values.has(`${inner.key}\0${inner.value}`));
  };
  const leases = new Map<string, OpRecord>();
  const open: OpRecord[] = [];
  for (const record of records) {
    if (record.op.kind === 'grant') {
      if (record.outcome !== 'fail') leases.set(record.op.lease, unanswered(record, record.invoke));
    } else if (record.outcome === 'unknown' && !took(record)) open.push(record);
  }
  for (const { op, outcome, invoke } of records) {
    if (outcome !== 'ok') continue;
    if (op.kind === 'revoke') leases.delete(op.lease);
    const lease = op.kind === 'keepalive' ? leases.get(op.lease) : undefined;
    // To the next history it is granted anew whenever it is renewed.
    if (lease && op.kind === 'keepalive' && invoke > lease.invoke) leases.set(op.lease, unanswered(lease, invoke));
  }
  const oldest = now() - OPEN_US;
  return [...open, ...leases.values()].filter((record) => record.invoke > oldest);
}

const OPEN_US = 60e6;

function unanswered(record: OpRecord, invoke: number): OpRecord {
  return { ...record, invoke, outcome: 'unknown', return: Number.POSITIVE_INFINITY, response: null };
}
