/** How an amount can be against a LimitRange; the texts are those of refusals. Source: kubernetes limit ranges. */
import type { Quantity } from '../machinery/quantity.js';
import { compareQuantities, formatQuantity, quantityMillis } from '../machinery/quantity.js';
import type { Amounts } from './resource-amounts.js';

/** One bound of one resource: `Container`, `Pod`, `PersistentVolumeClaim`. */
interface Bound {
  readonly type: string;
  readonly resource: string;
  readonly enforced: Quantity;
}

function words({ type, resource, enforced }: Bound, which: 'maximum' | 'minimum'): string {
  return `${which} ${resource} usage per ${type} is ${formatQuantity(enforced)}`;
}

export function belowMinimum(bound: Bound, requests: Amounts, limits: Amounts): string | null {
  const request = requests.get(bound.resource);
  const limit = limits.get(bound.resource);
  const text = words(bound, 'minimum');
  if (request === undefined) return `${text}.  No request is specified`;
  if (compareQuantities(request, bound.enforced) < 0) return `${text}, but request is ${formatQuantity(request)}`;
  if (limit !== undefined && compareQuantities(limit, bound.enforced) < 0) {
    return `${text}, but limit is ${formatQuantity(limit)}`;
  }
  return null;
}

export function aboveMaximum(bound: Bound, requests: Amounts, limits: Amounts): string | null {
  const request = requests.get(bound.resource);
  const limit = limits.get(bound.resource);
  const text = words(bound, 'maximum');
  if (limit === undefined) return `${text}.  No limit is specified`;
  if (compareQuantities(limit, bound.enforced) > 0) return `${text}, but limit is ${formatQuantity(limit)}`;
  if (request !== undefined && compareQuantities(request, bound.enforced) > 0) {
    return `${text}, but request is ${formatQuantity(request)}`;
  }
  return null;
}

/** Of what has requests only: claims. */
export function aboveMaximumRequest(bound: Bound, requests: Amounts): string | null {
  const request = requests.get(bound.resource);
  const text = words(bound, 'maximum');
  if (request === undefined) return `${text}.  No request is specified`;
  return compareQuantities(request, bound.enforced) > 0 ? `${text}, but request is ${formatQuantity(request)}` : null;
}

export function aboveRatio(bound: Bound, requests: Amounts, limits: Amounts): string | null {
  const request = requests.get(bound.resource);
  const limit = limits.get(bound.resource);
  const text = `${bound.resource} max limit to request ratio per ${bound.type} is ${formatQuantity(bound.enforced)}`;
  if (request === undefined || request.nanos === 0n) return `${text}, but no request is specified or request is 0`;
  if (limit === undefined || limit.nanos === 0n) return `${text}, but no limit is specified or limit is 0`;
  const ratio = Number(limit.nanos) / Number(request.nanos);
  return ratio * 1000 > Number(quantityMillis(bound.enforced))
    ? `${text}, but provided ratio is ${ratio.toFixed(6)}`
    : null;
}
