/**
 * What can be wrong with a backend. Codes are stable, messages are not.
 *
 * - ERR_CORRUPT: a row, a counter or a file fails its check or is gone; the member must not serve from this store.
 * - ERR_HOLE: a flush is missing in the middle; the store is not the state of any applied index and must be refetched.
 * - ERR_FORMAT: the folder was written by a newer version, or is not a Keel folder.
 * - ERR_OWNER: the folder belongs to another member or another cluster.
 * - ERR_LOCKED: another process has the folder open.
 * - ERR_IO: the store or the disk failed; `cause` says how.
 * - ERR_STALE: a snapshot is older than what the member has applied.
 * - ERR_CLOSED: used after close.
 */
export type BackendErrorCode =
  | 'ERR_CORRUPT'
  | 'ERR_HOLE'
  | 'ERR_FORMAT'
  | 'ERR_OWNER'
  | 'ERR_LOCKED'
  | 'ERR_IO'
  | 'ERR_STALE'
  | 'ERR_CLOSED';

/** Of a store: one whose own files do not read back, or are gone, is as damaged as one with a row that is. */
const CODES: ReadonlyMap<unknown, BackendErrorCode> = new Map([
  ['ERR_LOCKED', 'ERR_LOCKED'],
  ['ERR_CORRUPT', 'ERR_CORRUPT'],
  ['ERR_MISSING', 'ERR_CORRUPT'],
  ['ENOENT', 'ERR_CORRUPT'],
]);

export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly code: BackendErrorCode;

  constructor(code: BackendErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** Wraps what a disk or a store reported; errors of ours pass through. */
  static from(err: unknown, doing: string): BackendError {
    if (err instanceof BackendError) return err;
    const message = err instanceof Error ? err.message : String(err);
    const code = CODES.get((err as { code?: unknown } | null)?.code) ?? 'ERR_IO';
    return new BackendError(code, `${doing}: ${message}`, err);
  }
}
