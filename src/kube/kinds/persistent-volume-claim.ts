import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, required } from '../machinery/field-error.js';
import { validateLabelSelector } from '../machinery/label-selector.js';
import { checkDnsSubdomain } from '../machinery/names.js';
import { AGE, age, NAME, nameOf, text, UNSET, wide } from './columns.js';
import { defineKind } from './define.js';
import { optional } from './field-rules.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { copy, fill, fillText, same, unset, within } from './loose.js';
import { compareQuantities, nanosOf } from './quantities.js';
import { accessModesText, mustBePositive, validateAccessModes, validateVolumeMode } from './volume-claim-rules.js';

const IMMUTABLE =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';

function validateSpec(spec: Loose): FieldError[] {
  const errors = [
    ...validateAccessModes(spec.accessModes, 'spec.accessModes'),
    ...validateLabelSelector(spec.selector, 'spec.selector'),
    ...optional(spec.storageClassName, 'spec.storageClassName', checkDnsSubdomain),
    ...validateVolumeMode(spec.volumeMode, 'spec.volumeMode'),
  ];
  const storage = spec.resources?.requests?.storage;
  const field = 'spec.resources[storage]';
  if (storage === undefined || storage === null) errors.push(required(field));
  else if (nanosOf(storage) <= 0n) errors.push(mustBePositive(field, storage));
  return errors;
}

/** The new spec with what may change put back: the volume it is bound to, and (of a bound claim) its size. */
function validateChange(now: Loose, then: Loose, phase: Loose): FieldError[] {
  const bare = copy(now);
  if (unset(then.volumeName)) delete bare.volumeName;
  // A class may be given afterwards to a claim that was made without one.
  if (then.storageClassName === undefined || then.storageClassName === null) delete bare.storageClassName;
  const request = now.resources?.requests?.storage;
  const before = then.resources?.requests?.storage;
  let shrinks = false;
  if (phase === 'Bound' && request !== undefined && before !== undefined) {
    shrinks = compareQuantities(request, before) < 0;
    bare.resources.requests.storage = before;
    if (then.volumeAttributesClassName === undefined) delete bare.volumeAttributesClassName;
    else bare.volumeAttributesClassName = then.volumeAttributesClassName;
  }
  if (!same(bare, then)) return [forbiddenField('spec', IMMUTABLE)];
  if (!shrinks) return [];
  return [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')];
}

export const persistentVolumeClaimKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  namespaced: true,
  description: 'PersistentVolumeClaim asks for storage and is bound to a volume that fits.',
  hasStatus: true,
  deleteReturnsObject: true,
  setDefaults(object) {
    fill(within(object, 'spec'), 'volumeMode', 'Filesystem');
    fillText(within(object, 'status'), 'phase', 'Pending');
  },
  prepareForCreate(object) {
    object.status = { phase: 'Pending' };
  },
  validate: (object) => validateSpec(object.spec ?? {}),
  validateUpdate: (object, old) => validateChange(object.spec ?? {}, old.spec ?? {}, old.status?.phase),
  columns: [
    NAME,
    text('Status', 'Whether it has its volume.'),
    text('Volume', 'Which.'),
    text('Capacity', 'How much that holds.'),
    text('Access Modes', 'Who may use it at the same time.'),
    text('StorageClass', 'Of which class.'),
    text('VolumeAttributesClass', 'With which attributes.'),
    AGE,
    wide(text('VolumeMode', 'Files or a bare device.')),
  ],
  cells(object, now) {
    const { spec = {}, status = {} } = object;
    const bound = !unset(spec.volumeName);
    return [
      nameOf(object),
      object.metadata.deletionTimestamp === undefined ? (status.phase ?? '') : 'Terminating',
      spec.volumeName ?? '',
      bound ? (status.capacity?.storage ?? '') : '',
      bound ? accessModesText(status.accessModes) : '',
      spec.storageClassName ?? '',
      unset(spec.volumeAttributesClassName) ? UNSET : spec.volumeAttributesClassName,
      age(object, now),
      spec.volumeMode ?? UNSET,
    ];
  },
});
