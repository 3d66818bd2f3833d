import type { HashKvResult, MvccStore } from '../mvcc/index.js';
import type { StoredBackend } from '../storage/backend/index.js';
import type { Completion } from './api.js';
import { hashDatabase } from './database-hash.js';
import { refusal, ServerError } from './errors.js';

/** HashKV of the state at `revision`, in slices (semantics 7). */
export function answerHashKv(mvcc: MvccStore, revision: number, done: Completion<HashKvResult>): void {
  mvcc.hashKv(revision, (err, result) => {
    if (err !== null) done.fail(new ServerError('ERR_INTERNAL', err.message));
    else if (result === 'compacted') done.fail(refusal('ERR_COMPACTED'));
    else if (result === 'future') done.fail(refusal('ERR_FUTURE_REV'));
    else if (result !== null) done.ok(result);
  });
}

export function answerHash(backend: StoredBackend, done: Completion<number>): void {
  hashDatabase(backend, (err, hash) => {
    if (err !== null) done.fail(new ServerError('ERR_INTERNAL', err.message));
    else done.ok(hash);
  });
}
