import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, required } from '../machinery/field-error.js';
import { labelSelectorCell, validateLabelSelector } from '../machinery/label-selector.js';
import { AGE, age, NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import { checkIntOrName, inRange, mandatory, oneOf } from './field-rules.js';
import { isCidr } from './ip.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { entriesOf, fillText, listOf, unset, within } from './loose.js';

const CIDR_RULE = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

function validatePort(port: Loose, field: string): FieldError[] {
  const errors = oneOf(port.protocol, `${field}.protocol`, ['SCTP', 'TCP', 'UDP']);
  if (port.port !== undefined && port.port !== null) {
    errors.push(...checkIntOrName(port.port).map((e) => invalid(`${field}.port`, port.port, e)));
  }
  if (typeof port.endPort !== 'number') return errors;
  const at = `${field}.endPort`;
  if (typeof port.port === 'string')
    errors.push(invalid(at, port.endPort, 'may not be specified when `port` is non-numeric'));
  else if (typeof port.port !== 'number')
    errors.push(invalid(at, port.endPort, 'may not be specified when `port` is not specified'));
  else if (port.endPort < port.port) errors.push(invalid(at, port.endPort, 'must be greater than or equal to `port`'));
  return [...errors, ...inRange(port.endPort, at, 1, 65535)];
}

function validatePeer(peer: Loose, field: string): FieldError[] {
  const given = entriesOf(peer).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0) return [required(field, 'must specify a peer')];
  if (!peer.ipBlock) {
    return [
      ...validateLabelSelector(peer.podSelector, `${field}.podSelector`),
      ...validateLabelSelector(peer.namespaceSelector, `${field}.namespaceSelector`),
    ];
  }
  if (given.length > 1) return [forbiddenField(field, 'may not specify both ipBlock and another peer')];
  const at = `${field}.ipBlock`;
  const { cidr, except } = peer.ipBlock;
  const errors = mandatory(cidr, `${at}.cidr`, (text) => (isCidr(text) ? [] : [CIDR_RULE]));
  listOf(except).forEach((range, i) => {
    if (!isCidr(range)) errors.push(invalid(`${at}.except[${i}]`, range, CIDR_RULE));
  });
  return errors;
}

export const networkPolicyKind: Kind = defineKind({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  namespaced: true,
  description: 'NetworkPolicy says who may talk to the pods it selects, and to whom they may talk.',
  hasGeneration: true,
  setDefaults(object) {
    const spec = within(object, 'spec');
    for (const rule of [...listOf(spec.ingress), ...listOf(spec.egress)]) {
      for (const port of listOf(rule.ports)) fillText(port, 'protocol', 'TCP');
    }
    if (listOf(spec.policyTypes).length > 0) return;
    spec.policyTypes = listOf(spec.egress).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  },
  validate(object) {
    const spec = object.spec ?? {};
    const errors = validateLabelSelector(spec.podSelector, 'spec.podSelector');
    for (const [member, peers] of [
      ['ingress', 'from'],
      ['egress', 'to'],
    ] as const) {
      listOf(spec[member]).forEach((rule, i) => {
        const field = `spec.${member}[${i}]`;
        listOf(rule.ports).forEach((port, p) => {
          errors.push(...validatePort(port, `${field}.ports[${p}]`));
        });
        listOf(rule[peers]).forEach((peer, p) => {
          errors.push(...validatePeer(peer, `${field}.${peers}[${p}]`));
        });
      });
    }
    const types = listOf(spec.policyTypes);
    if (types.length > 2) errors.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
    else {
      types.forEach((type, i) => {
        errors.push(...oneOf(type, `spec.policyTypes[${i}]`, ['Egress', 'Ingress'], !unset(type)));
      });
    }
    return errors;
  },
  columns: [NAME, text('Pod-Selector', 'Which pods it is for.'), AGE],
  cells: (object, now) => [nameOf(object), labelSelectorCell(object.spec?.podSelector), age(object, now)],
});
