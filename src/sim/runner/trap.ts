/**
 * While a simulation runs, nothing in the process may look at the real machine: clocks, timers and random numbers
 * throw. A run is one synchronous call, so nobody else is in the way.
 */
export function withTrap<T>(fn: () => T): T {
  const restore: (() => void)[] = [];
  const trap = (object: object, key: string): void => {
    const before = Object.getOwnPropertyDescriptor(object, key);
    if (before === undefined) return;
    const value = trapped(key);
    Object.defineProperty(object, key, {
      configurable: true,
      writable: true,
      enumerable: before.enumerable ?? false,
      value,
    });
    restore.push(() => Object.defineProperty(object, key, before));
  };
  const globals = ['Date', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'performance'];
  for (const key of globals) trap(globalThis, key);
  trap(Math, 'random');
  trap(process, 'nextTick');
  trap(process, 'hrtime');
  try {
    return fn();
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}

function trapped(key: string): unknown {
  const thrower = (): never => {
    throw new Error(`the simulated program reached for ${key} of the real machine`);
  };
  // Also what hangs on it: Date.now, performance.now, hrtime.bigint.
  return new Proxy(function real() {}, { apply: thrower, construct: thrower, get: thrower });
}
