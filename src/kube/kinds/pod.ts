import type { KubeObject } from '../machinery/object.js';
import { AGE, age, NAME, NONE, nameOf, text, wide } from './columns.js';
import { defineKind } from './define.js';
import type { Cell, Kind, RowCondition, Subresource } from './kind.js';
import { listOf, within } from './loose.js';
import { setPodDefaults } from './pod-defaults.js';
import { isTerminal, summarizePod } from './pod-status.js';
import { validateEphemeralContainersUpdate, validatePodUpdate } from './pod-update.js';
import { validateNewPodSpec, validatePodSpec } from './pod-validation.js';
import { qosClassOf } from './qos-class.js';

const V1 = { group: '', version: 'v1' } as const;

const SUBRESOURCES: readonly Subresource[] = [
  { name: 'attach', exchanges: { ...V1, kind: 'PodAttachOptions' }, verbs: ['create', 'get'] },
  { name: 'binding', exchanges: { ...V1, kind: 'Binding' }, verbs: ['create'] },
  { name: 'ephemeralcontainers', verbs: ['get', 'patch', 'update'] },
  { name: 'eviction', exchanges: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
  { name: 'exec', exchanges: { ...V1, kind: 'PodExecOptions' }, verbs: ['create', 'get'] },
  { name: 'log', verbs: ['get'] },
  { name: 'portforward', exchanges: { ...V1, kind: 'PodPortForwardOptions' }, verbs: ['create', 'get'] },
  {
    name: 'proxy',
    exchanges: { ...V1, kind: 'PodProxyOptions' },
    verbs: ['create', 'delete', 'get', 'patch', 'update'],
  },
];

const GRACE_SECONDS = 30;

/** A pod that runs nowhere has nothing to end: it goes at once. */
function graceSeconds(pod: KubeObject, asked: number | undefined): number {
  if (!pod.spec?.nodeName || isTerminal(pod)) return 0;
  const grace = asked ?? pod.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS;
  return grace < 0 ? 1 : grace;
}

/** On its way into the store for the first time. */
function isNew(pod: KubeObject): boolean {
  return pod.status?.qosClass !== undefined && pod.metadata.resourceVersion === undefined;
}

function rowConditions(pod: KubeObject): RowCondition[] {
  const phase = pod.status?.phase;
  if (phase === 'Succeeded') {
    const message = 'The pod has completed successfully.';
    return [{ type: 'Completed', status: 'True', reason: phase, message }];
  }
  if (phase !== 'Failed') return [];
  return [{ type: 'Completed', status: 'True', reason: phase, message: 'The pod failed.' }];
}

function readinessGates(pod: KubeObject): string {
  const gates = listOf(pod.spec?.readinessGates);
  if (gates.length === 0) return NONE;
  const conditions = listOf(pod.status?.conditions);
  const met = gates.filter((gate) => conditions.some((c) => c.type === gate.conditionType && c.status === 'True'));
  return `${met.length}/${gates.length}`;
}

function cells(pod: KubeObject, now: number): Cell[] {
  const { ready, status, restarts } = summarizePod(pod, now);
  const ip = listOf(pod.status?.podIPs)[0]?.ip || pod.status?.podIP || NONE;
  const node = pod.spec?.nodeName || NONE;
  const nominated = pod.status?.nominatedNodeName || NONE;
  return [nameOf(pod), ready, status, restarts, age(pod, now), ip, node, nominated, readinessGates(pod)];
}

export const podKind: Kind = defineKind({
  ...V1,
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  description: 'Pod is a group of containers that run together on one node.',
  hasStatus: true,
  hasGeneration: true,
  subresources: SUBRESOURCES,
  deleteReturnsObject: true,
  setDefaults(object) {
    setPodDefaults(within(object, 'spec'));
    // Not in prepareForCreate: admission may still add requests and limits, and defaults come once more after that.
    if (isNew(object)) object.status.qosClass = qosClassOf(object.spec);
  },
  prepareForCreate(object) {
    object.status = { phase: 'Pending', qosClass: qosClassOf(object.spec) };
    if (listOf(object.spec?.schedulingGates).length > 0) {
      const message = 'Scheduling is blocked due to non-empty scheduling gates';
      object.status.conditions = [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message }];
    }
  },
  prepareForStatusUpdate(object, old) {
    within(object, 'status').qosClass = old.status?.qosClass ?? qosClassOf(old.spec);
  },
  validate: (object) => validatePodSpec(object.spec, 'spec'),
  validateCreate: (object) => validateNewPodSpec(object.spec, 'spec'),
  validateUpdate: validatePodUpdate,
  validatePartUpdate: (object, old, subresource) =>
    subresource === 'ephemeralcontainers' ? validateEphemeralContainersUpdate(object, old) : [],
  graceSeconds,
  fieldSelectors: {
    'spec.hostNetwork': (pod) => String(pod.spec?.hostNetwork === true),
    'spec.nodeName': (pod) => pod.spec?.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => listOf(pod.status?.podIPs)[0]?.ip ?? pod.status?.podIP ?? '',
    'status.podIPs': (pod) =>
      listOf(pod.status?.podIPs)
        .map((entry) => entry.ip)
        .join(','),
  },
  columns: [
    NAME,
    text('Ready', 'Containers that are ready, of all.'),
    text('Status', 'What the pod is doing, in a word.'),
    text('Restarts', 'How often its containers were started again, and when last.'),
    AGE,
    wide(text('IP', 'Address of the pod.')),
    wide(text('Node', 'Where it runs.')),
    wide(text('Nominated Node', 'Where it will run when others have made room.')),
    wide(text('Readiness Gates', 'Further conditions that are met, of all that are asked for.')),
  ],
  cells,
  rowConditions,
});
