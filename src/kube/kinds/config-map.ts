import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, tooLong } from '../machinery/field-error.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import { checkConfigKey } from './field-rules.js';
import type { Kind } from './kind.js';
import { entriesOf, same } from './loose.js';

/** Of all values together; the store takes little more. */
export const DATA_BYTES_MAX = 1024 * 1024;

export const configMapKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  description: 'ConfigMap holds settings for pods to read as variables or files.',
  validate(object) {
    const errors: FieldError[] = [];
    let bytes = 0;
    for (const [key, value] of entriesOf(object.data)) {
      errors.push(...checkConfigKey(key).map((e) => invalid(`data[${key}]`, key, e)));
      if (object.binaryData?.[key] !== undefined) {
        errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
      }
      bytes += Buffer.byteLength(value);
    }
    for (const [key, value] of entriesOf(object.binaryData)) {
      errors.push(...checkConfigKey(key).map((e) => invalid(`binaryData[${key}]`, key, e)));
      bytes += Buffer.byteLength(value, 'base64');
    }
    if (bytes > DATA_BYTES_MAX) errors.push(tooLong('', DATA_BYTES_MAX));
    return errors;
  },
  validateUpdate: (object, old) => validateFrozen(object, old, ['data', 'binaryData']),
  columns: [NAME, text('Data', 'How many entries it has.'), AGE],
  cells: (object, now) => [
    nameOf(object),
    String(entriesOf(object.data).length + entriesOf(object.binaryData).length),
    age(object, now),
  ],
});

/** What `immutable: true` forbids, of ConfigMaps and Secrets. */
export function validateFrozen(object: KubeObject, old: KubeObject, members: readonly string[]): FieldError[] {
  if (old.immutable !== true) return [];
  const why = 'field is immutable when `immutable` is set';
  const errors: FieldError[] = [];
  if (object.immutable !== true) errors.push(forbiddenField('immutable', why));
  for (const member of members) {
    if (!same(object[member] ?? {}, old[member] ?? {})) errors.push(forbiddenField(member, why));
  }
  return errors;
}
