import type { CallContext } from './api.js';
import type { ServerError } from './errors.js';
import { refusal } from './errors.js';

/** Whether a call's answer is waited for no longer. @param now ms, monotonic @param ctx null: the member's own, which is */
export function callIsOver(ctx: CallContext | null, now: number): boolean {
  return ctx !== null && (ctx.isOver === true || (ctx.deadline > 0 && ctx.deadline <= now));
}

/** What such a call is told, where anybody still listens. */
export function overError(ctx: CallContext | null, now: number): ServerError {
  return refusal(ctx !== null && ctx.deadline > 0 && ctx.deadline <= now ? 'ERR_DEADLINE' : 'ERR_CANCELED');
}
