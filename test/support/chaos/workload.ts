import { status as Code } from '@grpc/grpc-js';
import type { CompareOp, Kv, Op, OpRecord, Outcome, Response } from '../../../src/sim/checkers/index.js';
import type { Cluster } from '../cluster.js';
import { sleep } from '../member-process.js';
import type { WireError } from '../raw-client.js';
import { RawClient } from '../raw-client.js';
import { randomFrom } from './random.js';

/** Microseconds of the machine's monotonic clock: the unit of a history's times. */
export function now(): number {
  return Math.floor(performance.now() * 1000);
}

const KEYS = Array.from({ length: 8 }, (_, i) => `k${i}`);
const PAIR = ['pair/a', 'pair/b'];
const LEASE_TTL_US = 2_000_000;

export interface WorkloadOptions {
  /** Of the first operation; values and leases carry it, so that none comes twice in the life of a store. Default 1. */
  firstId?: number;
  /** After an answer a client rests for up to so long. Default 9. */
  restMs?: number;
  /** Default 1500. */
  deadlineMs?: number;
}

/**
 * Clients that write, read and delete for as long as they are left to, each bound to one member, and note all they
 * did. Every value is written once only, so that a lost answer can be told afterwards from a lost write.
 */
export class Workload {
  readonly records: OpRecord[] = [];
  readonly #cluster: Cluster;
  readonly #clients: RawClient[] = [];
  #running: Promise<void>[] = [];
  #stopping = false;
  readonly #firstId: number;
  readonly #restMs: number;
  readonly #deadlineMs: number;
  #nextId: number;
  #nextLease: number;

  constructor(cluster: Cluster, { firstId = 1, restMs = 9, deadlineMs = 1500 }: WorkloadOptions = {}) {
    this.#cluster = cluster;
    this.#firstId = firstId;
    this.#restMs = restMs;
    this.#deadlineMs = deadlineMs;
    this.#nextId = firstId;
    this.#nextLease = 0x1000_0000 + firstId;
  }

  /** Starts `count` clients, spread over the members. */
  start(count: number, seed: number): void {
    for (let i = 0; i < count; i++) {
      const member = this.#cluster.members[i % this.#cluster.members.length]!;
      const client = new RawClient(member.endpoint);
      this.#clients.push(client);
      this.#running.push(this.#clientLoop(i, member.name, client, randomFrom(seed + i)));
    }
  }

  /** Lets each client finish its operation. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
    this.#running = [];
    for (const client of this.#clients.splice(0)) client.close();
  }

  /** The id that the next operation will have. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Operations so far by outcome. */
  counts(): Record<Outcome, number> {
    const counts = { ok: 0, fail: 0, unknown: 0 };
    for (const record of this.records) counts[record.outcome]++;
    return counts;
  }

  async run(clientId: number, member: string, client: RawClient, op: Op, ms = this.#deadlineMs): Promise<OpRecord> {
    const id = this.#nextId++;
    const invoke = now();
    const result = await client.run(op, ms);
    const outcome = result.ok ? 'ok' : outcomeOf(result.error);
    const record: OpRecord = {
      id,
      client: clientId,
      member,
      op,
      invoke,
      return: outcome === 'unknown' ? Number.POSITIVE_INFINITY : now(),
      outcome,
      response: result.ok ? result.value : null,
      ...(result.ok ? {} : { error: `${result.error.code} ${result.error.message}` }),
    };
    this.records.push(record);
    return record;
  }

  async #clientLoop(id: number, member: string, client: RawClient, random: (n: number) => number): Promise<void> {
    const known = new Map<string, Kv | null>();
    let lease: { id: string; until: number } | undefined;
    let serial = this.#firstId;
    while (!this.#stopping) {
      const key = KEYS[random(KEYS.length)]!;
      const value = `c${id}-${serial++}`;
      let op: Op;
      const dice = random(100);
      if (dice < 30) op = put(key, value, random(2) === 0);
      else if (dice < 45) op = compareAndSet(key, known.get(key) ?? null, value);
      else if (dice < 52) op = pairTxn(value);
      else if (dice < 57)
        op = { kind: 'delete', key, rangeEnd: random(4) === 0 ? after(key) : '', prev: random(2) === 0 };
      else if (dice < 72) op = range(key, '', false);
      else if (dice < 80) op = random(2) === 0 ? range('k', 'l', false) : range('pair/', 'pair0', false);
      else if (dice < 94) op = random(3) === 0 ? range('\0', '\0', true) : range(key, '', true);
      else if (!lease || lease.until < now()) {
        const grant = await this.run(id, member, client, {
          kind: 'grant',
          lease: String(this.#nextLease++),
          ttl: LEASE_TTL_US,
        });
        if (grant.outcome === 'ok' && grant.op.kind === 'grant')
          lease = { id: grant.op.lease, until: now() + LEASE_TTL_US / 2 };
        continue;
      } else if (dice < 98) op = { ...put(`lease/${id}`, value, true), lease: lease.id };
      else if (random(2) === 0) op = { kind: 'keepalive', lease: lease.id };
      else {
        op = { kind: 'revoke', lease: lease.id };
        lease = undefined;
      }
      const record = await this.run(id, member, client, op);
      if (record.response) learn(known, record.response);
      await sleep(record.outcome === 'ok' ? 1 + random(this.#restMs - 1) : 40);
    }
  }
}

function put(key: string, value: string, prev: boolean): Op & { kind: 'put' } {
  return { kind: 'put', key, value, lease: '0', prev };
}

function range(key: string, rangeEnd: string, serializable: boolean): Op & { kind: 'range' } {
  return { kind: 'range', key, rangeEnd, revision: 0, serializable };
}

/** A range end that takes in two keys. */
function after(key: string): string {
  return `${key.slice(0, -1)}${String.fromCharCode(key.charCodeAt(key.length - 1) + 2)}`;
}

function compareAndSet(key: string, kv: Kv | null, value: string): Op {
  const compare: CompareOp = kv
    ? { key, target: 'mod', result: '=', operand: kv.mod }
    : { key, target: 'version', result: '=', operand: 0 };
  return { kind: 'txn', compare: [compare], success: [put(key, value, true)], failure: [range(key, '', false)] };
}

/** Two keys that always change together. */
function pairTxn(value: string): Op {
  return { kind: 'txn', compare: [], success: PAIR.map((key) => put(key, `${value}@${key}`, false)), failure: [] };
}

function learn(known: Map<string, Kv | null>, response: Response): void {
  if (response.kind === 'range') for (const kv of response.kvs) known.set(kv.key, kv);
  if (response.kind === 'txn') for (const inner of response.responses) learn(known, inner);
}

/** Only what proves that nothing happened and nothing will counts as a failure. */
function outcomeOf({ code }: WireError): Outcome {
  switch (code) {
    case Code.INVALID_ARGUMENT:
    case Code.NOT_FOUND:
    case Code.FAILED_PRECONDITION:
    case Code.OUT_OF_RANGE:
    case Code.UNIMPLEMENTED:
      return 'fail';
    default:
      return 'unknown';
  }
}
