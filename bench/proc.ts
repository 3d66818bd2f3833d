import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux that Node runs on

/** @returns CPU time of a process and all its threads so far, user and system, in microseconds (Linux only) */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command in parentheses may hold anything; fields 14 and 15 are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
}

/** @returns resident memory in bytes */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
}

export interface ProcessMemory {
  resident: number;
  /** Of it, pages of mapped files: the system's cache, which it can take back; a store that is mapped counts there. */
  files: number;
}

export function processMemory(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
  return { resident: of('VmRSS'), files: of('RssFile') + of('RssShmem') };
}

/** What the figures were taken on, in one line each. */
export function machine(folder: string): Record<string, string> {
  return {
    cpu: `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    kernel: `${release()} ${arch()}`,
    node: process.version,
    disk: fileSystem(folder),
    load: readFileSync('/proc/loadavg', 'latin1').trim(),
  };
}

/** The kind of file system decides what an fsync costs. */
function fileSystem(folder: string): string {
  try {
    const lines = execFileSync('df', ['-T', folder], { encoding: 'utf8' }).trim().split('\n');
    const [device, type] = lines.at(-1)!.split(/\s+/);
    return `${type} on ${device}`;
  } catch {
    return 'unknown';
  }
}
