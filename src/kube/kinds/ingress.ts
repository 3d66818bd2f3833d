import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, required } from '../machinery/field-error.js';
import { checkDns1035Label, checkDnsSubdomain, checkWildcardSubdomain } from '../machinery/names.js';
import { AGE, age, cutList, NAME, nameOf, orNone, text } from './columns.js';
import { defineKind } from './define.js';
import { checkPort, checkPortName, mandatory, oneOf, optional } from './field-rules.js';
import { isIp } from './ip.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { fill, listOf, unset, within } from './loose.js';

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const SHOWN_HOSTS = 3;

function checkHost(host: string): string[] {
  if (isIp(host)) return ['must be a DNS name, not an IP address'];
  return host.includes('*') ? checkWildcardSubdomain(host) : checkDnsSubdomain(host);
}

function validateBackend(backend: Loose, field: string): FieldError[] {
  const { service, resource } = backend ?? {};
  if (service && resource) return [invalid(field, '', 'cannot set both resource and service backends')];
  if (resource) {
    return [
      ...mandatory(resource.kind, `${field}.resource.kind`),
      ...mandatory(resource.name, `${field}.resource.name`),
    ];
  }
  if (!service) return [required(field, 'must specify a backend: a service or a resource')];
  const errors = mandatory(service.name, `${field}.service.name`, checkDns1035Label);
  const { name, number } = service.port ?? {};
  const at = `${field}.service.port`;
  if (!unset(name) && number) errors.push(invalid(at, '', 'cannot set both port name & port number'));
  else if (!unset(name)) errors.push(...checkPortName(name).map((e) => invalid(`${at}.name`, name, e)));
  else if (number) errors.push(...checkPort(number).map((e) => invalid(`${at}.number`, number, e)));
  else errors.push(required(at, 'port name or number is required'));
  return errors;
}

const ENCODED = ['%2f', '%2F'];
const SEQUENCES = ['//', '/./', '/../'];

function validatePath(path: Loose, field: string): FieldError[] {
  if (unset(path.pathType)) return [required(`${field}.pathType`, 'pathType must be specified')];
  const errors = oneOf(path.pathType, `${field}.pathType`, PATH_TYPES);
  const text = path.path ?? '';
  const at = `${field}.path`;
  if (path.pathType === 'ImplementationSpecific') {
    if (text !== '' && !text.startsWith('/')) errors.push(invalid(at, text, 'must be an absolute path'));
  } else if (!text.startsWith('/')) errors.push(invalid(at, text, 'must be an absolute path'));
  else {
    for (const part of SEQUENCES) if (text.includes(part)) errors.push(invalid(at, text, `must not contain '${part}'`));
    for (const part of ENCODED) if (text.includes(part)) errors.push(invalid(at, text, `must not contain '${part}'`));
    for (const end of ['/..', '/.']) {
      if (!text.endsWith(end)) continue;
      errors.push(invalid(at, text, `cannot end with '${end}'`));
      break;
    }
  }
  return [...errors, ...validateBackend(path.backend, `${field}.backend`)];
}

function validateSpec(spec: Loose): FieldError[] {
  const errors: FieldError[] = [];
  const rules = listOf(spec.rules);
  if (rules.length === 0 && !spec.defaultBackend) {
    errors.push(invalid('spec', '', 'either `defaultBackend` or `rules` must be specified'));
  }
  if (spec.defaultBackend) errors.push(...validateBackend(spec.defaultBackend, 'spec.defaultBackend'));
  rules.forEach((rule, i) => {
    const field = `spec.rules[${i}]`;
    errors.push(...optional(rule.host, `${field}.host`, checkHost));
    if (!rule.http) return;
    const paths = listOf(rule.http.paths);
    if (paths.length === 0) errors.push(required(`${field}.http.paths`));
    paths.forEach((path, p) => {
      errors.push(...validatePath(path, `${field}.http.paths[${p}]`));
    });
  });
  listOf(spec.tls).forEach((tls, i) => {
    listOf(tls.hosts).forEach((host, h) => {
      errors.push(...optional(host, `spec.tls[${i}].hosts[${h}]`, checkHost));
    });
  });
  return [...errors, ...optional(spec.ingressClassName, 'spec.ingressClassName', checkDnsSubdomain)];
}

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

