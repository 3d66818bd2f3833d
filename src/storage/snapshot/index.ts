import type { Env } from '../../util/env.js';
import type { BackendPin, StoredBackend } from '../backend/index.js';

// The interface that src/server/snapshot-transfer.ts is written against; the room's implementation replaces this file.
type Done = (err: Error | null) => void;

export interface SnapshotHeader {
  readonly index: number;
  readonly term: number;
  /** As Backend.confState: JSON. */
  readonly confState: Buffer | undefined;
}

export interface SnapshotExport {
  /** The next chunk, or null at the end. */
  next(cb: (err: Error | null, chunk: Buffer | null) => void): void;
  /** Closes the pin too. */
  close(): void;
}

export function exportSnapshot(_pin: BackendPin): SnapshotExport {
  throw new Error('snapshot: not built yet');
}

export class SnapshotImport {
  constructor(_env: Env, _backend: StoredBackend) {}
  write(_chunk: Buffer, cb: Done): void {
    cb(new Error('snapshot: not built yet'));
  }
  /** All chunks came: verifies. */
  end(cb: (err: Error | null, header: SnapshotHeader | null) => void): void {
    cb(new Error('snapshot: not built yet'), null);
  }
  /** backend.replaceWith the side store. */
  install(cb: Done): void {
    cb(new Error('snapshot: not built yet'));
  }
  /** Removes the side store; harmless after install. */
  abort(): void {}
}
