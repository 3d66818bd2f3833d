import type { Bytes } from './bytes.js';
import { fromKey, toKey } from './bytes.js';
import { GrpcCode } from './core/status.js';
import { KeelError } from './errors.js';
import type { KeelClient } from './keel-client.js';
import { Compare, Op } from './ops.js';
import type { Header, KeyValue, OpResult } from './results.js';
import type { Session } from './session.js';

/**
 * A place in a queue of keys, the base of locks and elections: each session has the key `name/<lease in hex>`, the
 * order is that of creation, and the first one has its turn. This is the layout of etcd's own recipes, so clients
 * of both kinds can wait in one queue.
 */
export interface Place {
  readonly key: Buffer;
  /** Creation revision: the place in the queue. */
  readonly revision: number;
  readonly header: Header;
  /** The first in the queue; itself when it is its turn. */
  readonly first: KeyValue;
  /** Of the key as it stood, if the session had one already. */
  readonly existing: KeyValue | null;
}

export function queuePrefix(name: Bytes): string {
  return `${toKey(name)}/`;
}

/** Takes a place, or finds the one that the session has. Doing it twice changes nothing. */
export async function takePlace(session: Session, prefix: string, value: Bytes, signal?: AbortSignal): Promise<Place> {
  const key = fromKey(prefix + session.lease.toString(16));
  const first = Op.get(fromKey(prefix), { prefix: true, sortTarget: 'create', sortOrder: 'ascend', limit: 1 });
  const txn = {
    compare: [Compare.missing(key)],
    success: [Op.put(key, value, { lease: session.lease }), first],
    failure: [Op.get(key), first],
  };
  const result = await session.client.txn(txn, { idempotent: true, ...(signal ? { signal } : {}) });
  const existing = result.succeeded ? null : (rangeOf(result.responses[0]).kvs[0] ?? null);
  const revision = existing === null ? result.header.revision : existing.createRevision;
  const owner = rangeOf(result.responses[1]).kvs[0];
  if (owner === undefined) throw sessionExpired();
  return { key, revision, header: result.header, first: owner, existing };
}

/**
 * Waits until nobody stands before `revision` in the queue.
 * @throws KeelError ERR_SESSION_EXPIRED, ERR_CANCELED
 */
export async function waitTurn(session: Session, prefix: string, place: Place, signal?: AbortSignal): Promise<Header> {
  const gone = new AbortController();
  const onAbort = () => gone.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  void session.lost.then(() => gone.abort());
  try {
    for (;;) {
      if (signal?.aborted) throw KeelError.canceled(signal.reason);
      const before = await session.client.get(fromKey(prefix), {
        prefix: true,
        sortTarget: 'create',
        sortOrder: 'descend',
        limit: 1,
        maxCreateRevision: place.revision - 1,
        keysOnly: true,
        signal: gone.signal,
      });
      const ahead = before.kvs[0];
      if (ahead === undefined) break;
      await deletion(session.client, ahead.key, before.header.revision, gone.signal);
    }
    // The lease may have run out while we waited, and our key with it.
    const own = await session.client.get(place.key, { signal: gone.signal });
    if (own.kvs[0]?.createRevision !== place.revision) throw sessionExpired();
    return own.header;
  } catch (err) {
    if (gone.signal.aborted && !signal?.aborted) throw sessionExpired();
    throw err;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

async function deletion(client: KeelClient, key: Buffer, revision: number, signal: AbortSignal): Promise<void> {
  const watch = client.watch(key, { startRevision: revision + 1, filters: ['noput'], signal });
  for await (const batch of watch) if (batch.events.length > 0) return;
  throw KeelError.canceled(signal.reason);
}

export function sessionExpired(): KeelError {
  return new KeelError('ERR_SESSION_EXPIRED', 'mutex: session is expired', { grpcCode: GrpcCode.FAILED_PRECONDITION });
}

function rangeOf(result: OpResult | undefined): { kvs: KeyValue[] } {
  return result?.type === 'range' ? result : { kvs: [] };
}
