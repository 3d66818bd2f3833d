import type { TimerHandle, Timers } from '../util/env.js';
import type { PeerError, PeerReply } from './api.js';

interface Open {
  readonly cb: PeerReply;
  readonly timer: TimerHandle;
}

/** The questions asked on one connection that have no answer yet. */
export class Questions {
  readonly #timers: Timers;
  readonly #open = new Map<number, Open>();
  #last = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  add(timeoutMs: number, cb: PeerReply): number {
    const id = ++this.#last;
    const timer = this.#timers.set(timeoutMs, () => this.#settle(id, peerError('ERR_PEER_TIMEOUT', 'no answer'), null));
    this.#open.set(id, { cb, timer });
    return id;
  }

  answer(id: number, error: { code: string; message: string } | null, body: unknown): void {
    this.#settle(id, error === null ? null : peerError(error.code, error.message), body);
  }

  /** The connection is gone: whether a question was heard is not known. */
  failAll(): void {
    for (const id of [...this.#open.keys()]) {
      this.#settle(id, peerError('ERR_PEER_UNREACHABLE', 'the connection was lost'), null);
    }
  }

  #settle(id: number, err: PeerError | null, body: unknown): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    this.#timers.clear(open.timer);
    open.cb(err, body);
  }
}

export function peerError(code: string, message: string): PeerError {
  return Object.assign(new Error(`peer: ${message}`), { code });
}
