/** Checks of requests and limits, and of the names of resources. */
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid } from '../machinery/field-error.js';
import { checkQualifiedName } from '../machinery/names.js';
import type { Loose } from './loose.js';
import { entriesOf } from './loose.js';
import { compareQuantities, isWhole, validateNotNegative } from './quantities.js';

const OF_CONTAINERS = ['cpu', 'memory', 'ephemeral-storage'];

function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** Resources that come in whole pieces and cannot be promised twice. */
export function isExtended(name: string): boolean {
  return name.includes('/') && !/(^|\.)kubernetes\.io\//.test(name);
}

export function validateContainerResourceName(name: string, field: string): FieldError[] {
  const wrong = checkQualifiedName(name);
  if (wrong.length > 0) return wrong.map((e) => invalid(field, name, e));
  if (name.includes('/') || OF_CONTAINERS.includes(name) || isHugePages(name)) return [];
  return [invalid(field, name, 'must be a standard resource for containers')];
}

function validateAmount(name: string, quantity: Loose, field: string): FieldError[] {
  const errors = validateNotNegative(quantity, field);
  if (isExtended(name) && !isWhole(quantity)) errors.push(invalid(field, quantity, 'must be an integer'));
  return errors;
}

/** Of a container: what it asks for may not pass what it is limited to. */
export function validateResources(resources: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  let huge = false;
  let plain = false;
  for (const member of ['limits', 'requests'] as const) {
    for (const [name, quantity] of entriesOf(resources?.[member])) {
      const at = `${field}.${member}[${name}]`;
      errors.push(...validateContainerResourceName(name, at), ...validateAmount(name, quantity, at));
      if (isHugePages(name)) huge = true;
      else if (name === 'cpu' || name === 'memory') plain = true;
    }
  }
  for (const [name, request] of entriesOf(resources?.requests)) {
    const limit = resources.limits?.[name];
    if (limit === undefined) {
      if (isExtended(name)) {
        errors.push(forbiddenField(`${field}.limits`, `Limit must be set for non overcommitable resources`));
      }
    } else if (isExtended(name) && compareQuantities(request, limit) !== 0) {
      errors.push(invalid(`${field}.requests`, request, `must be equal to ${name} limit of ${limit}`));
    } else if (compareQuantities(request, limit) > 0) {
      errors.push(invalid(`${field}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
    }
  }
  if (huge && !plain) errors.push(forbiddenField(field, 'HugePages require cpu or memory'));
  return errors;
}
