/** The records of cluster addresses, and the ranges they come from, as the API shows them. */
import type { FieldError } from '../machinery/field-error.js';
import { invalid, required } from '../machinery/field-error.js';
import { AGE, age, NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import { IP_RULE, isCidr, isIp } from './ip.js';
import type { Kind } from './kind.js';
import { listOf, same, unset } from './loose.js';

export const ipAddressKind: Kind = defineKind({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  namespaced: false,
  description: 'IPAddress records which Service holds an address.',
  validate(object) {
    const errors: FieldError[] = [];
    if (!isIp(nameOf(object))) errors.push(invalid('metadata.name', nameOf(object), IP_RULE));
    const reference = object.spec?.parentRef;
    if (!reference) return [...errors, required('spec.parentRef')];
    for (const member of ['resource', 'name']) {
      if (unset(reference[member])) errors.push(required(`spec.parentRef.${member}`));
    }
    return errors;
  },
  validateUpdate: (object, old) =>
    same(object.spec?.parentRef, old.spec?.parentRef)
      ? []
      : [invalid('spec.parentRef', object.spec?.parentRef, 'field is immutable')],
  columns: [NAME, text('ParentRef', 'Whose it is.'), AGE],
  cells(object, now) {
    const { group = '', resource = '', namespace = '', name = '' } = object.spec?.parentRef ?? {};
    const parent = [resource + (group === '' ? '' : `.${group}`), namespace, name].filter((part) => part !== '');
    return [nameOf(object), parent.join('/'), age(object, now)];
  },
});

export const serviceCidrKind: Kind = defineKind({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  description: 'ServiceCIDR is a range of addresses for Services. The one in use is a setting of the server.',
  hasStatus: true,
  prepareForCreate(object) {
    delete object.status;
  },
  validate(object) {
    const cidrs = listOf(object.spec?.cidrs);
    if (cidrs.length === 0) return [required('spec.cidrs', 'at least one CIDR required')];
    const why = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
    return cidrs.flatMap((cidr, i) => (isCidr(cidr) ? [] : [invalid(`spec.cidrs[${i}]`, cidr, why)]));
  },
  validateUpdate: (object, old) =>
    same(object.spec?.cidrs, old.spec?.cidrs) ? [] : [invalid('spec.cidrs', object.spec?.cidrs, 'field is immutable')],
  columns: [NAME, text('CIDRs', 'The ranges.'), AGE],
  cells: (object, now) => [nameOf(object), listOf(object.spec?.cidrs).join(','), age(object, now)],
});
