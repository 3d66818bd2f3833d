/** What a ReplicaSet tells of its pods. */
import { labelSelectorOfMap, matchesLabels } from '../../machinery/label-selector.js';
import type { KubeObject, Loose } from '../../machinery/object.js';
import { isAvailable, isReady } from '../pods.js';

export interface Failure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/** @param pods its active ones */
export function replicaStatus(
  set: KubeObject,
  pods: readonly KubeObject[],
  failure: Failure | null,
  now: number,
): Loose {
  const template: Record<string, string> = set.spec?.template?.metadata?.labels ?? {};
  const full = labelSelectorOfMap(template);
  const old: { type: string }[] = set.status?.conditions ?? [];
  let conditions: unknown[] = old.filter((condition) => condition.type !== 'ReplicaFailure');
  if (failure !== null) {
    // The first failure keeps its word until there is none.
    const known = old.find((condition) => condition.type === 'ReplicaFailure');
    const lastTransitionTime = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
    conditions = [...conditions, known ?? { type: 'ReplicaFailure', status: 'True', lastTransitionTime, ...failure }];
  }
  return {
    replicas: pods.length,
    fullyLabeledReplicas: pods.filter((pod) => matchesLabels(full, pod.metadata.labels)).length,
    readyReplicas: pods.filter(isReady).length,
    availableReplicas: pods.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds, now)).length,
    observedGeneration: set.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}
