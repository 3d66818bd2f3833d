/** Checks of a pod's volumes: one source each, and what each source needs. */
import type { FieldError } from '../machinery/field-error.js';
import { duplicate, forbiddenField, invalid, required } from '../machinery/field-error.js';
import { checkDnsLabel, checkDnsSubdomain } from '../machinery/names.js';
import { validateLocalPath } from './container-validation.js';
import { validateResourceRef, validateVolumeFieldRef } from './environment-validation.js';
import { mandatory, oneOf, optional } from './field-rules.js';
import type { Loose } from './loose.js';
import { entriesOf, listOf, unset } from './loose.js';
import { volumeSources } from './pod-defaults.js';
import { validateNotNegative } from './quantities.js';

const MODE_MAX = 0o777;
const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

/** @returns errors, and the names that mounts may use */
export function validateVolumes(volumes: Loose, field: string): { errors: FieldError[]; names: Set<string> } {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  listOf(volumes).forEach((volume, i) => {
    const at = `${field}[${i}]`;
    errors.push(...mandatory(volume.name, `${at}.name`, checkDnsLabel));
    if (names.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name));
    if (!unset(volume.name)) names.add(volume.name);
    const sources = volumeSources(volume);
    if (sources.length === 0) errors.push(required(at, 'must specify a volume type'));
    sources.forEach((source, s) => {
      if (s > 0) errors.push(forbiddenField(`${at}.${source}`, 'may not specify more than 1 volume type'));
      else errors.push(...validateSource(source, volume[source], `${at}.${source}`));
    });
  });
  return { errors, names };
}

function validateSource(source: string, value: Loose, field: string): FieldError[] {
  switch (source) {
    case 'emptyDir':
      return validateNotNegative(value.sizeLimit ?? '0', `${field}.sizeLimit`);
    case 'secret':
      return [...mandatory(value.secretName, `${field}.secretName`), ...validateFiles(value, field)];
    case 'configMap':
      return [...mandatory(value.name, `${field}.name`), ...validateFiles(value, field)];
    case 'persistentVolumeClaim':
      return mandatory(value.claimName, `${field}.claimName`);
    case 'downwardAPI':
      return [...validateMode(value.defaultMode, `${field}.defaultMode`), ...validateDownward(value.items, field)];
    case 'projected':
      return [...validateMode(value.defaultMode, `${field}.defaultMode`), ...validateProjected(value.sources, field)];
    case 'ephemeral':
      if (!value.volumeClaimTemplate) return [required(`${field}.volumeClaimTemplate`)];
      return value.volumeClaimTemplate.spec ? [] : [required(`${field}.volumeClaimTemplate.spec`)];
    default:
      return validateVolumeSource(source, value, field);
  }
}

/** Sources that PersistentVolumes know as well. */
export function validateVolumeSource(source: string, value: Loose, field: string): FieldError[] {
  switch (source) {
    case 'hostPath':
      return [
        ...mandatory(value.path, `${field}.path`, checkNoWayUp),
        ...oneOf(value.type, `${field}.type`, HOST_PATH_TYPES),
      ];
    case 'nfs':
      return [
        ...mandatory(value.server, `${field}.server`),
        ...mandatory(value.path, `${field}.path`, (path) => (path.startsWith('/') ? [] : ['must be an absolute path'])),
      ];
    case 'csi':
      return mandatory(value.driver, `${field}.driver`);
    case 'iscsi':
      return [...mandatory(value.targetPortal, `${field}.targetPortal`), ...mandatory(value.iqn, `${field}.iqn`)];
    case 'local':
      return mandatory(value.path, `${field}.path`, checkNoWayUp);
    case 'rbd':
      return [
        ...(listOf(value.monitors).length === 0 ? [required(`${field}.monitors`)] : []),
        ...mandatory(value.image, `${field}.image`),
      ];
    case 'cephfs':
      return listOf(value.monitors).length === 0 ? [required(`${field}.monitors`)] : [];
    default:
      return [];
  }
}

function checkNoWayUp(path: string): string[] {
  return path.split('/').includes('..') ? ["must not contain '..'"] : [];
}

function validateMode(mode: Loose, field: string): FieldError[] {
  if (typeof mode !== 'number' || (mode >= 0 && mode <= MODE_MAX)) return [];
  return [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}

/** Items of secrets and config maps. */
function validateFiles(holder: Loose, field: string): FieldError[] {
  const errors = validateMode(holder.defaultMode, `${field}.defaultMode`);
  listOf(holder.items).forEach((item, i) => {
    const at = `${field}.items[${i}]`;
    if (unset(item.key)) errors.push(required(`${at}.key`));
    errors.push(...validateFilePath(item.path, `${at}.path`), ...validateMode(item.mode, `${at}.mode`));
  });
  return errors;
}

function validateFilePath(path: Loose, field: string): FieldError[] {
  if (unset(path)) return [required(field)];
  const errors = validateLocalPath(path, field);
  if (errors.length === 0 && path.startsWith('..')) errors.push(invalid(field, path, "must not start with '..'"));
  return errors;
}

function validateDownward(items: Loose, field: string): FieldError[] {
  return listOf(items).flatMap((item, i) => {
    const at = `${field}.items[${i}]`;
    const errors = [...validateFilePath(item.path, `${at}.path`), ...validateMode(item.mode, `${at}.mode`)];
    if (item.fieldRef) {
      errors.push(...validateVolumeFieldRef(item.fieldRef, `${at}.fieldRef`));
      if (item.resourceFieldRef) {
        errors.push(invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
      }
    } else if (item.resourceFieldRef) {
      if (unset(item.resourceFieldRef.containerName)) errors.push(required(`${at}.resourceFieldRef.containerName`));
      else errors.push(...validateResourceRef(item.resourceFieldRef, `${at}.resourceFieldRef`));
    } else errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'));
    return errors;
  });
}

function validateProjected(sources: Loose, field: string): FieldError[] {
  return listOf(sources).flatMap((source, i) => {
    const at = `${field}.sources[${i}]`;
    const given = entriesOf(source).filter(([, value]) => value);
    if (given.length === 0) return [required(at, 'must specify a projected volume type')];
    return given.flatMap(([member, value], g) => {
      const inner = `${at}.${member}`;
      if (g > 0) return [forbiddenField(inner, 'may not specify more than 1 volume type')];
      if (member === 'secret' || member === 'configMap') {
        return [...mandatory(value.name, `${inner}.name`), ...validateFiles(value, inner)];
      }
      if (member === 'downwardAPI') return validateDownward(value.items, inner);
      if (member === 'serviceAccountToken') return validateToken(value, inner);
      return member === 'clusterTrustBundle' ? optional(value.name, `${inner}.name`, checkDnsSubdomain) : [];
    });
  });
}

const TOKEN_SECONDS_MIN = 600;

function validateToken(token: Loose, field: string): FieldError[] {
  const errors = validateFilePath(token.path, `${field}.path`);
  const seconds = token.expirationSeconds;
  const at = `${field}.expirationSeconds`;
  if (typeof seconds === 'number' && seconds < TOKEN_SECONDS_MIN) {
    errors.push(invalid(at, seconds, 'may not specify a duration less than 10 minutes'));
  } else if (seconds > 2 ** 32)
    errors.push(invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'));
  return errors;
}
