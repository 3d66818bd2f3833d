import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField } from '../machinery/field-error.js';
import { AGE, age, flag, integer, NAME, nameOf, text, UNSET } from './columns.js';
import { defineKind } from './define.js';
import { oneOf } from './field-rules.js';
import type { Kind } from './kind.js';
import { fillText } from './loose.js';

const SYSTEM_PREFIX = 'system-';
const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-node-critical': 2000001000,
  'system-cluster-critical': 2000000000,
};
const USER_MAX = 1000000000;

export const priorityClassKind: Kind = defineKind({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  description: 'PriorityClass says how important pods are: who waits, and who has to make room.',
  setDefaults(object) {
    fillText(object, 'preemptionPolicy', 'PreemptLowerPriority');
  },
  validate(object) {
    const errors: FieldError[] = oneOf(object.preemptionPolicy, 'preemptionPolicy', ['Never', 'PreemptLowerPriority']);
    const name = nameOf(object);
    const value = object.value ?? 0;
    if (!name.startsWith(SYSTEM_PREFIX)) {
      if (value <= USER_MAX) return errors;
      const why = `maximum allowed value of a user defined priority is ${USER_MAX}`;
      return [...errors, forbiddenField('value', why)];
    }
    if (SYSTEM_CLASSES[name] === value && object.globalDefault !== true) return errors;
    const why = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${name} is not a known system priority class`;
    return [...errors, forbiddenField('metadata.name', why)];
  },
  validateUpdate(object, old) {
    const errors: FieldError[] = [];
    if ((object.value ?? 0) !== (old.value ?? 0))
      errors.push(forbiddenField('value', 'may not be changed in an update.'));
    if (object.preemptionPolicy !== old.preemptionPolicy) {
      errors.push({
        type: 'FieldValueInvalid',
        field: 'preemptionPolicy',
        message: `Invalid value: ${JSON.stringify(object.preemptionPolicy)}: field is immutable`,
      });
    }
    return errors;
  },
  columns: [
    NAME,
    integer('Value', 'Higher is more important.'),
    flag('Global-Default', 'For pods that name no class.'),
    AGE,
    text('PreemptionPolicy', 'Whether others have to go for them.'),
  ],
  cells: (object, now) => [
    nameOf(object),
    object.value ?? 0,
    object.globalDefault === true,
    age(object, now),
    object.preemptionPolicy ?? UNSET,
  ],
});
