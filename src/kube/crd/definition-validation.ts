/** What a CustomResourceDefinition may say. The texts are those that clients know. */
import type { FieldError } from '../machinery/field-error.js';
import { duplicate, forbiddenField, invalid, notSupported, required } from '../machinery/field-error.js';
import { parseJsonPath, plainMembers } from '../machinery/json-path.js';
import { checkDns1035Label, checkDnsSubdomain } from '../machinery/names.js';
import type { Definition, Names, Version } from './definition.js';
import { isTrue } from './definition.js';
import { checkStructural } from './structural-rules.js';

const SCOPES = ['Cluster', 'Namespaced'];
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['int32', 'int64', 'float', 'double', 'byte', 'date', 'date-time', 'password'];
const APPROVAL = 'api-approved.kubernetes.io';

/** Defaults are set; types are as the schema has them, but members may be missing. */
export function validateDefinition(definition: Definition): FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = definition;
  if (spec === undefined || spec === null) return [required('spec')];
  const names: Names = spec.names ?? { plural: '', kind: '' };
  const wantedName = `${names.plural ?? ''}.${spec.group ?? ''}`;
  if (definition.metadata.name !== wantedName) {
    errors.push(invalid('metadata.name', definition.metadata.name ?? '', 'must be spec.names.plural+"."+spec.group'));
  }
  checkGroup(definition, errors);
  if (!spec.scope) errors.push(required('spec.scope'));
  else if (!SCOPES.includes(spec.scope)) errors.push(notSupported('spec.scope', spec.scope, SCOPES));
  checkNames(names, 'spec.names', errors);
  checkVersions(spec.versions ?? [], errors);
  checkConversion(definition, errors);
  if (spec.preserveUnknownFields === true) {
    const why =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(invalid('spec.preserveUnknownFields', true, why));
  }
  for (const [i, stored] of (definition.status?.storedVersions ?? []).entries()) {
    if (!(spec.versions ?? []).some((version) => version.name === stored)) {
      errors.push(invalid(`status.storedVersions[${i}]`, stored, 'must appear in spec.versions'));
    }
  }
  return errors;
}

/** What does not change once objects may be there. */
export function validateDefinitionUpdate(definition: Definition, old: Definition): FieldError[] {
  const errors: FieldError[] = [];
  const immutable = (field: string, now: unknown, before: unknown): void => {
    if (now !== before) errors.push(invalid(field, now, 'field is immutable'));
  };
  immutable('spec.group', definition.spec.group, old.spec.group);
  immutable('spec.names.plural', definition.spec.names.plural, old.spec.names.plural);
  if (isTrue(old, 'Established')) {
    immutable('spec.scope', definition.spec.scope, old.spec.scope);
    immutable('spec.names.kind', definition.spec.names.kind, old.spec.names.kind);
  }
  return errors;
}

function checkGroup({ metadata, spec }: Definition, errors: FieldError[]): void {
  const { group } = spec;
  if (!group) {
    errors.push(required('spec.group'));
    return;
  }
  const wrong = checkDnsSubdomain(group);
  if (wrong.length > 0) errors.push(invalid('spec.group', group, wrong.join(',')));
  else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return;
  const field = `metadata.annotations[${APPROVAL}]`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  const approval = metadata.annotations?.[APPROVAL];
  if (approval === undefined || approval === '') {
    errors.push(required(field, `protected groups must have approval annotation "${APPROVAL}", ${see}`));
  } else if (!approval.startsWith('unapproved') && !URL.canParse(approval)) {
    const why = `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved", ${see}`;
    errors.push(invalid(field, approval, why));
  }
}

function checkNames(names: Names, at: string, errors: FieldError[]): void {
  const label = (field: string, value: string | undefined): void => {
    if (!value) {
      errors.push(required(`${at}.${field}`));
      return;
    }
    const kind = field === 'kind' || field === 'listKind';
    const wrong = checkDns1035Label(kind ? value.toLowerCase() : value);
    const prefix = kind ? 'may have mixed case, but should otherwise match: ' : '';
    if (wrong.length > 0) errors.push(invalid(`${at}.${field}`, value, prefix + wrong.join(',')));
  };
  label('plural', names.plural);
  label('singular', names.singular);
  label('kind', names.kind);
  label('listKind', names.listKind);
  for (const [field, list] of [
    ['shortNames', names.shortNames],
    ['categories', names.categories],
  ] as const) {
    (list ?? []).forEach((value, i) => {
      const wrong = checkDns1035Label(value);
      if (wrong.length > 0) errors.push(invalid(`${at}.${field}[${i}]`, value, wrong.join(',')));
    });
  }
  if (names.kind && names.kind === names.listKind) {
    errors.push(invalid(`${at}.listKind`, names.listKind, 'kind and listKind may not be the same'));
  }
}

