/** What a pod as a whole asks for. Source: kubernetes pod resources, sidecar containers, pod overhead. */
import type { KubeObject } from '../machinery/object.js';
import type { Container } from './pod.js';
import { containersOf, initContainersOf } from './pod.js';
import type { Amounts } from './resource-amounts.js';
import { add, amountsOf, greatest, NONE } from './resource-amounts.js';

/**
 * Containers run side by side, so theirs add up; init containers run one after another before them, beside the
 * sidecars started so far, so the greatest need of any moment counts.
 */
function total(pod: KubeObject, of: (container: Container) => Amounts): Amounts {
  let running = NONE;
  for (const container of containersOf(pod)) running = add(running, of(container));
  let sidecars = NONE;
  let starting = NONE;
  for (const container of initContainersOf(pod)) {
    const own = of(container);
    if (container.restartPolicy === 'Always') {
      sidecars = add(sidecars, own);
      starting = greatest(starting, sidecars);
    } else {
      starting = greatest(starting, add(own, sidecars));
    }
  }
  return greatest(add(running, sidecars), starting);
}

export function podRequests(pod: KubeObject): Amounts {
  const requests = total(pod, ({ resources }) => amountsOf(resources?.requests));
  return add(requests, amountsOf(pod.spec?.overhead));
}

export function podLimits(pod: KubeObject): Amounts {
  const limits = total(pod, ({ resources }) => amountsOf(resources?.limits));
  const overhead = amountsOf(pod.spec?.overhead);
  // Without a limit there is none, also when the overhead is known.
  return new Map([...add(limits, overhead)].filter(([name]) => limits.has(name)));
}
