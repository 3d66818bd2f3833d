import type { FieldError } from '../machinery/field-error.js';
import { invalid } from '../machinery/field-error.js';
import { labelSelectorCell } from '../machinery/label-selector.js';
import type { KubeObject } from '../machinery/object.js';
import {
  AGE,
  age,
  integer,
  labelsText,
  NAME,
  nameOf,
  SELECTOR,
  text,
  WORKLOAD_COLUMNS,
  wide,
  workloadCells,
} from './columns.js';
import { defineKind } from './define.js';
import { isZero, notNegative, oneOf, validateHundredAtMost, validateIntOrPercent } from './field-rules.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { fill, fillText, same, within } from './loose.js';
import { setTemplateDefaults } from './pod-defaults.js';
import { validateSelectorAndTemplate, validateSelectorUpdate } from './workload.js';

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function templateGeneration(object: KubeObject): number {
  return Number(object.metadata.annotations?.[TEMPLATE_GENERATION] ?? '0') || 0;
}

function setTemplateGeneration(object: KubeObject, generation: number): void {
  within(object.metadata, 'annotations')[TEMPLATE_GENERATION] = String(generation);
}

function validateStrategy(strategy: Loose): FieldError[] {
  const field = 'spec.updateStrategy';
  const errors = oneOf(strategy?.type, `${field}.type`, ['RollingUpdate', 'OnDelete'], true);
  const rolling = strategy?.rollingUpdate;
  if (strategy?.type !== 'RollingUpdate' || !rolling) return errors;
  for (const member of ['maxUnavailable', 'maxSurge']) {
    errors.push(...validateIntOrPercent(rolling[member], `${field}.rollingUpdate.${member}`));
    errors.push(...validateHundredAtMost(rolling[member], `${field}.rollingUpdate.${member}`));
  }
  const at = `${field}.rollingUpdate.maxUnavailable`;
  const surge = rolling.maxSurge ?? 0;
  if (isZero(rolling.maxUnavailable) && isZero(surge)) {
    errors.push(invalid(at, rolling.maxUnavailable, 'cannot be 0 when maxSurge is 0'));
  } else if (!isZero(rolling.maxUnavailable) && !isZero(surge)) {
    errors.push(invalid(`${field}.rollingUpdate.maxSurge`, surge, 'may not be set when maxUnavailable is non-zero'));
  }
  return errors;
}

export const daemonSetKind: Kind = defineKind({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  description: 'DaemonSet keeps one pod on every node, or on every node of a sort.',
  hasStatus: true,
  hasGeneration: true,
  setDefaults(object) {
    const spec = within(object, 'spec');
    const strategy = within(spec, 'updateStrategy');
    fillText(strategy, 'type', 'RollingUpdate');
    if (strategy.type === 'RollingUpdate') {
      const rolling = within(strategy, 'rollingUpdate');
      fill(rolling, 'maxUnavailable', 1);
      fill(rolling, 'maxSurge', 0);
    }
    fill(spec, 'revisionHistoryLimit', 10);
    setTemplateDefaults(spec.template);
  },
  prepareForCreate(object) {
    object.status = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
    if (templateGeneration(object) < 1) setTemplateGeneration(object, 1);
  },
  prepareForUpdate(object, old) {
    const changed = !same(object.spec?.template, old.spec?.template);
    setTemplateGeneration(object, templateGeneration(old) + (changed ? 1 : 0));
  },
  validate: ({ spec }) => [
    ...notNegative(spec, 'spec', 'minReadySeconds', 'revisionHistoryLimit'),
    ...validateSelectorAndTemplate(spec, 'daemonset'),
    ...validateStrategy(spec?.updateStrategy),
  ],
  validateUpdate: validateSelectorUpdate,
  columns: [
    NAME,
    integer('Desired', 'Nodes that should have a pod of it.'),
    integer('Current', 'Nodes that have one.'),
    integer('Ready', 'Pods that are ready.'),
    integer('Up-to-date', 'Pods made of the present template.'),
    integer('Available', 'Pods that have been ready for long enough.'),
    text('Node Selector', 'Labels of the nodes that are meant.'),
    AGE,
    ...WORKLOAD_COLUMNS,
    wide(SELECTOR),
  ],
  cells: (object, now) => [
    nameOf(object),
    object.status?.desiredNumberScheduled ?? 0,
    object.status?.currentNumberScheduled ?? 0,
    object.status?.numberReady ?? 0,
    object.status?.updatedNumberScheduled ?? 0,
    object.status?.numberAvailable ?? 0,
    labelsText(object.spec?.template?.spec?.nodeSelector),
    age(object, now),
    ...workloadCells(object.spec?.template?.spec),
    labelSelectorCell(object.spec?.selector),
  ],
});