function checkVersions(versions: readonly Version[], errors: FieldError[]): void {
  if (versions.length === 0) {
    errors.push(required('spec.versions'));
    return;
  }
  const listed = versions.map((version) => version.name);
  if (versions.filter((version) => version.storage).length !== 1) {
    errors.push(invalid('spec.versions', listed, 'must have exactly one version marked as storage version'));
  }
  if (new Set(listed).size !== listed.length) {
    errors.push(invalid('spec.versions', listed, 'must contain unique version names'));
  }
  versions.forEach((version, i) => {
    checkVersion(version, `spec.versions[${i}]`, errors);
  });
}

function checkVersion(version: Version, at: string, errors: FieldError[]): void {
  const wrong = checkDns1035Label(version.name ?? '');
  if (wrong.length > 0) errors.push(invalid(`${at}.name`, version.name ?? '', wrong.join(',')));
  const schema = version.schema?.openAPIV3Schema;
  if (schema === undefined) errors.push(required(`${at}.schema.openAPIV3Schema`, 'schemas are required'));
  else errors.push(...checkStructural(schema, `${at}.schema.openAPIV3Schema`));
  if (version.deprecationWarning !== undefined && version.deprecated !== true) {
    const why = 'can only be set for deprecated versions';
    errors.push(invalid(`${at}.deprecationWarning`, version.deprecationWarning, why));
  }
  checkScale(version, `${at}.subresources.scale`, errors);
  checkColumns(version, `${at}.additionalPrinterColumns`, errors);
  const fields = version.selectableFields ?? [];
  fields.forEach(({ jsonPath }, i) => {
    if (!isPlainPath(jsonPath))
      errors.push(invalid(`${at}.selectableFields[${i}].jsonPath`, jsonPath ?? '', 'is an invalid path'));
    else if (fields.findIndex((other) => other.jsonPath === jsonPath) < i) {
      errors.push(duplicate(`${at}.selectableFields[${i}].jsonPath`, jsonPath));
    }
  });
}

function isPlainPath(path: string | undefined): boolean {
  if (path?.startsWith('.') !== true) return false;
  try {
    return plainMembers(parseJsonPath(path)) !== undefined;
  } catch {
    return false;
  }
}

function checkScale(version: Version, at: string, errors: FieldError[]): void {
  const scale = version.subresources?.scale;
  if (scale === undefined) return;
  const path = (field: keyof typeof scale, parents: readonly string[], needed: boolean): void => {
    const value = scale[field];
    if (value === undefined || value === '') {
      if (needed) errors.push(required(`${at}.${field}`));
      return;
    }
    const members = isPlainPath(value) ? plainMembers(parseJsonPath(value))! : [];
    if (members.length < 2 || !parents.includes(members[0]!)) {
      const where = (parents.length > 1 ? 'either ' : '') + parents.map((parent) => `.${parent}`).join(' or ');
      errors.push(invalid(`${at}.${field}`, value, `should be a json path under ${where}`));
    }
  };
  path('specReplicasPath', ['spec'], true);
  path('statusReplicasPath', ['status'], true);
  path('labelSelectorPath', ['spec', 'status'], false);
}

function checkColumns(version: Version, at: string, errors: FieldError[]): void {
  (version.additionalPrinterColumns ?? []).forEach((column, i) => {
    const here = `${at}[${i}]`;
    if (!column.name) errors.push(required(`${here}.name`));
    if (!column.type) errors.push(required(`${here}.type`, `must be one of ${COLUMN_TYPES.join(',')}`));
    else if (!COLUMN_TYPES.includes(column.type)) {
      errors.push(invalid(`${here}.type`, column.type, `must be one of ${COLUMN_TYPES.join(',')}`));
    }
    if (column.format && !COLUMN_FORMATS.includes(column.format)) {
      errors.push(invalid(`${here}.format`, column.format, `must be one of ${COLUMN_FORMATS.join(',')}`));
    }
    // A path that cannot be read shows nothing; upstream takes it as well.
    if (!column.jsonPath) errors.push(required(`${here}.JSONPath`));
    else if (!column.jsonPath.startsWith('.')) {
      errors.push(invalid(`${here}.JSONPath`, column.jsonPath, 'must be a simple json path starting with .'));
    }
  });
}

function checkConversion({ spec }: Definition, errors: FieldError[]): void {
  const strategy = spec.conversion?.strategy;
  if (!strategy) errors.push(required('spec.conversion.strategy'));
  else if (strategy === 'Webhook') {
    const why = 'conversion by webhook is not supported by this server; use None and keep the versions alike';
    errors.push(forbiddenField('spec.conversion.strategy', why));
  } else if (strategy !== 'None') errors.push(notSupported('spec.conversion.strategy', strategy, ['None']));
}
