import type { WatchStream } from '../mvcc/index.js';
import type { AuthGuard, ServerError } from '../server/index.js';
import { refusal } from '../server/index.js';
import type { WatchId } from '../wire/index.js';
import { Code, statusOf } from './errors.js';

interface Permit {
  readonly username: string;
  readonly key: string;
  readonly rangeEnd: string;
}

/** Go's names of the codes that a refusal by auth can have. */
const CODE_NAMES: Readonly<Record<number, string>> = {
  [Code.UNKNOWN]: 'Unknown',
  [Code.INVALID_ARGUMENT]: 'InvalidArgument',
  [Code.PERMISSION_DENIED]: 'PermissionDenied',
  [Code.UNAVAILABLE]: 'Unavailable',
  [Code.UNAUTHENTICATED]: 'Unauthenticated',
};

/** As etcd writes a refusal into cancel_reason: a whole status as text (etcd semantics §4.1). */
export function refusedReason(err: ServerError): string {
  const { code, message } = statusOf(err);
  return `rpc error: code = ${CODE_NAMES[code] ?? 'Unknown'} desc = ${message}`;
}

/** The permissions that a stream's watchers were created with, asked again after every change of the rules. */
export class WatchPermits {
  readonly #guard: AuthGuard;
  readonly #watchers: WatchStream;
  readonly #permits = new Map<WatchId, Permit>();
  readonly #listening: { end(): void };

  constructor(guard: AuthGuard, watchers: WatchStream) {
    this.#guard = guard;
    this.#watchers = watchers;
    this.#listening = guard.onRulesChanged(() => this.#recheck());
  }

  add(id: WatchId, permit: Permit): void {
    this.#permits.set(id, permit);
  }

  delete(id: WatchId): void {
    this.#permits.delete(id);
  }

  close(): void {
    this.#listening.end();
    this.#permits.clear();
  }

  #recheck(): void {
    for (const [id, { username, key, rangeEnd }] of this.#permits) {
      if (!this.#watchers.watchers.has(id)) {
        this.#permits.delete(id);
      } else if (!this.#guard.mayStillRead(username, key, rangeEnd)) {
        this.#permits.delete(id);
        this.#watchers.cancel(id, refusedReason(refusal('ERR_PERMISSION_DENIED')));
      }
    }
  }
}
