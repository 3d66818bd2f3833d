import type { FieldError } from '../machinery/field-error.js';
import { invalid } from '../machinery/field-error.js';
import { labelSelectorCell } from '../machinery/label-selector.js';
import { AGE, age, NAME, nameOf, SELECTOR, text, WORKLOAD_COLUMNS, wide, workloadCells } from './columns.js';
import { defineKind } from './define.js';
import { isZero, notNegative, oneOf, validateHundredAtMost, validateIntOrPercent } from './field-rules.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { fill, fillText, within } from './loose.js';
import { setTemplateDefaults } from './pod-defaults.js';
import { SCALE, validateSelectorAndTemplate, validateSelectorUpdate } from './workload.js';

const STRATEGIES = ['Recreate', 'RollingUpdate'];

function validateStrategy(strategy: Loose): FieldError[] {
  const field = 'spec.strategy';
  const errors = oneOf(strategy?.type, `${field}.type`, STRATEGIES, true);
  const rolling = strategy?.rollingUpdate;
  if (strategy?.type === 'Recreate' && rolling) {
    const message = "Forbidden: may not be specified when strategy `type` is 'Recreate'";
    return [...errors, { type: 'FieldValueForbidden', field: `${field}.rollingUpdate`, message }];
  }
  if (strategy?.type !== 'RollingUpdate' || !rolling) return errors;
  for (const member of ['maxUnavailable', 'maxSurge']) {
    errors.push(...validateIntOrPercent(rolling[member], `${field}.rollingUpdate.${member}`));
  }
  const at = `${field}.rollingUpdate.maxUnavailable`;
  if (isZero(rolling.maxUnavailable) && isZero(rolling.maxSurge)) {
    errors.push(invalid(at, rolling.maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  return [...errors, ...validateHundredAtMost(rolling.maxUnavailable, at)];
}

export const deploymentKind: Kind = defineKind({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  description: 'Deployment keeps a number of equal pods and replaces them step by step when their template changes.',
  hasStatus: true,
  hasGeneration: true,
  scale: SCALE,
  setDefaults(object) {
    const spec = within(object, 'spec');
    fill(spec, 'replicas', 1);
    const strategy = within(spec, 'strategy');
    fillText(strategy, 'type', 'RollingUpdate');
    if (strategy.type === 'RollingUpdate') {
      const rolling = within(strategy, 'rollingUpdate');
      fill(rolling, 'maxUnavailable', '25%');
      fill(rolling, 'maxSurge', '25%');
    }
    fill(spec, 'revisionHistoryLimit', 10);
    fill(spec, 'progressDeadlineSeconds', 600);
    setTemplateDefaults(spec.template);
  },
  prepareForCreate(object) {
    delete object.status;
  },
  validate({ spec }) {
    const errors = [
      ...notNegative(spec, 'spec', 'replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'),
      ...validateSelectorAndTemplate(spec, 'deployment'),
      ...validateStrategy(spec?.strategy),
    ];
    const deadline = spec?.progressDeadlineSeconds;
    if (typeof deadline === 'number' && deadline <= (spec.minReadySeconds ?? 0)) {
      errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
    }
    return errors;
  },
  validateUpdate: validateSelectorUpdate,
  columns: [
    NAME,
    text('Ready', 'Pods that are ready, of those asked for.'),
    text('Up-to-date', 'Pods made of the present template.'),
    text('Available', 'Pods that have been ready for long enough.'),
    AGE,
    ...WORKLOAD_COLUMNS,
    wide(SELECTOR),
  ],
  cells: (object, now) => [
    nameOf(object),
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    String(object.status?.updatedReplicas ?? 0),
    String(object.status?.availableReplicas ?? 0),
    age(object, now),
    ...workloadCells(object.spec?.template?.spec),
    labelSelectorCell(object.spec?.selector),
  ],
});
