/** What PersistentVolumes and the claims to them have in common. */
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, notSupported, required } from '../machinery/field-error.js';
import type { Loose } from './loose.js';
import { listOf } from './loose.js';

const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const SHORT: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** `RWO,ROX` */
export function accessModesText(modes: Loose): string {
  const given = new Set(listOf(modes));
  return Object.entries(SHORT)
    .filter(([mode]) => given.has(mode))
    .map(([, short]) => short)
    .join(',');
}

export function validateAccessModes(modes: Loose, field: string): FieldError[] {
  const given = listOf(modes);
  if (given.length === 0) return [required(field, 'at least 1 access mode is required')];
  const errors: FieldError[] = given
    .filter((mode) => !MODES.includes(mode))
    .map((mode) => notSupported(field, mode, MODES));
  if (given.includes('ReadWriteOncePod') && given.length > 1) {
    errors.push(forbiddenField(field, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

export function validateVolumeMode(mode: Loose, field: string): FieldError[] {
  if (mode === undefined || mode === null || mode === 'Block' || mode === 'Filesystem') return [];
  return [notSupported(field, mode, ['Block', 'Filesystem'])];
}

export function mustBePositive(field: string, value: Loose): FieldError {
  return invalid(field, value, 'must be greater than zero');
}
