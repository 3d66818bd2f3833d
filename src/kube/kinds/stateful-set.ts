import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid } from '../machinery/field-error.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, NAME, nameOf, text, WORKLOAD_COLUMNS, workloadCells } from './columns.js';
import { defineKind } from './define.js';
import { notNegative, oneOf, validateHundredAtMost, validateIntOrPercent } from './field-rules.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { fill, fillText, listOf, same, within } from './loose.js';
import { setTemplateDefaults } from './pod-defaults.js';
import { SCALE, validateSelectorAndTemplate } from './workload.js';

const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];
const FORBIDDEN =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function setDefaults(object: KubeObject): void {
  const spec = within(object, 'spec');
  fill(spec, 'replicas', 1);
  fillText(spec, 'podManagementPolicy', 'OrderedReady');
  const strategy = within(spec, 'updateStrategy');
  fillText(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') fill(within(strategy, 'rollingUpdate'), 'partition', 0);
  fill(spec, 'revisionHistoryLimit', 10);
  const retention = within(spec, 'persistentVolumeClaimRetentionPolicy');
  fillText(retention, 'whenDeleted', 'Retain');
  fillText(retention, 'whenScaled', 'Retain');
  setTemplateDefaults(spec.template);
  for (const claim of listOf(spec.volumeClaimTemplates)) {
    claim.apiVersion = 'v1';
    claim.kind = 'PersistentVolumeClaim';
    fillText(within(claim, 'spec'), 'volumeMode', 'Filesystem');
    fillText(within(claim, 'status'), 'phase', 'Pending');
  }
}

function validateStrategy(strategy: Loose): FieldError[] {
  const field = 'spec.updateStrategy';
  const errors = oneOf(strategy?.type, `${field}.type`, ['RollingUpdate', 'OnDelete'], true);
  const rolling = strategy?.rollingUpdate;
  if (strategy?.type === 'OnDelete' && rolling) {
    const why = `only allowed for updateStrategy 'RollingUpdate'`;
    errors.push(invalid(`${field}.rollingUpdate`, rolling, why));
  }
  if (strategy?.type !== 'RollingUpdate' || !rolling) return errors;
  const at = `${field}.rollingUpdate.maxUnavailable`;
  return [
    ...errors,
    ...notNegative(rolling, `${field}.rollingUpdate`, 'partition'),
    ...validateIntOrPercent(rolling.maxUnavailable, at),
    ...validateHundredAtMost(rolling.maxUnavailable, at),
  ];
}

export const statefulSetKind: Kind = defineKind({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  description: 'StatefulSet keeps pods that are numbered, each with a name and a storage of its own.',
  hasStatus: true,
  hasGeneration: true,
  scale: SCALE,
  setDefaults,
  prepareForCreate(object) {
    object.status = { replicas: 0, availableReplicas: 0 };
  },
  validate({ spec }) {
    const retention = spec?.persistentVolumeClaimRetentionPolicy;
    const field = 'spec.persistentVolumeClaimRetentionPolicy';
    return [
      ...notNegative(spec, 'spec', 'replicas', 'minReadySeconds', 'revisionHistoryLimit'),
      ...notNegative(spec?.ordinals, 'spec.ordinals', 'start'),
      ...oneOf(spec?.podManagementPolicy, 'spec.podManagementPolicy', ['OrderedReady', 'Parallel'], true),
      ...validateStrategy(spec?.updateStrategy),
      ...oneOf(retention?.whenDeleted, `${field}.whenDeleted`, ['Retain', 'Delete'], true),
      ...oneOf(retention?.whenScaled, `${field}.whenScaled`, ['Retain', 'Delete'], true),
      ...validateSelectorAndTemplate(spec, 'statefulset'),
    ];
  },
  validateUpdate(object, old) {
    const rest = { ...object.spec };
    const was = { ...old.spec };
    for (const member of MUTABLE) {
      delete rest[member];
      delete was[member];
    }
    return same(rest, was) ? [] : [forbiddenField('spec', FORBIDDEN)];
  },
  columns: [NAME, text('Ready', 'Pods that are ready, of those asked for.'), AGE, ...WORKLOAD_COLUMNS],
  cells: (object, now) => [
    nameOf(object),
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    age(object, now),
    ...workloadCells(object.spec?.template?.spec),
  ],
});
