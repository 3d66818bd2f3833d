/** The ReplicaSets of a Deployment as values: which is the new one, how one is made, what it is annotated with. */
import { controllerRef } from '../../kit/index.js';
import type { KubeObject } from '../../machinery/object.js';
import { POD_TEMPLATE_HASH, podTemplateHash, sameTemplate } from '../pod-template-hash.js';
import { byAge } from '../pods.js';
import {
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  maxSurge,
  numberIn,
  REVISION,
  REVISION_HISTORY,
  replicasOf,
  revisionOf,
} from './numbers.js';

/** What a set does not take over from its Deployment. */
const OWN_ANNOTATIONS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);
/** Characters; older revisions are forgotten before. */
const HISTORY_MAX = 2000;

/** The oldest set of the present template; more of them can only be by hand, or of an older hash. */
export function findNewSet(deployment: KubeObject, sets: readonly KubeObject[]): KubeObject | undefined {
  return [...sets].sort(byAge).find((set) => sameTemplate(set.spec?.template, deployment.spec?.template));
}

export function highestRevision(sets: readonly KubeObject[]): number {
  return Math.max(0, ...sets.map(revisionOf));
}

export function newSetOf(deployment: KubeObject, collisions: number | undefined): KubeObject {
  const template = structuredClone(deployment.spec.template);
  const hash = podTemplateHash(template, collisions);
  const labels = { ...template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
  template.metadata = { ...template.metadata, labels };
  const selector = structuredClone(deployment.spec.selector);
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      ownerReferences: [controllerRef(deployment)],
    },
    spec: {
      replicas: 0,
      ...(deployment.spec.minReadySeconds ? { minReadySeconds: deployment.spec.minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [POD_TEMPLATE_HASH]: hash } },
      template,
    },
  };
}

/** Annotations of the new set: the Deployment's, and the revision, which only grows. */
export function newSetAnnotations(deployment: KubeObject, set: KubeObject, revision: number): Record<string, string> {
  const annotations: Record<string, string> = { ...set.metadata.annotations };
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!OWN_ANNOTATIONS.has(name)) annotations[name] = value;
  }
  const before = numberIn(set, REVISION);
  if (before !== undefined && before >= revision) return annotations;
  annotations[REVISION] = String(revision);
  if (before !== undefined) {
    const history = [...(annotations[REVISION_HISTORY]?.split(',') ?? []), String(before)];
    while (history.join(',').length > HISTORY_MAX) history.shift();
    annotations[REVISION_HISTORY] = history.join(',');
  }
  return annotations;
}

/** What a set was last scaled under: a change of it later is told by it. */
export function sizeAnnotations(deployment: KubeObject): Record<string, string> {
  const replicas = replicasOf(deployment);
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + maxSurge(deployment)) };
}

/** The Deployment was scaled since its sets were. */
export function isScaled(deployment: KubeObject, sets: readonly KubeObject[]): boolean {
  return sets.some((set) => {
    const desired = numberIn(set, DESIRED_REPLICAS);
    return replicasOf(set) > 0 && desired !== undefined && desired !== replicasOf(deployment);
  });
}

/** Oldest revisions beyond the limit, of those that are empty and settled. */
export function surplus(deployment: KubeObject, oldSets: readonly KubeObject[]): KubeObject[] {
  const limit = deployment.spec?.revisionHistoryLimit;
  if (limit === undefined || limit === null) return [];
  const alive = oldSets.filter((set) => set.metadata.deletionTimestamp === undefined);
  if (alive.length <= limit) return [];
  return [...alive]
    .sort((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b))
    .slice(0, alive.length - limit)
    .filter(
      (set) =>
        replicasOf(set) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    );
}
