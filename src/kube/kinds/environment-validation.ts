/** Checks of a container's environment: variables and where they come from. */
import type { FieldError } from '../machinery/field-error.js';
import { invalid, notSupported, required } from '../machinery/field-error.js';
import { checkDnsSubdomain, checkQualifiedName } from '../machinery/names.js';
import { checkConfigKey, mandatory, optional } from './field-rules.js';
import type { Loose } from './loose.js';
import { entriesOf, listOf, unset } from './loose.js';

const FIELD_PATHS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const VOLUME_FIELD_PATHS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
const RESOURCE = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/;
const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** Any printable ASCII but `=`. */
export function checkVariableName(name: string): string[] {
  if (/^[ -<>-~]+$/.test(name)) return [];
  const rule = "a valid environment variable name must consist only of printable ASCII characters other than '='";
  return [
    `${rule} (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '^[ -<>-~]+$')`,
  ];
}

export function validateEnvironment(container: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  listOf(container.env).forEach((variable, i) => {
    const at = `${field}.env[${i}]`;
    errors.push(...mandatory(variable.name, `${at}.name`, checkVariableName));
    if (variable.valueFrom) errors.push(...validateSource(variable, `${at}.valueFrom`));
  });
  listOf(container.envFrom).forEach((source, i) => {
    const at = `${field}.envFrom[${i}]`;
    errors.push(...optional(source.prefix, `${at}.prefix`, checkVariableName));
    const given = ['configMapRef', 'secretRef'].filter((member) => source[member]);
    if (given.length > 1) errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
    else if (given.length === 0) {
      errors.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else {
      errors.push(...mandatory(source[given[0] as string].name, `${at}.${given[0]}.name`, checkDnsSubdomain));
    }
  });
  return errors;
}

function validateSource(variable: Loose, field: string): FieldError[] {
  const source = variable.valueFrom;
  const given = entriesOf(source).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0) {
    const why =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    return [invalid(field, '', why)];
  }
  const errors: FieldError[] = [];
  if (!unset(variable.value)) errors.push(invalid(field, '', 'may not be specified when `value` is not empty'));
  else if (given.length > 1) errors.push(invalid(field, '', 'may not have more than one field specified at a time'));
  if (source.fieldRef) errors.push(...validateFieldRef(source.fieldRef, `${field}.fieldRef`, FIELD_PATHS));
  if (source.resourceFieldRef)
    errors.push(...validateResourceRef(source.resourceFieldRef, `${field}.resourceFieldRef`));
  for (const member of ['configMapKeyRef', 'secretKeyRef']) {
    if (!source[member]) continue;
    errors.push(...mandatory(source[member].name, `${field}.${member}.name`, checkDnsSubdomain));
    errors.push(...mandatory(source[member].key, `${field}.${member}.key`, checkConfigKey));
  }
  return errors;
}

/** Of a volume (downwardAPI); it may also have all labels or annotations. */
export function validateVolumeFieldRef(fieldRef: Loose, field: string): FieldError[] {
  return validateFieldRef(fieldRef, field, VOLUME_FIELD_PATHS);
}

function validateFieldRef(fieldRef: Loose, field: string, known: readonly string[]): FieldError[] {
  if (unset(fieldRef.apiVersion)) return [required(`${field}.apiVersion`)];
  const at = `${field}.fieldPath`;
  if (unset(fieldRef.fieldPath)) return [required(at)];
  const subscript = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/.exec(fieldRef.fieldPath);
  if (subscript === null) {
    return known.includes(fieldRef.fieldPath) ? [] : [notSupported(at, fieldRef.fieldPath, known)];
  }
  const key =
    subscript[1] === 'metadata.annotations' ? (subscript[2] as string).toLowerCase() : (subscript[2] as string);
  return checkQualifiedName(key).map((e) => invalid(at, fieldRef.fieldPath, e));
}

export function validateResourceRef(ref: Loose, field: string): FieldError[] {
  if (unset(ref.resource)) return [required(`${field}.resource`)];
  return RESOURCE.test(ref.resource) ? [] : [notSupported(`${field}.resource`, ref.resource, RESOURCES)];
}