export const ingressKind: Kind = defineKind({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  namespaced: true,
  description: 'Ingress leads HTTP requests from outside to Services, by host and path.',
  storageDir: 'ingress',
  hasStatus: true,
  hasGeneration: true,
  setDefaults: (object) => fill(within(object, 'status'), 'loadBalancer', {}),
  validate: (object) => validateSpec(object.spec ?? {}),
  validateCreate(object) {
    if (!object.metadata.annotations?.[CLASS_ANNOTATION] || unset(object.spec?.ingressClassName)) return [];
    const field = `metadata.annotations[${CLASS_ANNOTATION}]`;
    const why = 'can not be set when the class field is also set';
    return [invalid(field, object.metadata.annotations[CLASS_ANNOTATION], why)];
  },
  columns: [
    NAME,
    text('Class', 'Whose business it is.'),
    text('Hosts', 'Which hosts it is for.'),
    text('Address', 'Where it is reached.'),
    text('Ports', 'On which ports.'),
    AGE,
  ],
  cells(object, now) {
    const { spec, status } = object;
    const hosts = listOf(spec?.rules)
      .map((rule) => rule.host)
      .filter((host) => !unset(host));
    const addresses = listOf(status?.loadBalancer?.ingress).map((entry) => entry.ip || entry.hostname || '');
    return [
      nameOf(object),
      orNone(spec?.ingressClassName),
      hosts.length === 0 ? '*' : cutList(hosts, SHOWN_HOSTS),
      addresses.filter((address) => address !== '').join(','),
      listOf(spec?.tls).length > 0 ? '80, 443' : '80',
      age(object, now),
    ];
  },
});

const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class';

export const ingressClassKind: Kind = defineKind({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  namespaced: false,
  description: 'IngressClass names the controller that serves Ingresses of a class.',
  hasGeneration: true,
  validate(object) {
    const { controller, parameters } = object.spec ?? {};
    const errors: FieldError[] = mandatory(controller, 'spec.controller', (name) =>
      /^[^/]+\/.+$/.test(name) ? checkDnsSubdomain(name.split('/')[0] as string) : ['must be a domain-prefixed path'],
    );
    if (!parameters) return errors;
    const field = 'spec.parameters';
    errors.push(...mandatory(parameters.kind, `${field}.kind`), ...mandatory(parameters.name, `${field}.name`));
    errors.push(...oneOf(parameters.scope, `${field}.scope`, ['Cluster', 'Namespace'], true));
    if (parameters.scope === 'Namespace') errors.push(...mandatory(parameters.namespace, `${field}.namespace`));
    if (parameters.scope === 'Cluster' && !unset(parameters.namespace)) {
      errors.push(
        forbiddenField(`${field}.namespace`, "parameters.namespace may not be specified when scope is 'Cluster'"),
      );
    }
    return errors;
  },
  setDefaults(object) {
    if (object.spec?.parameters) object.spec.parameters.scope ||= 'Cluster';
  },
  validateUpdate: (object, old) =>
    object.spec?.controller === old.spec?.controller
      ? []
      : [invalid('spec.controller', object.spec?.controller, 'field is immutable')],
  columns: [NAME, text('Controller', 'Who serves it.'), text('Parameters', 'Settings of the controller.'), AGE],
  cells(object, now) {
    const { controller, parameters } = object.spec ?? {};
    const group = parameters?.apiGroup ? `.${parameters.apiGroup}` : '';
    const settings = parameters ? `${parameters.kind}${group}/${parameters.name}` : '<none>';
    const isDefault = object.metadata.annotations?.[DEFAULT_CLASS] === 'true';
    return [`${nameOf(object)}${isDefault ? ' (default)' : ''}`, controller ?? '', settings, age(object, now)];
  },
});
