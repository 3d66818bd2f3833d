import type { MemberApi } from '../server/index.js';
import { alarmName } from './alarm-name.js';
import type { HttpHandler, HttpResponse } from './http.js';
import { httpError, onlyGet, plain } from './http.js';
import type { HealthCounts } from './metrics/health.js';
import { tryRead } from './reads.js';

/**
 * GET /health: alarms, then the leader, then a read (etcd operations §2). `exclude=NOSPACE` leaves an alarm out,
 * `serializable=true` the leader and the quorum.
 */
export function healthHandler(member: MemberApi, counts: HealthCounts): HttpHandler {
  return onlyGet((request, answer) => {
    const respond = (response: HttpResponse): void => {
      if (response.status === 200) counts.success++;
      else counts.failures++;
      answer(response);
    };
    const excluded = new Set(request.query.getAll('exclude'));
    const serializable = request.query.get('serializable') === 'true';
    const alarm = member.alarms().find((active) => !excluded.has(alarmName(active.alarm)));
    if (alarm !== undefined) return respond(unhealthy(`ALARM ${alarmName(alarm.alarm)}`));
    if (!serializable && !member.hasLeader) return respond(unhealthy('RAFT NO LEADER'));
    tryRead(member, serializable, (failure) => {
      respond(failure === null ? plain(200, healthJson('true', '')) : unhealthy(`RANGE ERROR:${failure}`));
    });
  });
}

function unhealthy(reason: string): HttpResponse {
  return httpError(503, healthJson('false', reason));
}

function healthJson(health: string, reason: string): string {
  return JSON.stringify({ health, reason });
}
