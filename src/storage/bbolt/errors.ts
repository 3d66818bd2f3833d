/**
 * Why a file was not read or written. Codes are stable; messages are bbolt's own where it has one, since etcdutl prints
 * them.
 *
 * - ERR_FORMAT: not a bbolt file, or not one of etcd's schema.
 * - ERR_CORRUPT: pages that contradict each other, lie outside of the file, or are shared.
 * - ERR_CLOSED: used after close.
 * - ERR_IO: the store failed; `cause` says how.
 */
export type BboltErrorCode = 'ERR_FORMAT' | 'ERR_CORRUPT' | 'ERR_CLOSED' | 'ERR_IO';

export class BboltError extends Error {
  override readonly name = 'BboltError';
  readonly code: BboltErrorCode;

  constructor(code: BboltErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** Wraps what a store reported; errors of ours pass through. */
  static from(err: unknown): BboltError {
    if (err instanceof BboltError) return err;
    return new BboltError('ERR_IO', err instanceof Error ? err.message : String(err), err);
  }
}
