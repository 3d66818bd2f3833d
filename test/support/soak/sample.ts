import { readdirSync, readFileSync } from 'node:fs';
import type { Cluster, Member } from '../cluster.js';

/** What one member looked like at one moment. */
export interface Sample {
  readonly member: string;
  /** ms since the run began */
  readonly at: number;
  readonly residentBytes: number;
  /** What the last full garbage collection left; 0: there was none yet. */
  readonly heapBytes: number;
  readonly fds: number;
  readonly threads: number;
  /** How long a Status call took, ms: the loop's delay, and a little more. */
  readonly statusMs: number;
  readonly revision: number;
  /** Applied entries behind the member that is furthest. */
  readonly lag: number;
  readonly dbBytes: number;
}

/** One sample of every member. @param began performance.now() of the run's begin */
export async function sampleAll(cluster: Cluster, began: number): Promise<Sample[]> {
  const seen = await Promise.all(cluster.members.map((member) => look(cluster, member)));
  const furthest = Math.max(...seen.map(({ status }) => status.raftAppliedIndex));
  return seen.map(({ member, statusMs, status }) => ({
    member: member.name,
    at: performance.now() - began,
    ...processFigures(member),
    statusMs,
    revision: status.revision,
    lag: furthest - status.raftAppliedIndex,
    dbBytes: status.dbSize,
  }));
}

async function look(cluster: Cluster, member: Member) {
  const start = performance.now();
  const status = await cluster.client(member.name).status(5000);
  if (!status.ok) throw new Error(`${member.name} does not answer: ${status.error.message}`);
  return { member, statusMs: performance.now() - start, status: status.value };
}

/** From /proc: Linux only. */
function processFigures({ name, process }: Member): Pick<Sample, 'residentBytes' | 'heapBytes' | 'fds' | 'threads'> {
  const { pid } = process;
  if (pid === undefined) throw new Error(`${name} is gone`);
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (what: string): number => Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    residentBytes: field('VmRSS') * 1024,
    heapBytes: lastHeap(process.log()),
    fds: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
  };
}

/** From V8's --trace-gc: `Mark-Compact 20.1 (30.2) -> 10.4 (28.1) MB`. */
function lastHeap(log: string): number {
  const at = log.lastIndexOf('Mark-Compact');
  const match = at < 0 ? null : /-> (\d+\.\d+) \(/.exec(log.slice(at, at + 200));
  return match === null ? 0 : Number(match[1]) * 2 ** 20;
}

/** By the line that fits best. */
export interface Growth {
  /** In the time of the points. */
  readonly mib: number;
  readonly percentPerHour: number;
}

export function growth(points: readonly { at: number; bytes: number }[]): Growth {
  const n = points.length;
  const meanX = points.reduce((sum, p) => sum + p.at, 0) / n;
  const meanY = points.reduce((sum, p) => sum + p.bytes, 0) / n;
  let xy = 0;
  let xx = 0;
  for (const { at, bytes } of points) {
    xy += (at - meanX) * (bytes - meanY);
    xx += (at - meanX) ** 2;
  }
  if (xx === 0) return { mib: 0, percentPerHour: 0 };
  const perMs = xy / xx;
  const time = points[n - 1]!.at - points[0]!.at;
  return { mib: (perMs * time) / 2 ** 20, percentPerHour: (100 * perMs * 3.6e6) / meanY };
}
