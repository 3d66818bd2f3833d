/**
 * Loaded into our members by the bench (`node --import`): how long the event loop is held up. The first SIGUSR2 begins,
 * the next one writes what was seen to the file named by KEEL_BENCH_PROBE, under this process's id, and ends.
 *
 * On a machine whose cores are shared a loop is late because it was not given a core, too. The kernel says how long the
 * thread waited for one (/proc/thread-self/schedstat), so both are told: the delay, and the delay without that wait.
 */
import { closeSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';

const EVERY_MS = 2;
const buffer = Buffer.alloc(64);
let running = null;

function waitedMs(fd) {
  const length = readSync(fd, buffer, 0, buffer.length, 0);
  return Number(buffer.latin1Slice(0, length).split(' ')[1]) / 1e6;
}

function start() {
  const fd = openSync('/proc/thread-self/schedstat', 'r');
  const seen = { samples: 0, delays: [], own: [], gc: {}, began: performance.now() };
  let at = performance.now();
  let waited = waitedMs(fd);
  const timer = setInterval(() => {
    const now = performance.now();
    const nowWaited = waitedMs(fd);
    const delay = now - at - EVERY_MS;
    const own = delay - (nowWaited - waited);
    seen.samples++;
    if (delay > 5) seen.delays.push(delay);
    if (own > 5) seen.own.push(own);
    at = now;
    waited = nowWaited;
  }, EVERY_MS);
  timer.unref();
  const observer = new PerformanceObserver((list) => {
    for (const { detail, duration } of list.getEntries()) {
      const kind = seen.gc[detail.kind] ?? { count: 0, totalMs: 0, maxMs: 0 };
      kind.count++;
      kind.totalMs += duration;
      kind.maxMs = Math.max(kind.maxMs, duration);
      seen.gc[detail.kind] = kind;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => {
    clearInterval(timer);
    observer.disconnect();
    closeSync(fd);
    const top = (list) => list.sort((a, b) => b - a).slice(0, 10);
    const over = (list, ms) => list.filter((delay) => delay > ms).length;
    return {
      seconds: (performance.now() - seen.began) / 1000,
      over20: { raw: over(seen.delays, 20), own: over(seen.own, 20) },
      worst: { raw: top(seen.delays), own: top(seen.own) },
      gc: seen.gc,
      memory: process.memoryUsage(),
    };
  };
}

process.on('SIGUSR2', () => {
  if (running === null) {
    running = start();
    return;
  }
  const file = `${process.env.KEEL_BENCH_PROBE}.${process.pid}`;
  writeFileSync(`${file}.tmp`, JSON.stringify(running()));
  renameSync(`${file}.tmp`, file);
  running = null;
});
