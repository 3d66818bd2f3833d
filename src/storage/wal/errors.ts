/**
 * Codes are stable, messages are not.
 *
 * - ERR_WAL_EXISTS: create on a folder that has a log, or whose mark says that it had one.
 * - ERR_WAL_MISSING: there is no log in the folder, or no segment reaches back to where reading should start.
 * - ERR_WAL_ROT: bytes that had been synced are damaged or gone. The member stops, or is repaired from its peers.
 * - ERR_WAL_GAP: the records are sound, but an entry between `from` and the first one read is missing.
 * - ERR_WAL_IO: the disk failed; `cause` says how. The log takes nothing any more.
 * - ERR_WAL_CLOSED: used after close.
 */
export type WalErrorCode =
  | 'ERR_WAL_EXISTS'
  | 'ERR_WAL_MISSING'
  | 'ERR_WAL_ROT'
  | 'ERR_WAL_GAP'
  | 'ERR_WAL_IO'
  | 'ERR_WAL_CLOSED';

export class WalError extends Error {
  override readonly name = 'WalError';
  readonly code: WalErrorCode;
  /** The file meant; empty where none is. */
  readonly file: string;
  /** Byte offset in the file, or -1. */
  readonly offset: number;
  readonly reason: string;

  constructor(code: WalErrorCode, reason: string, file = '', offset = -1, cause?: unknown) {
    const where = file === '' ? '' : `${file}${offset < 0 ? '' : ` at byte ${offset}`}: `;
    super(`${where}${reason}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.file = file;
    this.offset = offset;
    this.reason = reason;
  }
}
