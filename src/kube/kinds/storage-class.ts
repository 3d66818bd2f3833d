import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField } from '../machinery/field-error.js';
import { checkQualifiedName } from '../machinery/names.js';
import { AGE, age, flag, NAME, nameOf, text, UNSET } from './columns.js';
import { defineKind } from './define.js';
import { mandatory, oneOf } from './field-rules.js';
import type { Kind } from './kind.js';
import { fillText, same } from './loose.js';

const DEFAULT_ANNOTATIONS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

export const storageClassKind: Kind = defineKind({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  description: 'StorageClass says how volumes of a class are made.',
  setDefaults(object) {
    fillText(object, 'reclaimPolicy', 'Delete');
    fillText(object, 'volumeBindingMode', 'Immediate');
  },
  validate: (object) => [
    ...mandatory(object.provisioner, 'provisioner', (name) => checkQualifiedName(name.toLowerCase())),
    ...oneOf(object.reclaimPolicy, 'reclaimPolicy', ['Delete', 'Retain'], true),
    ...oneOf(object.volumeBindingMode, 'volumeBindingMode', ['Immediate', 'WaitForFirstConsumer'], true),
  ],
  validateUpdate(object, old) {
    const errors: FieldError[] = [];
    for (const member of ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode']) {
      if (same(object[member], old[member])) continue;
      errors.push(forbiddenField(member, `updates to ${member} are forbidden.`));
    }
    return errors;
  },
  columns: [
    NAME,
    text('Provisioner', 'Who makes the volumes.'),
    text('ReclaimPolicy', 'What becomes of a volume after its claim.'),
    text('VolumeBindingMode', 'When a claim gets its volume.'),
    flag('AllowVolumeExpansion', 'Claims may grow.'),
    AGE,
  ],
  cells(object, now) {
    const isDefault = DEFAULT_ANNOTATIONS.some((name) => object.metadata.annotations?.[name] === 'true');
    return [
      `${nameOf(object)}${isDefault ? ' (default)' : ''}`,
      object.provisioner ?? '',
      object.reclaimPolicy ?? UNSET,
      object.volumeBindingMode ?? UNSET,
      object.allowVolumeExpansion === true,
      age(object, now),
    ];
  },
});
