import type { FieldError } from '../machinery/field-error.js';
import { duplicate, forbiddenField, invalid, required } from '../machinery/field-error.js';
import { checkQualifiedName } from '../machinery/names.js';
import { CREATED_AT, created, NAME, nameOf } from './columns.js';
import { defineKind } from './define.js';
import { mandatory } from './field-rules.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { entriesOf, fill, listOf, within } from './loose.js';
import { compareQuantities, nanosOf, validateNotNegative } from './quantities.js';

/** Of a container: what has no default gets its limit's, then its minimum's. */
function setItemDefaults(item: Loose): void {
  if (item.type !== 'Container') return;
  for (const [name, quantity] of entriesOf(item.max)) fill(within(item, 'default'), name, quantity);
  for (const [name, quantity] of entriesOf(item.default)) fill(within(item, 'defaultRequest'), name, quantity);
  for (const [name, quantity] of entriesOf(item.min)) fill(within(item, 'defaultRequest'), name, quantity);
}

/** Each of these must not be more than the next, where both are given. */
const ORDER = ['min', 'defaultRequest', 'default', 'max'] as const;
const TITLES: Readonly<Record<string, string>> = {
  min: 'min value',
  defaultRequest: 'default request value',
  default: 'default value',
  max: 'max value',
};

function validateOrder(item: Loose, name: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  ORDER.forEach((lower, i) => {
    for (const higher of ORDER.slice(i + 1)) {
      const [a, b] = [item[lower]?.[name], item[higher]?.[name]];
      if (a === undefined || b === undefined || compareQuantities(a, b) <= 0) continue;
      const why = `${TITLES[lower]} ${a} is greater than ${TITLES[higher]} ${b}`;
      errors.push(invalid(`${field}.${lower}[${name}]`, a, why));
    }
  });
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio !== undefined && nanosOf(ratio) < 1_000_000_000n) {
    errors.push(invalid(`${field}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`));
  }
  return errors;
}

function validateItem(item: Loose, field: string): FieldError[] {
  const errors: FieldError[] = mandatory(item.type, `${field}.type`, checkQualifiedName);
  const names = new Set<string>();
  for (const member of [...ORDER, 'maxLimitRequestRatio']) {
    for (const [name, quantity] of entriesOf(item[member])) {
      names.add(name);
      const at = `${field}.${member}[${name}]`;
      errors.push(...checkQualifiedName(name).map((e) => invalid(at, name, e)), ...validateNotNegative(quantity, at));
    }
  }
  if (item.type === 'Pod') {
    for (const member of ['default', 'defaultRequest']) {
      if (entriesOf(item[member]).length === 0) continue;
      errors.push(forbiddenField(`${field}.${member}`, "may not be specified when `type` is 'Pod'"));
    }
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.storage && !item.max?.storage) {
    errors.push(
      required(`${field}.limits`, 'either minimum or maximum storage value is required, but neither was provided'),
    );
  }
  return [...errors, ...[...names].flatMap((name) => validateOrder(item, name, field))];
}

export const limitRangeKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  namespaced: true,
  description:
    'LimitRange bounds what a single pod, container or claim of a namespace may ask for, and fills in what it left out.',
  setDefaults(object) {
    for (const item of listOf(object.spec?.limits)) setItemDefaults(item);
  },
  validate(object) {
    const errors: FieldError[] = [];
    const types = new Set<string>();
    listOf(object.spec?.limits).forEach((item, i) => {
      const field = `spec.limits[${i}]`;
      if (types.has(item.type)) errors.push(duplicate(`${field}.type`, item.type));
      types.add(item.type);
      errors.push(...validateItem(item, field));
    });
    return errors;
  },
  columns: [NAME, CREATED_AT],
  cells: (object) => [nameOf(object), created(object)],
});
