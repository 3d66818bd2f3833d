import { statusOf } from '../rpc/index.js';
import type { MemberApi, ServerError } from '../server/index.js';
import { ON_ITS_OWN } from '../server/index.js';
import { makeRangeRequest } from '../wire/index.js';

/** Whether the member can read: one key without its value, for itself and not in a user's name. */
export function tryRead(member: MemberApi, serializable: boolean, cb: (failure: string | null) => void): void {
  const request = { ...makeRangeRequest(), key: '\0', rangeEnd: '\0', limit: 1, keysOnly: true, serializable };
  member.range(request, ON_ITS_OWN, { ok: () => cb(null), fail: (err: ServerError) => cb(statusOf(err).message) });
}
