/** The quality-of-service class, made of requests and limits: it decides who is evicted first. */
import type { Loose } from './loose.js';
import { entriesOf, listOf } from './loose.js';
import { nanosOf } from './quantities.js';

const COUNTED = ['cpu', 'memory'];

function addAll(sums: Map<string, bigint>, amounts: Loose): void {
  for (const [name, quantity] of entriesOf(amounts)) {
    const nanos = nanosOf(quantity);
    if (COUNTED.includes(name) && nanos > 0n) sums.set(name, (sums.get(name) ?? 0n) + nanos);
  }
}

export function qosClassOf(podSpec: Loose): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const requests = new Map<string, bigint>();
  const limits = new Map<string, bigint>();
  let allLimited = true;
  for (const { resources } of [...listOf(podSpec?.containers), ...listOf(podSpec?.initContainers)]) {
    addAll(requests, resources?.requests);
    addAll(limits, resources?.limits);
    if (COUNTED.some((name) => nanosOf(resources?.limits?.[name]) <= 0n)) allLimited = false;
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const equal = [...limits].every(([name, nanos]) => (requests.get(name) ?? nanos) === nanos);
  return allLimited && equal && requests.size <= limits.size ? 'Guaranteed' : 'Burstable';
}
