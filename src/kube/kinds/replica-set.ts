import { labelSelectorCell } from '../machinery/label-selector.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, integer, NAME, nameOf, SELECTOR, WORKLOAD_COLUMNS, wide, workloadCells } from './columns.js';
import { defineKind } from './define.js';
import { notNegative } from './field-rules.js';
import type { Cell, Column, Kind } from './kind.js';
import { fill, within } from './loose.js';
import { setTemplateDefaults } from './pod-defaults.js';
import { SCALE, validateSelectorAndTemplate, validateSelectorUpdate } from './workload.js';

/** Also those of ReplicationControllers. */
export const REPLICA_COLUMNS: readonly Column[] = [
  NAME,
  integer('Desired', 'Pods asked for.'),
  integer('Current', 'Pods that are there.'),
  integer('Ready', 'Pods that are ready.'),
  AGE,
  ...WORKLOAD_COLUMNS,
  wide(SELECTOR),
];

export function replicaCells(object: KubeObject, now: number, selector: string): Cell[] {
  return [
    nameOf(object),
    object.spec?.replicas ?? 0,
    object.status?.replicas ?? 0,
    object.status?.readyReplicas ?? 0,
    age(object, now),
    ...workloadCells(object.spec?.template?.spec),
    selector,
  ];
}

export function statusReplicas(object: KubeObject): string {
  return String(object.status?.replicas ?? 0);
}

export const replicaSetKind: Kind = defineKind({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  description: 'ReplicaSet keeps a number of equal pods running. Deployments make them.',
  hasStatus: true,
  hasGeneration: true,
  scale: SCALE,
  setDefaults(object) {
    const spec = within(object, 'spec');
    fill(spec, 'replicas', 1);
    setTemplateDefaults(spec.template);
  },
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
  validate: ({ spec }) => [
    ...notNegative(spec, 'spec', 'replicas', 'minReadySeconds'),
    ...validateSelectorAndTemplate(spec, 'deployment'),
  ],
  validateUpdate: validateSelectorUpdate,
  validateStatusUpdate: ({ status }) =>
    notNegative(status, 'status', 'replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'),
  fieldSelectors: { 'status.replicas': statusReplicas },
  columns: REPLICA_COLUMNS,
  cells: (object, now) => replicaCells(object, now, labelSelectorCell(object.spec?.selector)),
});
