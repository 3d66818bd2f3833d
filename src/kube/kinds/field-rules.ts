/** Checks of single values that validation of many kinds shares; the texts are those clients know. */
import type { FieldError } from '../machinery/field-error.js';
import { invalid, notSupported, required } from '../machinery/field-error.js';
import type { Loose } from './loose.js';
import { unset } from './loose.js';

const INT32_MAX = 2147483647;

export const NOT_NEGATIVE = 'must be greater than or equal to 0';

/** Each of these members must not be below zero, if it is there. */
export function notNegative(holder: Loose, field: string, ...members: string[]): FieldError[] {
  return members
    .filter((member) => typeof holder?.[member] === 'number' && holder[member] < 0)
    .map((member) => invalid(`${field}.${member}`, holder[member], NOT_NEGATIVE));
}

export function inRange(value: Loose, field: string, least: number, most: number = INT32_MAX): FieldError[] {
  if (typeof value !== 'number' || (value >= least && value <= most)) return [];
  return [invalid(field, value, `must be between ${least} and ${most}, inclusive`)];
}

/** A member out of a list. @param need absent or empty is an error too */
export function oneOf(value: Loose, field: string, values: readonly string[], need = false): FieldError[] {
  if (unset(value)) return need ? [required(field)] : [];
  return values.includes(value) ? [] : [notSupported(field, value, values)];
}

/** A text that must be there and, if a check is given, pass it. */
export function mandatory(
  value: Loose,
  field: string,
  check?: (text: string) => string[],
  detail?: string,
): FieldError[] {
  if (unset(value)) return [required(field, detail)];
  return check === undefined ? [] : check(value).map((e) => invalid(field, value, e));
}

/** A text that may be missing. */
export function optional(value: Loose, field: string, check: (text: string) => string[]): FieldError[] {
  return unset(value) ? [] : check(value).map((e) => invalid(field, value, e));
}

export const IMMUTABLE = 'field is immutable';

/** `Invalid value: ...: field is immutable`, as validation of updates says it. */
export function immutable(changed: boolean, value: Loose, field: string): FieldError[] {
  return changed ? [invalid(field, value, IMMUTABLE)] : [];
}

const PORT_NAME_LENGTH_MAX = 15;

/** RFC 6335 service names, as ports of containers and Services carry them. */
export function checkPortName(name: string): string[] {
  const errors: string[] = [];
  if (name.length > PORT_NAME_LENGTH_MAX) errors.push(`must be no more than ${PORT_NAME_LENGTH_MAX} characters`);
  if (!/^[-a-z0-9]+$/.test(name)) {
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)');
  if (name.includes('--')) errors.push('must not contain consecutive hyphens');
  if (/^-|-$/.test(name)) errors.push('must not begin or end with a hyphen');
  return errors;
}

export function checkPort(port: number): string[] {
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];
}

/** A number or the name of a port. */
export function checkIntOrName(port: number | string): string[] {
  return typeof port === 'number' ? checkPort(port) : checkPortName(port);
}

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;

/** Keys of ConfigMaps and Secrets. */
export function checkConfigKey(key: string): string[] {
  const errors: string[] = [];
  if (key.length > 253) errors.push('must be no more than 253 bytes');
  if (!CONFIG_KEY.test(key)) {
    errors.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    );
  }
  if (key === '.' || key === '..') errors.push(`must not be '${key}'`);
  else if (key.startsWith('..')) errors.push("must not start with '..'");
  return errors;
}

/** Percentages and numbers, as maxSurge takes them. */
export function validateIntOrPercent(value: Loose, field: string): FieldError[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') {
    if (/^[0-9]+%$/.test(value)) return [];
    const rule =
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
    return [invalid(field, value, rule)];
  }
  return value < 0 ? [invalid(field, value, NOT_NEGATIVE)] : [];
}

/** A percentage may not pass 100. */
export function validateHundredAtMost(value: Loose, field: string): FieldError[] {
  if (typeof value !== 'string' || !/^[0-9]+%$/.test(value) || Number.parseInt(value, 10) <= 100) return [];
  return [invalid(field, value, 'must not be greater than 100%')];
}

/** Zero as a number or a percentage. */
export function isZero(value: Loose): boolean {
  return value === 0 || (typeof value === 'string' && /^0+%$/.test(value));
}
