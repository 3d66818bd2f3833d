import { readdirSync, readFileSync } from 'node:fs';
import type { Metrics } from './pulled.js';

const MICRO = 1e-6;

/**
 * The process, in the names of Prometheus' own clients. `etcdctl check datascale` and the dashboards read
 * process_resident_memory_bytes. Where there is no /proc, what it tells is left at 0.
 */
export function processMetrics(metrics: Metrics): void {
  const startedAt = Date.now() / 1000 - process.uptime();
  metrics.counter('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) * MICRO;
  });
  metrics.gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', () => process.memoryUsage.rss());
  metrics.gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.', virtualBytes);
  metrics.gauge('process_open_fds', 'Number of open file descriptors.', openFiles);
  metrics.gauge('process_max_fds', 'Maximum number of open file descriptors.', maxFiles);
  metrics.gauge(
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
    () => startedAt,
  );
  metrics.gauge('os_fd_used', 'The number of used file descriptors.', openFiles);
  metrics.gauge('os_fd_limit', 'The file descriptor limit.', maxFiles);
}

function virtualBytes(): number {
  const kilobytes = /^VmSize:\s*(\d+) kB$/m.exec(read('/proc/self/status'))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

export function maxFiles(): number {
  const limit = /^Max open files\s+(\S+)/m.exec(read('/proc/self/limits'))?.[1] ?? '0';
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

function openFiles(): number {
  try {
    // The folder itself is open while it is read.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return 0;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
