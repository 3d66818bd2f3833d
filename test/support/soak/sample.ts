import { readdirSync, readFileSync } from 'node:fs';
import type { Cluster, Member } from '../cluster.js';

/** What one member looked like at one moment. */
export interface Sample {
  readonly member: string;
  /** ms since the run began */
  readonly at: number;
  readonly residentBytes: number;
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
function processFigures({ name, process }: Member): { residentBytes: number; fds: number; threads: number } {
  const { pid } = process;
  if (pid === undefined) throw new Error(`${name} is gone`);
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (what: string): number => Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    residentBytes: field('VmRSS') * 1024,
    fds: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
  };
}

/** @returns bytes a millisecond: the slope of the line that fits best */
export function slope(points: readonly { at: number; residentBytes: number }[]): number {
  const n = points.length;
  if (n < 2) return 0;
  const meanX = points.reduce((sum, p) => sum + p.at, 0) / n;
  const meanY = points.reduce((sum, p) => sum + p.residentBytes, 0) / n;
  let xy = 0;
  let xx = 0;
  for (const { at, residentBytes } of points) {
    xy += (at - meanX) * (residentBytes - meanY);
    xx += (at - meanX) ** 2;
  }
  return xx === 0 ? 0 : xy / xx;
}
