/**
 * Checks an invariant that only a bug of ours can break. On in production: a failed assertion
 * stops the member (the caller's outermost frame hands it to `Env.fatal`).
 * @param detail a message, or a function that builds one only when it is needed
 */
export function assert(cond: unknown, detail: string | (() => string)): asserts cond {
  if (!cond) throw new AssertionError(typeof detail === 'string' ? detail : detail());
}

/** Ends a switch whose cases are meant to be exhaustive. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}

/** Asserts that a number we wrote ourselves is an integer that a double holds exactly. */
export function assertSafe(n: number, what: string): void {
  if (!Number.isSafeInteger(n)) throw new AssertionError(`${what} is not a safe integer: ${n}`);
}

export class AssertionError extends Error {
  override readonly name = 'AssertionError';
  readonly code = 'ERR_ASSERTION';
}
