import type { FieldError } from '../machinery/field-error.js';
import { duplicate, invalid, required, tooMany } from '../machinery/field-error.js';
import { checkDnsLabel, checkDnsSubdomain } from '../machinery/names.js';
import { AGE, age, cutList, NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import { checkPort, checkPortName, mandatory, oneOf, optional } from './field-rules.js';
import { IP_RULE, isIp } from './ip.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { fillText, listOf, unset } from './loose.js';

const SHOWN = 3;

export function validateEndpointIp(ip: Loose, field: string): FieldError[] {
  if (unset(ip)) return [invalid(field, '', IP_RULE)];
  if (!isIp(ip)) return [invalid(field, ip, IP_RULE)];
  const errors: FieldError[] = [];
  if (ip === '0.0.0.0' || ip === '::') errors.push(invalid(field, ip, `may not be unspecified (${ip})`));
  if (/^127\./.test(ip) || ip === '::1')
    errors.push(invalid(field, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'));
  if (/^169\.254\./.test(ip))
    errors.push(invalid(field, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'));
  if (/^224\.0\.0\./.test(ip))
    errors.push(invalid(field, ip, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'));
  return errors;
}

function validateSubset(subset: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const [ready, notReady, ports] = [subset.addresses, subset.notReadyAddresses, subset.ports].map(listOf);
  if (ready?.length === 0 && notReady?.length === 0) {
    errors.push(required(field, 'must specify `addresses` or `notReadyAddresses`'));
  }
  for (const member of ['addresses', 'notReadyAddresses']) {
    listOf(subset[member]).forEach((address, i) => {
      const at = `${field}.${member}[${i}]`;
      errors.push(...validateEndpointIp(address.ip, `${at}.ip`));
      errors.push(...optional(address.hostname, `${at}.hostname`, checkDnsLabel));
      errors.push(...optional(address.nodeName, `${at}.nodeName`, checkDnsSubdomain));
    });
  }
  listOf(ports).forEach((port, i) => {
    const at = `${field}.ports[${i}]`;
    if (unset(port.name)) {
      if (listOf(ports).length > 1) errors.push(required(`${at}.name`));
    } else errors.push(...mandatory(port.name, `${at}.name`, checkDnsLabel));
    for (const e of checkPort(port.port ?? 0)) errors.push(invalid(`${at}.port`, port.port ?? 0, e));
    errors.push(...oneOf(port.protocol, `${at}.protocol`, ['SCTP', 'TCP', 'UDP'], true));
  });
  return errors;
}

export const endpointsKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  description: 'Endpoints lists the addresses behind a Service. EndpointSlices are the newer form.',
  storageDir: 'services/endpoints',
  allowCreateOnUpdate: true,
  setDefaults(object) {
    for (const subset of listOf(object.subsets)) {
      for (const port of listOf(subset.ports)) fillText(port, 'protocol', 'TCP');
    }
  },
  validate: (object) => listOf(object.subsets).flatMap((subset, i) => validateSubset(subset, `subsets[${i}]`)),
  columns: [NAME, text('Endpoints', 'Addresses and ports that are ready.'), AGE],
  cells(object, now) {
    const pairs = listOf(object.subsets).flatMap((subset) => {
      const hosts: string[] = listOf(subset.addresses).map(({ ip = '' }) => (ip.includes(':') ? `[${ip}]` : ip));
      const ports = listOf(subset.ports);
      return ports.length === 0 ? hosts : ports.flatMap(({ port }) => hosts.map((host) => `${host}:${port}`));
    });
    return [nameOf(object), cutList(pairs, SHOWN), age(object, now)];
  },
});

const SLICE_ENDPOINTS_MAX = 1000;
const SLICE_PORTS_MAX = 20000;
const ADDRESSES_MAX = 100;

export const endpointSliceKind: Kind = defineKind({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  description: 'EndpointSlice lists some of the addresses behind a Service.',
  hasGeneration: true,
  setDefaults(object) {
    for (const port of listOf(object.ports)) {
      fillText(port, 'protocol', 'TCP');
      if (port.name === undefined || port.name === null) port.name = '';
    }
  },
  validate(object) {
    const errors = oneOf(object.addressType, 'addressType', ['FQDN', 'IPv4', 'IPv6'], true);
    const endpoints = listOf(object.endpoints);
    if (endpoints.length > SLICE_ENDPOINTS_MAX)
      errors.push(tooMany('endpoints', endpoints.length, SLICE_ENDPOINTS_MAX));
    endpoints.forEach((endpoint, i) => {
      const field = `endpoints[${i}]`;
      const addresses = listOf(endpoint.addresses);
      if (addresses.length === 0) errors.push(required(`${field}.addresses`, 'must contain at least 1 address'));
      if (addresses.length > ADDRESSES_MAX) errors.push(tooMany(`${field}.addresses`, addresses.length, ADDRESSES_MAX));
      addresses.forEach((address, a) => {
        const at = `${field}.addresses[${a}]`;
        if (object.addressType === 'FQDN') errors.push(...mandatory(address, at, checkDnsSubdomain));
        else {
          errors.push(...validateEndpointIp(address, at));
          const six = object.addressType === 'IPv6';
          if (isIp(address) && address.includes(':') !== six) {
            errors.push(invalid(at, address, `must be an ${six ? 'IPv6' : 'IPv4'} address`));
          }
        }
      });
      errors.push(...optional(endpoint.hostname, `${field}.hostname`, checkDnsLabel));
      errors.push(...optional(endpoint.nodeName, `${field}.nodeName`, checkDnsSubdomain));
    });
    const ports = listOf(object.ports);
    const names = new Set<string>();
    if (ports.length > SLICE_PORTS_MAX) errors.push(tooMany('ports', ports.length, SLICE_PORTS_MAX));
    ports.forEach((port, i) => {
      errors.push(...optional(port.name, `ports[${i}].name`, checkPortName));
      if (names.has(port.name ?? '')) errors.push(duplicate(`ports[${i}].name`, port.name ?? ''));
      names.add(port.name ?? '');
      errors.push(...oneOf(port.protocol, `ports[${i}].protocol`, ['SCTP', 'TCP', 'UDP'], true));
    });
    return errors;
  },
  validateUpdate: (object, old) =>
    object.addressType === old.addressType ? [] : [invalid('addressType', object.addressType, 'field is immutable')],
  columns: [
    NAME,
    text('AddressType', 'What its addresses are.'),
    text('Ports', 'Ports of every address.'),
    text('Endpoints', 'The addresses.'),
    AGE,
  ],
  cells(object, now) {
    const ports = listOf(object.ports).map((port) => (unset(port.port) ? '*' : String(port.port)));
    const addresses = listOf(object.endpoints).flatMap((endpoint) => listOf(endpoint.addresses).slice(0, 1));
    const unsetText = '<unset>';
    return [
      nameOf(object),
      object.addressType ?? '',
      ports.length === 0 ? unsetText : cutList(ports, SHOWN),
      addresses.length === 0 ? unsetText : cutList(addresses, SHOWN),
      age(object, now),
    ];
  },
});
