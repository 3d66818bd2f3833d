import type { FieldError } from '../machinery/field-error.js';
import { invalid } from '../machinery/field-error.js';
import { AGE, age, NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import { notNegative } from './field-rules.js';
import type { Kind } from './kind.js';

export const leaseKind: Kind = defineKind({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  description: 'Lease is held by one at a time, who has to renew it: leaders and living nodes.',
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  validate(object) {
    const errors: FieldError[] = notNegative(object.spec, 'spec', 'leaseTransitions');
    const seconds = object.spec?.leaseDurationSeconds;
    if (typeof seconds === 'number' && seconds <= 0) {
      errors.push(invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
    }
    return errors;
  },
  columns: [NAME, text('Holder', 'Who has it.'), AGE],
  cells: (object, now) => [nameOf(object), object.spec?.holderIdentity ?? '', age(object, now)],
});
