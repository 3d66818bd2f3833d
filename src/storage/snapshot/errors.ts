/**
 * Why a snapshot was not taken. Codes are stable, messages are not.
 *
 * - ERR_CORRUPT: a chunk is damaged, cut, doubled or out of order, or the rows are not those that were promised.
 * - ERR_FORMAT: not a stream of ours, or of a newer version.
 * - ERR_INCOMPLETE: the stream ended before its end marker.
 * - ERR_ABORTED: used after abort.
 * - ERR_IO: the store failed; `cause` says how.
 */
export type SnapshotErrorCode = 'ERR_CORRUPT' | 'ERR_FORMAT' | 'ERR_INCOMPLETE' | 'ERR_ABORTED' | 'ERR_IO';

export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly code: SnapshotErrorCode;

  constructor(code: SnapshotErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** Wraps what a store reported; errors of ours pass through. */
  static from(err: unknown): SnapshotError {
    if (err instanceof SnapshotError) return err;
    return new SnapshotError('ERR_IO', `snapshot: ${err instanceof Error ? err.message : String(err)}`, err);
  }
}
