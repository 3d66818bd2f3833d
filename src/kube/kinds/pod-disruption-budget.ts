import type { FieldError } from '../machinery/field-error.js';
import { invalid } from '../machinery/field-error.js';
import { validateLabelSelector } from '../machinery/label-selector.js';
import { AGE, age, integer, NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import { oneOf, validateHundredAtMost, validateIntOrPercent } from './field-rules.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { unset } from './loose.js';

function amountText(value: Loose): string {
  return unset(value) ? 'N/A' : String(value);
}

export const podDisruptionBudgetKind: Kind = defineKind({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  namespaced: true,
  description: 'PodDisruptionBudget says how many pods of a set may be sent away at the same time.',
  hasStatus: true,
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  prepareForCreate(object) {
    object.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  validate(object) {
    const spec = object.spec ?? {};
    const errors: FieldError[] = [];
    if (!unset(spec.minAvailable) && !unset(spec.maxUnavailable)) {
      errors.push(invalid('spec', '', 'minAvailable and maxUnavailable cannot be both set'));
    }
    for (const member of ['minAvailable', 'maxUnavailable']) {
      errors.push(...validateIntOrPercent(spec[member], `spec.${member}`));
      errors.push(...validateHundredAtMost(spec[member], `spec.${member}`));
    }
    const policies = ['AlwaysAllow', 'IfHealthyBudget'];
    errors.push(...oneOf(spec.unhealthyPodEvictionPolicy, 'spec.unhealthyPodEvictionPolicy', policies));
    return [...errors, ...validateLabelSelector(spec.selector, 'spec.selector')];
  },
  columns: [
    NAME,
    text('Min Available', 'So many must stay.'),
    text('Max Unavailable', 'So many may go.'),
    integer('Allowed Disruptions', 'So many may go now.'),
    AGE,
  ],
  cells: (object, now) => [
    nameOf(object),
    amountText(object.spec?.minAvailable),
    amountText(object.spec?.maxUnavailable),
    object.status?.disruptionsAllowed ?? 0,
    age(object, now),
  ],
});
