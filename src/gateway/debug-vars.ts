import type { MemberApi } from '../server/index.js';
import { hex } from '../util/hex.js';
import type { HttpHandler } from './http.js';
import { onlyGet } from './http.js';
import { maxFiles } from './metrics/process.js';

/** GET /debug/vars: what Go's expvar tells of an etcd, as far as there is such a thing here. */
export function varsHandler(member: MemberApi): HttpHandler {
  return onlyGet((_, respond) => {
    const vars = {
      cmdline: process.argv,
      file_descriptor_limit: finite(maxFiles()),
      memstats: memory(),
      'raft.status': raftStatus(member),
    };
    const lines = Object.entries(vars).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
    const body = `{\n${lines.join(',\n')}\n}\n`;
    respond({ status: 200, headers: { 'Content-Type': 'application/json; charset=utf-8' }, body });
  });
}

/** V8's figures, under the names that Go has for the same. Bytes. */
function memory(): Record<string, number> {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    Alloc: heapUsed,
    Sys: rss,
    HeapAlloc: heapUsed,
    HeapSys: heapTotal,
    HeapIdle: heapTotal - heapUsed,
    HeapInuse: heapUsed,
    External: external,
    ArrayBuffers: arrayBuffers,
  };
}

function raftStatus(member: MemberApi): Record<string, unknown> {
  const { leader, raftTerm, raftAppliedIndex, isLearner } = member.status();
  const { isLeader, committedIndex } = member.figures();
  return {
    id: hex(member.memberId),
    term: raftTerm,
    commit: committedIndex,
    lead: hex(leader),
    raftState: isLeader ? 'StateLeader' : 'StateFollower',
    applied: raftAppliedIndex,
    isLearner,
  };
}

/** JSON has no infinity. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.MAX_SAFE_INTEGER;
}
