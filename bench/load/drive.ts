import type { Call } from './connection.js';
import { LoadConnection } from './connection.js';
import { Histogram } from './histogram.js';

export interface Request {
  path: string;
  message: Buffer;
}

export interface DriveResult {
  done: number;
  failed: number;
  /** Milliseconds from the first request to the last answer that counts. */
  elapsedMs: number;
  latency: Histogram;
}

export interface DriveOptions {
  host: string;
  port: number;
  connections: number;
  durationMs: number;
  /** The n-th request. */
  next: (n: number) => Request;
}

/** Closed loop: each of `streams` per connection sends its next request when it has its answer. */
export async function driveClosed(options: DriveOptions & { streams: number }): Promise<DriveResult> {
  const { streams, durationMs, next } = options;
  const latency = new Histogram();
  let issued = 0;
  let failed = 0;
  let done = 0;
  let running = true;
  const result = await withConnections(options, async (all, fail) => {
    const began = performance.now();
    const issue = (connection: LoadConnection, call: Call) => {
      const { path, message } = next(issued++);
      call.at = performance.now();
      call.gotData = false;
      call.failed = false;
      connection.call(path, message, call);
    };
    for (const connection of all) {
      connection.onEnd = (call) => {
        done++;
        if (call.failed) failed++;
        latency.record(performance.now() - call.at);
        if (running) issue(connection, call);
      };
      for (let i = 0; i < streams; i++) issue(connection, newCall());
    }
    await Promise.race([delay(durationMs), fail]);
    running = false;
    const elapsedMs = performance.now() - began;
    const counted = done;
    await drained(all, fail);
    return { elapsedMs, counted };
  });
  return { done: result.counted, failed, elapsedMs: result.elapsedMs, latency };
}

/**
 * Open loop: requests are due at a fixed rate whether or not the last one was answered, and their latency counts from
 * when they were due, so that a stall is seen by all that it keeps waiting.
 */
export async function driveAtRate(options: DriveOptions & { perSecond: number }): Promise<DriveResult> {
  const { durationMs, perSecond, next } = options;
  const latency = new Histogram();
  let issued = 0;
  let failed = 0;
  let done = 0;
  const total = Math.floor((durationMs / 1000) * perSecond);
  const elapsedMs = await withConnections(options, async (all, fail) => {
    const began = performance.now();
    for (const connection of all) {
      connection.onEnd = (call) => {
        done++;
        if (call.failed) failed++;
        latency.record(performance.now() - call.at);
      };
    }
    const pace = async () => {
      while (issued < total) {
        const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * perSecond) + 1);
        for (; issued < due; issued++) {
          const { path, message } = next(issued);
          const call = newCall();
          call.at = began + (issued / perSecond) * 1000;
          all[issued % all.length]!.call(path, message, call);
        }
        await delay(1);
      }
      await drained(all, fail);
    };
    await Promise.race([pace(), fail]);
    return performance.now() - began;
  });
  return { done, failed, elapsedMs, latency };
}

export function newCall(): Call {
  return { at: 0, tag: 0, gotData: false, failed: false, onData: null };
}

/** Opens the connections, runs the body, closes them. @param body gets a promise that rejects when one breaks */
export async function withConnections<T>(
  { host, port, connections }: { host: string; port: number; connections: number },
  body: (all: LoadConnection[], fail: Promise<never>) => Promise<T>,
): Promise<T> {
  const all = Array.from({ length: connections }, () => new LoadConnection(host, port));
  const fail = new Promise<never>((_, reject) => {
    for (const connection of all) connection.onError = reject;
  });
  fail.catch(() => {}); // whoever races it sees it
  try {
    return await body(all, fail);
  } finally {
    for (const connection of all) connection.close();
  }
}

/** Waits until nothing is in flight, so that the next round finds a server at rest. */
async function drained(all: readonly LoadConnection[], fail: Promise<never>, timeoutMs = 10_000): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (all.some((connection) => connection.inFlight > 0)) {
    if (performance.now() > until) throw new Error(`answers are missing after ${timeoutMs} ms`);
    await Promise.race([delay(5), fail]);
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
