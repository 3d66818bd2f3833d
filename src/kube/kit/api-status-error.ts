import type { Status, StatusDetails } from '../machinery/api-error.js';

/** The server's refusal, as a client sees it. `reason` is made for programs: `NotFound`, `Conflict`, `AlreadyExists` ... */
export class ApiStatusError extends Error {
  override readonly name = 'ApiStatusError';
  /** HTTP's. */
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  static from(code: number, status: Partial<Status>): ApiStatusError {
    return new ApiStatusError(
      status.code ?? code,
      status.reason ?? 'Unknown',
      status.message ?? `HTTP ${code}`,
      status.details,
    );
  }
}

function reasonOf(err: unknown): string {
  return err instanceof ApiStatusError ? err.reason : '';
}
export const isNotFound = (err: unknown): boolean => reasonOf(err) === 'NotFound';
export const isConflict = (err: unknown): boolean => reasonOf(err) === 'Conflict';
export const isAlreadyExists = (err: unknown): boolean => reasonOf(err) === 'AlreadyExists';
/** 410: the version is no longer kept. */
export const isExpired = (err: unknown): boolean => err instanceof ApiStatusError && err.code === 410;
/** A create in a namespace that is being deleted: not worth a retry. */
export const isNamespaceTerminating = (err: unknown): boolean =>
  err instanceof ApiStatusError && (err.details?.causes ?? []).some((c) => c.reason === 'NamespaceTerminating');

/** What a call answers, or null where it is not there. */
export async function orNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (err) {
    if (isNotFound(err)) return null;
    throw err;
  }
}
