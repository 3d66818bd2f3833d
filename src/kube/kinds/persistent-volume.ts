import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, notSupported, required } from '../machinery/field-error.js';
import { checkDnsSubdomain } from '../machinery/names.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, NAME, nameOf, text, UNSET, wide } from './columns.js';
import { defineKind } from './define.js';
import { oneOf, optional } from './field-rules.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { entriesOf, fill, fillText, same, unset, within } from './loose.js';
import { setVolumeSourceDefaults } from './pod-defaults.js';
import { nanosOf } from './quantities.js';
import { validateNodeSelector } from './scheduling-validation.js';
import { accessModesText, mustBePositive, validateAccessModes, validateVolumeMode } from './volume-claim-rules.js';
import { validateVolumeSource } from './volume-validation.js';

/** Members of the spec that are no source. */
const PLAIN = new Set([
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
  'volumeAttributesClassName',
]);

function sourcesOf(spec: Loose): [string, Loose][] {
  return entriesOf(spec).filter(([member, value]) => !PLAIN.has(member) && value !== undefined && value !== null);
}

function validateCapacity(capacity: Loose): FieldError[] {
  if (entriesOf(capacity).length === 0) return [required('spec.capacity')];
  if (capacity.storage === undefined || entriesOf(capacity).length > 1) {
    return [notSupported('spec.capacity', Object.keys(capacity), ['storage'])];
  }
  return nanosOf(capacity.storage) > 0n ? [] : [mustBePositive('spec.capacity[storage]', capacity.storage)];
}

function validateSpec(spec: Loose): FieldError[] {
  const errors = [
    ...validateAccessModes(spec.accessModes, 'spec.accessModes'),
    ...validateCapacity(spec.capacity),
    ...oneOf(spec.persistentVolumeReclaimPolicy, 'spec.persistentVolumeReclaimPolicy', ['Delete', 'Recycle', 'Retain']),
    ...optional(spec.storageClassName, 'spec.storageClassName', checkDnsSubdomain),
    ...validateVolumeMode(spec.volumeMode, 'spec.volumeMode'),
  ];
  const sources = sourcesOf(spec);
  if (sources.length === 0) errors.push(required('spec', 'must specify a volume type'));
  sources.forEach(([member, source], i) => {
    const field = `spec.${member}`;
    if (i > 0) errors.push(forbiddenField(field, 'may not specify more than 1 volume type'));
    else errors.push(...validateVolumeSource(member, source, field));
  });
  if (spec.local && !spec.nodeAffinity?.required) {
    errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  }
  if (spec.nodeAffinity?.required) {
    errors.push(...validateNodeSelector(spec.nodeAffinity.required, 'spec.nodeAffinity.required'));
  }
  return errors;
}

function phaseText(object: KubeObject): string {
  return object.metadata.deletionTimestamp === undefined ? (object.status?.phase ?? '') : 'Terminating';
}

export const persistentVolumeKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  description: 'PersistentVolume is a piece of storage that outlives the pods which use it.',
  hasStatus: true,
  deleteReturnsObject: true,
  setDefaults(object) {
    const spec = within(object, 'spec');
    fillText(spec, 'persistentVolumeReclaimPolicy', 'Retain');
    fill(spec, 'volumeMode', 'Filesystem');
    setVolumeSourceDefaults(spec);
    fillText(within(object, 'status'), 'phase', 'Pending');
  },
  prepareForCreate(object) {
    object.status = { phase: 'Pending' };
  },
  validate: (object) => validateSpec(object.spec ?? {}),
  validateUpdate(object, old) {
    const errors: FieldError[] = [];
    const now = object.spec ?? {};
    const then = old.spec ?? {};
    if (!same(Object.fromEntries(sourcesOf(now)), Object.fromEntries(sourcesOf(then)))) {
      errors.push(
        forbiddenField('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'),
      );
    }
    if (!same(now.volumeMode, then.volumeMode)) {
      errors.push({
        type: 'FieldValueInvalid',
        field: 'spec.volumeMode',
        message: `Invalid value: ${JSON.stringify(now.volumeMode)}: field is immutable`,
      });
    }
    return errors;
  },
  columns: [
    NAME,
    text('Capacity', 'How much it holds.'),
    text('Access Modes', 'Who may use it at the same time.'),
    text('Reclaim Policy', 'What becomes of it after its claim.'),
    text('Status', 'Whether it is free or taken.'),
    text('Claim', 'Whose it is.'),
    text('StorageClass', 'Of which class.'),
    text('VolumeAttributesClass', 'With which attributes.'),
    text('Reason', 'Why it failed.'),
    AGE,
    wide(text('VolumeMode', 'Files or a bare device.')),
  ],
  cells(object, now) {
    const spec = object.spec ?? {};
    const claim = spec.claimRef;
    return [
      nameOf(object),
      spec.capacity?.storage ?? '',
      accessModesText(spec.accessModes),
      spec.persistentVolumeReclaimPolicy ?? '',
      phaseText(object),
      claim ? `${claim.namespace}/${claim.name}` : '',
      spec.storageClassName ?? '',
      unset(spec.volumeAttributesClassName) ? UNSET : spec.volumeAttributesClassName,
      object.status?.reason ?? '',
      age(object, now),
      spec.volumeMode ?? UNSET,
    ];
  },
});
