import type { FieldError } from '../machinery/field-error.js';
import { invalid, required } from '../machinery/field-error.js';
import { labelSelectorOfMap, matchesLabels, printLabelSelector } from '../machinery/label-selector.js';
import { validateLabels } from '../machinery/names.js';
import { labelsText } from './columns.js';
import { defineKind } from './define.js';
import { notNegative } from './field-rules.js';
import type { Kind } from './kind.js';
import { entriesOf, fill, within } from './loose.js';
import { setTemplateDefaults } from './pod-defaults.js';
import { REPLICA_COLUMNS, replicaCells, statusReplicas } from './replica-set.js';
import { validateAlwaysTemplate } from './workload.js';

/** The ancestor of ReplicaSets: its selector is a plain map, and what is missing is taken from the template's labels. */
export const replicationControllerKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  description: 'ReplicationController keeps a number of equal pods running. Deployments do more.',
  storageDir: 'controllers',
  hasStatus: true,
  hasGeneration: true,
  defaultPropagation: 'Orphan',
  scale: {
    specReplicas: 'spec.replicas',
    statusReplicas: 'status.replicas',
    selector: (object) => printLabelSelector(labelSelectorOfMap(object.spec?.selector)),
  },
  setDefaults(object) {
    const spec = within(object, 'spec');
    fill(spec, 'replicas', 1);
    const labels = spec.template?.metadata?.labels;
    if (entriesOf(labels).length > 0) {
      if (entriesOf(spec.selector).length === 0) spec.selector = { ...labels };
      if (entriesOf(object.metadata.labels).length === 0) object.metadata.labels = { ...labels };
    }
    setTemplateDefaults(spec.template);
  },
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
  validate({ spec }) {
    const errors: FieldError[] = notNegative(spec, 'spec', 'replicas', 'minReadySeconds');
    const labels = spec?.template?.metadata?.labels;
    if (entriesOf(spec?.selector).length === 0) errors.push(required('spec.selector'));
    else {
      errors.push(...validateLabels(spec.selector, 'spec.selector'));
      if (!matchesLabels(labelSelectorOfMap(spec.selector), labels)) {
        errors.push(
          invalid('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'),
        );
      }
    }
    if (!spec?.template) return [...errors, required('spec.template')];
    return [...errors, ...validateAlwaysTemplate(spec.template, 'spec.template')];
  },
  fieldSelectors: { 'status.replicas': statusReplicas },
  columns: REPLICA_COLUMNS,
  cells: (object, now) => replicaCells(object, now, labelsText(object.spec?.selector)),
});
