import type { MemberApi } from '../server/index.js';
import type { UnaryCall } from './call.js';

type Run<Req> = (member: MemberApi, request: Req, call: UnaryCall) => void;

/** A handler that root alone may reach while auth is on. */
export function asRoot<Req>(run: Run<Req>): Run<Req> {
  return (member, request, call) => member.guard.asRoot(call, call, () => run(member, request, call));
}

/** A handler that any user may reach. */
export function asUser<Req>(run: Run<Req>): Run<Req> {
  return (member, request, call) => member.guard.asUser(call, call, () => run(member, request, call));
}
