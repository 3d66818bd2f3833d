import type { Bytes } from './bytes.js';
import { fromKey, toBuffer } from './bytes.js';
import { GrpcCode } from './core/status.js';
import { KeelError } from './errors.js';
import { Compare, Op } from './ops.js';
import type { Place } from './queue-key.js';
import { queuePrefix, takePlace, waitTurn } from './queue-key.js';
import type { KeyValue } from './results.js';
import type { Session } from './session.js';

/** One of many is elected, and says who it is by a value that all can read. */
export class Election {
  readonly #session: Session;
  readonly #prefix: string;
  #place: Place | null = null;

  constructor(session: Session, name: Bytes) {
    this.#session = session;
    this.#prefix = queuePrefix(name);
  }

  /** Resolves when this session is the leader. An abort withdraws. @throws KeelError ERR_SESSION_EXPIRED, ERR_CANCELED */
  async campaign(value: Bytes, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const place = await takePlace(this.#session, this.#prefix, value, options.signal);
    this.#place = place;
    try {
      if (place.existing !== null && !place.existing.value.equals(toBuffer(value))) await this.proclaim(value);
      if (place.first.createRevision === place.revision) return;
      await waitTurn(this.#session, this.#prefix, place, options.signal);
    } catch (err) {
      await this.resign().catch(() => {});
      throw err;
    }
  }

  /** Changes the leader's value. @throws KeelError ERR_ELECTION_NOT_LEADER */
  async proclaim(value: Bytes): Promise<void> {
    const place = this.#place;
    if (place === null) throw notLeader();
    const { succeeded } = await this.#session.client.txn({
      compare: [Compare.createRevision(place.key, '=', place.revision)],
      success: [Op.put(place.key, value, { lease: this.#session.lease })],
    });
    if (succeeded) return;
    this.#place = null;
    throw notLeader();
  }

  /** Gives leadership, or the place in the queue, up. */
  async resign(): Promise<void> {
    const place = this.#place;
    if (place === null) return;
    await this.#session.client.txn(
      {
        compare: [Compare.createRevision(place.key, '=', place.revision)],
        success: [Op.delete(place.key)],
      },
      { idempotent: true },
    );
    this.#place = null;
  }

  /** The leader's key and value; undefined if there is none. */
  async leader(): Promise<KeyValue | undefined> {
    const found = await this.#session.client.get(fromKey(this.#prefix), FIRST);
    return found.kvs[0];
  }

  /** The present leader, and each change of leader or value from then on. */
  async *observe(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<KeyValue> {
    const { client } = this.#session;
    const key = fromKey(this.#prefix);
    const signal = options.signal ? { signal: options.signal } : {};
    let seen = 0;
    for (;;) {
      const found = await client.get(key, { ...FIRST, ...signal });
      const leader = found.kvs[0];
      if (leader !== undefined && leader.modRevision !== seen) {
        seen = leader.modRevision;
        yield leader;
      }
      // Whatever moves in the queue is a reason to look again.
      const watch = client.watch(key, { prefix: true, startRevision: found.header.revision + 1, ...signal });
      let moved = false;
      for await (const batch of watch) {
        moved = batch.events.length > 0;
        if (moved) break;
      }
      if (!moved) return;
    }
  }
}

const FIRST = { prefix: true, sortTarget: 'create', sortOrder: 'ascend', limit: 1 } as const;

function notLeader(): KeelError {
  return new KeelError('ERR_ELECTION_NOT_LEADER', 'election: not leader', { grpcCode: GrpcCode.FAILED_PRECONDITION });
}
