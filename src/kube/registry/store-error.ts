import { KeelError } from '../../client/index.js';
import {
  ApiError,
  expired,
  internalError,
  serviceUnavailable,
  timeout,
  tooManyRequests,
} from '../machinery/api-error.js';

/** The store is there again soon: another attempt is worth while. */
const UNAVAILABLE = new Set([
  'ERR_UNAVAILABLE',
  'ERR_NO_LEADER',
  'ERR_NOT_LEADER',
  'ERR_LEADER_CHANGED',
  'ERR_NOT_CAPABLE',
  'ERR_STOPPED',
  'ERR_UNHEALTHY',
  'ERR_CANCELED',
]);
const TIMED_OUT = new Set(['ERR_TIMEOUT', 'ERR_DEADLINE_EXCEEDED']);

export const LIST_TOO_OLD = 'The resourceVersion for the provided list is too old.';

/** What a failure of the store is to the client of the API. ApiErrors and bugs are passed on as they are. */
export function storeError(err: unknown): unknown {
  if (!(err instanceof KeelError)) return err;
  if (UNAVAILABLE.has(err.code)) return serviceUnavailable(err.message);
  if (TIMED_OUT.has(err.code)) return timeout(err.message);
  if (isTooLarge(err)) return new ApiError(413, 'RequestEntityTooLarge', err.message);
  if (err.code === 'ERR_TOO_MANY_REQUESTS') return tooManyRequests(err.message, 1);
  if (err.code === 'ERR_COMPACTED') return expired(LIST_TOO_OLD);
  return internalError(err.message);
}

/** Runs a request of the store; its KeelErrors come out as ApiErrors. */
export async function asApiError<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (err) {
    throw storeError(err);
  }
}

export function isCompacted(err: unknown): boolean {
  return err instanceof KeelError && err.code === 'ERR_COMPACTED';
}

export function isFuture(err: unknown): boolean {
  return err instanceof KeelError && err.code === 'ERR_FUTURE_REV';
}

/** Refused by a member, or by the client before it sent it. */
function isTooLarge(err: KeelError): boolean {
  return (
    err.code === 'ERR_REQUEST_TOO_LARGE' ||
    (err.code === 'ERR_RESOURCE_EXHAUSTED' && /larger than max/.test(err.message))
  );
}

/** A revision that the store has not come to, not even after a wait. */
export function tooLargeResourceVersion(asked: number, current: number): ApiError {
  return timeout(`Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/** A watch from before what is remembered. */
export function tooOldResourceVersion(asked: number, oldest: number): ApiError {
  return expired(`too old resource version: ${asked} (${oldest})`);
}
