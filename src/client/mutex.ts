import type { Bytes } from './bytes.js';
import { GrpcCode } from './core/status.js';
import { KeelError } from './errors.js';
import { Compare } from './ops.js';
import type { Place } from './queue-key.js';
import { queuePrefix, takePlace, waitTurn } from './queue-key.js';
import type { Header } from './results.js';
import type { Session } from './session.js';

/**
 * A lock that the whole cluster sees, held as long as its session lives. It protects what is written in a
 * transaction with `isHeld()`; anything else may still run for a moment after the session was lost.
 */
export class Mutex {
  readonly #session: Session;
  readonly #prefix: string;
  #place: Place | null = null;
  #header: Header | null = null;

  constructor(session: Session, name: Bytes) {
    this.#session = session;
    this.#prefix = queuePrefix(name);
  }

  /** The key that holds the place; null while there is none. */
  get key(): Buffer | null {
    return this.#place?.key ?? null;
  }

  /** Of the answer that said that it is held; null before. */
  get header(): Header | null {
    return this.#header;
  }

  /** Waits for its turn. An abort gives the place up. @throws KeelError ERR_SESSION_EXPIRED, ERR_CANCELED */
  async lock(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const place = await takePlace(this.#session, this.#prefix, '', options.signal);
    this.#place = place;
    this.#header = place.header;
    if (place.first.createRevision === place.revision) return;
    try {
      this.#header = await waitTurn(this.#session, this.#prefix, place, options.signal);
    } catch (err) {
      // Others must not wait for a place that nobody wants any more.
      await this.unlock().catch(() => {});
      throw err;
    }
  }

  /** @throws KeelError ERR_LOCKED at once if another session holds it */
  async tryLock(): Promise<void> {
    const place = await takePlace(this.#session, this.#prefix, '');
    this.#place = place;
    if (place.first.createRevision === place.revision) return;
    await this.unlock();
    throw new KeelError('ERR_LOCKED', 'mutex: Locked by another session', { grpcCode: GrpcCode.FAILED_PRECONDITION });
  }

  /** Gives it up; without effect if it is not held. */
  async unlock(): Promise<void> {
    const place = this.#place;
    if (place === null) return;
    await this.#session.client.delete(place.key);
    this.#place = null;
  }

  /**
   * A condition for transactions that must only run while this lock is held. Give the transaction an operation:
   * etcd answers one without any from the member that is asked, which may lag.
   * @throws KeelError ERR_NOT_LOCKED
   */
  isHeld(): Compare {
    const place = this.#place;
    if (place === null) throw new KeelError('ERR_NOT_LOCKED', 'mutex: not locked');
    return Compare.createRevision(place.key, '=', place.revision);
  }
}
