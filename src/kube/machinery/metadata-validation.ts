/**
 * Rules for metadata that hold for every kind. Names, labels and annotations are checked by `names.ts`; here is what
 * binds them together, and what may not change. Sources: kubernetes object metadata, API conventions.
 */
import type { FieldError } from './field-error.js';
import { forbiddenField, invalid, required } from './field-error.js';
import type { NameRule } from './names.js';
import { checkDnsLabel, checkName, checkQualifiedName, validateAnnotations, validateLabels } from './names.js';
import type { ObjectMeta, OwnerReference } from './object.js';

export interface MetadataRules {
  readonly namespaced: boolean;
  /** Default dns-subdomain. */
  readonly nameRule?: NameRule;
  /** A finalizer without a domain must be one of the known ones: so with built-in kinds. */
  readonly strictFinalizers: boolean;
}

export const ORPHAN_FINALIZER = 'orphan';
export const FOREGROUND_FINALIZER = 'foregroundDeletion';
/** Of CustomResourceDefinitions, whose objects go first. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';
const BARE_FINALIZERS: readonly string[] = [ORPHAN_FINALIZER, FOREGROUND_FINALIZER, 'kubernetes', CLEANUP_FINALIZER];

/** Of an object that is to be created or has been changed. */
export function validateMetadata(metadata: ObjectMeta, rules: MetadataRules): FieldError[] {
  return [
    ...nameErrors(metadata, rules),
    ...namespaceErrors(metadata, rules),
    ...validateLabels(metadata.labels, 'metadata.labels'),
    ...validateAnnotations(metadata.annotations, 'metadata.annotations'),
    ...ownerErrors(metadata.ownerReferences ?? []),
    ...finalizerErrors(metadata.finalizers ?? [], rules.strictFinalizers),
  ];
}

function nameErrors(metadata: ObjectMeta, rules: MetadataRules): FieldError[] {
  const { name = '', generateName = '' } = metadata;
  const rule = rules.nameRule ?? 'dns-subdomain';
  const errors: FieldError[] = [];
  if (generateName !== '') {
    for (const e of checkName(rule, generateName, true)) errors.push(invalid('metadata.generateName', generateName, e));
  }
  if (name === '') errors.push(required('metadata.name', 'name or generateName is required'));
  else for (const e of checkName(rule, name)) errors.push(invalid('metadata.name', name, e));
  return errors;
}

function namespaceErrors(metadata: ObjectMeta, rules: MetadataRules): FieldError[] {
  const { namespace = '' } = metadata;
  if (!rules.namespaced) {
    return namespace === '' ? [] : [forbiddenField('metadata.namespace', 'not allowed on this type')];
  }
  if (namespace === '') return [required('metadata.namespace')];
  return checkDnsLabel(namespace).map((e) => invalid('metadata.namespace', namespace, e));
}

function ownerErrors(owners: readonly OwnerReference[]): FieldError[] {
  const field = 'metadata.ownerReferences';
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const owner of owners) {
    const [version, ...more] = (owner.apiVersion ?? '').split('/').reverse();
    if (version === '' || more.length > 1) {
      errors.push(invalid(`${field}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
    }
    for (const member of ['kind', 'name', 'uid'] as const) {
      if (!owner[member])
        errors.push(invalid(`${field}.${member}`, owner[member] ?? '', `${member} must not be empty`));
    }
    if (owner.kind === 'Event' && (owner.apiVersion === 'v1' || owner.apiVersion?.startsWith('events.k8s.io/'))) {
      errors.push(invalid(field, owner, `${gvkText(owner)} is disallowed from being an owner`));
    }
    if (owner.controller !== true) continue;
    if (controller !== undefined) {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.name}`;
      errors.push(invalid(field, owners, why));
    }
    controller = owner.name;
  }
  return errors;
}

function gvkText(owner: OwnerReference): string {
  const slash = owner.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : owner.apiVersion.slice(0, slash);
  return `${group}/${owner.apiVersion.slice(slash + 1)}, Kind=${owner.kind}`;
}

function finalizerErrors(finalizers: readonly string[], strict: boolean): FieldError[] {
  const field = 'metadata.finalizers';
  const errors: FieldError[] = [];
  for (const finalizer of finalizers) {
    const wrong = checkQualifiedName(finalizer);
    for (const e of wrong) errors.push(invalid(field, finalizer, e));
    if (strict && wrong.length === 0 && !finalizer.includes('/') && !BARE_FINALIZERS.includes(finalizer)) {
      errors.push(invalid(field, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'));
    }
  }
  if (finalizers.includes(ORPHAN_FINALIZER) && finalizers.includes(FOREGROUND_FINALIZER)) {
    const why = `finalizer ${ORPHAN_FINALIZER} and ${FOREGROUND_FINALIZER} cannot be both set`;
    errors.push(invalid(field, finalizers, why));
  }
  return errors;
}

/** What an update may not change. What was left out has been filled in from `old` before. */
export function validateMetadataUpdate(metadata: ObjectMeta, old: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const before = new Set(old.finalizers);
    const added = (metadata.finalizers ?? []).filter((f) => !before.has(f));
    if (added.length > 0) {
      const list = added.map((f) => JSON.stringify(f)).join(', ');
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
      errors.push(forbiddenField('metadata.finalizers', why));
    }
  }
  const fields = [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const;
  for (const field of fields) {
    if ((metadata[field] ?? '') !== (old[field] ?? '')) {
      errors.push(invalid(`metadata.${field}`, metadata[field], 'field is immutable'));
    }
  }
  return errors;
}
