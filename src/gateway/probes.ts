import type { MemberApi } from '../server/index.js';
import type { Logger } from '../util/log.js';
import { AlarmType } from '../wire/index.js';
import type { HttpHandler } from './http.js';
import { httpError, onlyGet } from './http.js';
import type { HealthCounts } from './metrics/health.js';
import { tryRead } from './reads.js';

/** One thing that has to be true. Calls back with why it is not, or null. */
export interface Check {
  readonly name: string;
  readonly run: (member: MemberApi, cb: (failure: string | null) => void) => void;
}

const dataCorruption: Check = {
  name: 'data_corruption',
  run: (member, cb) => {
    const corrupt = member.alarms().some(({ alarm }) => alarm === AlarmType.CORRUPT);
    cb(corrupt ? 'alarm activated: CORRUPT' : null);
  },
};
const serializableRead: Check = {
  name: 'serializable_read',
  run: (member, cb) => tryRead(member, true, cb),
};
const linearizableRead: Check = {
  name: 'linearizable_read',
  run: (member, cb) => tryRead(member, false, cb),
};
const nonLearner: Check = {
  name: 'non_learner',
  run: (member, cb) => cb(member.isLearner ? 'not supported for learner' : null),
};

/** The process works. */
export const LIVEZ: readonly Check[] = [serializableRead];
/** It may be sent requests. A full quota does not make it unready: reads and deletes are served. */
export const READYZ: readonly Check[] = [dataCorruption, serializableRead, linearizableRead, nonLearner];

/**
 * /livez and /readyz, and below them one path a check (etcd operations §2). `exclude=name` leaves checks out; a success
 * lists them with `verbose`, a failure always.
 */
export function probeHandler(
  member: MemberApi,
  type: string,
  checks: readonly Check[],
  log: Logger,
  counts: HealthCounts,
): HttpHandler {
  return onlyGet((request, respond) => {
    const excluded = new Set(request.query.getAll('exclude').filter((name) => name !== ''));
    const wanted = checks.filter((check) => !excluded.delete(check.name));
    if (excluded.size > 0)
      log.warn('some health checks cannot be excluded', { 'missing-health-checks': [...excluded] });
    const count = (name: string, ok: boolean): void => counts.checked(type, name, ok);
    runAll(member, wanted, count, (lines, failed) => {
      if (failed) return respond(httpError(503, lines));
      respond(httpError(200, request.query.has('verbose') ? `${lines}ok` : 'ok'));
    });
  });
}

/** In parallel, told in their order. */
function runAll(
  member: MemberApi,
  checks: readonly Check[],
  count: (name: string, ok: boolean) => void,
  cb: (lines: string, failed: boolean) => void,
): void {
  const lines = checks.map(() => '');
  let left = checks.length;
  let failed = false;
  if (left === 0) return cb('', false);
  checks.forEach((check, i) => {
    check.run(member, (failure) => {
      count(check.name, failure === null);
      lines[i] = failure === null ? `[+]${check.name} ok\n` : `[-]${check.name} failed: ${failure}\n`;
      if (failure !== null) failed = true;
      if (--left === 0) cb(lines.join(''), failed);
    });
  });
}
