/** Time as the registry needs it; tests hand in their own. */
export interface Timers {
  /** ms, from any fixed point. */
  now(): number;
  set(ms: number, fn: () => void): unknown;
  clear(handle: unknown): void;
}

/** The process' own. They do not keep it alive. */
export const realTimers: Timers = {
  now: () => performance.now(),
  set: (ms, fn) => setTimeout(fn, ms).unref(),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

export function sleep(timers: Timers, ms: number): Promise<void> {
  return new Promise((resolve) => timers.set(ms, resolve));
}
