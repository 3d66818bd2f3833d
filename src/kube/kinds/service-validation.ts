/** Checks of Services. Whether an address or a port is free is found out when it is claimed. */
import type { FieldError } from '../machinery/field-error.js';
import { duplicate, forbiddenField, invalid, required } from '../machinery/field-error.js';
import { checkDnsLabel, checkDnsSubdomain, checkQualifiedName, validateLabels } from '../machinery/names.js';
import type { KubeObject } from '../machinery/object.js';
import { checkIntOrName, checkPort, inRange, mandatory, oneOf, optional } from './field-rules.js';
import { IP_RULE, isCidr, isIp } from './ip.js';
import type { Loose } from './loose.js';
import { listOf, unset } from './loose.js';
import { HEADLESS, isExternal, isExternalName, needsAddress, needsHealthPort } from './service-defaults.js';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const DAY_SECONDS = 86400;

export function validateService(object: KubeObject): FieldError[] {
  const spec = object.spec ?? {};
  return [
    ...oneOf(spec.type, 'spec.type', TYPES, true),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...oneOf(spec.sessionAffinity, 'spec.sessionAffinity', ['ClientIP', 'None'], true),
    ...validateAffinityConfig(spec),
    ...validateAddresses(spec),
    ...(isExternalName(spec) ? mandatory(spec.externalName, 'spec.externalName', checkExternalName) : []),
    ...validateExternalIps(spec.externalIPs),
    ...validatePolicies(spec),
    ...validateBalancer(spec),
  ];
}

function checkExternalName(name: string): string[] {
  return checkDnsSubdomain(name.replace(/\.$/, ''));
}

function validatePorts(spec: Loose): FieldError[] {
  const errors: FieldError[] = [];
  const ports = listOf(spec.ports);
  if (ports.length === 0 && needsAddress(spec)) return [required('spec.ports')];
  const names = new Set<string>();
  const pairs = new Set<string>();
  const nodePorts = new Set<string>();
  ports.forEach((port, i) => {
    const field = `spec.ports[${i}]`;
    if (unset(port.name)) {
      if (ports.length > 1) errors.push(required(`${field}.name`));
    } else {
      errors.push(...checkDnsLabel(port.name).map((e) => invalid(`${field}.name`, port.name, e)));
      if (names.has(port.name)) errors.push(duplicate(`${field}.name`, port.name));
      names.add(port.name);
    }
    for (const e of checkPort(port.port ?? 0)) errors.push(invalid(`${field}.port`, port.port ?? 0, e));
    errors.push(...oneOf(port.protocol, `${field}.protocol`, PROTOCOLS, true));
    for (const e of checkIntOrName(port.targetPort ?? 0))
      errors.push(invalid(`${field}.targetPort`, port.targetPort, e));
    errors.push(...optional(port.appProtocol, `${field}.appProtocol`, checkQualifiedName));
    if (port.nodePort && !isExternal(spec)) {
      errors.push(forbiddenField(`${field}.nodePort`, `may not be used when \`type\` is '${spec.type}'`));
    }
    const pair = `${port.protocol}/${port.port}`;
    if (pairs.has(pair)) errors.push(duplicate(field, { protocol: port.protocol, port: port.port }));
    pairs.add(pair);
    if (!port.nodePort) return;
    const outside = `${port.protocol}/${port.nodePort}`;
    if (nodePorts.has(outside)) errors.push(duplicate(`${field}.nodePort`, port.nodePort));
    nodePorts.add(outside);
  });
  return errors;
}

function validateAffinityConfig(spec: Loose): FieldError[] {
  const field = 'spec.sessionAffinityConfig';
  if (spec.sessionAffinity !== 'ClientIP') return [];
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (typeof seconds !== 'number') {
    return [required(`${field}.clientIP.timeoutSeconds`, 'must be set when session affinity is ClientIP')];
  }
  if (seconds > 0 && seconds <= DAY_SECONDS) return [];
  const why = `must be greater than 0 and less than ${DAY_SECONDS}`;
  return [invalid(`${field}.clientIP.timeoutSeconds`, seconds, why)];
}

function validateAddresses(spec: Loose): FieldError[] {
  const addresses = listOf(spec.clusterIPs);
  if (isExternalName(spec)) {
    if (addresses.length === 0 && unset(spec.clusterIP)) return [];
    return [forbiddenField('spec.clusterIPs', 'may not be set for ExternalName services')];
  }
  const errors: FieldError[] = [];
  if (unset(spec.clusterIP)) {
    if (addresses.length > 0) errors.push(required('spec.clusterIP', 'must be set when `clusterIPs` is specified'));
  } else if (addresses.length === 0) {
    errors.push(required('spec.clusterIPs[0]', 'must be set when `clusterIP` is specified'));
  } else if (addresses[0] !== spec.clusterIP) {
    errors.push(invalid('spec.clusterIPs[0]', addresses, 'first value must match `clusterIP`'));
  }
  if (addresses.length > 2) errors.push(invalid('spec.clusterIPs', addresses, 'may only hold up to 2 values'));
  addresses.forEach((address, i) => {
    if (address === HEADLESS) {
      if (i > 0) errors.push(invalid(`spec.clusterIPs[${i}]`, address, "must not be 'None' when it is not the first"));
      else if (isExternal(spec)) {
        errors.push(invalid('spec.clusterIPs[0]', address, `may not be set to 'None' for ${spec.type} services`));
      }
    } else if (!isIp(address)) errors.push(invalid(`spec.clusterIPs[${i}]`, address, IP_RULE));
  });
  errors.push(
    ...oneOf(spec.ipFamilyPolicy, 'spec.ipFamilyPolicy', ['SingleStack', 'PreferDualStack', 'RequireDualStack']),
  );
  listOf(spec.ipFamilies).forEach((family, i) => {
    errors.push(...oneOf(family, `spec.ipFamilies[${i}]`, ['IPv4', 'IPv6']));
  });
  return errors;
}

function validateExternalIps(addresses: Loose): FieldError[] {
  return listOf(addresses).flatMap((address, i) => {
    const field = `spec.externalIPs[${i}]`;
    if (!isIp(address)) return [invalid(field, address, IP_RULE)];
    if (address === '0.0.0.0' || address === '::')
      return [invalid(field, address, 'may not be unspecified (0.0.0.0 or ::)')];
    if (/^127\./.test(address) || address === '::1') {
      return [invalid(field, address, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
    }
    return [];
  });
}

function validatePolicies(spec: Loose): FieldError[] {
  const errors: FieldError[] = [];
  const policies = ['Cluster', 'Local'];
  const outside = 'spec.externalTrafficPolicy';
  if (isExternal(spec)) errors.push(...oneOf(spec.externalTrafficPolicy, outside, policies, true));
  else if (!unset(spec.externalTrafficPolicy)) {
    errors.push(invalid(outside, spec.externalTrafficPolicy, 'may only be set for externally-accessible services'));
  }
  errors.push(...oneOf(spec.internalTrafficPolicy, 'spec.internalTrafficPolicy', policies));
  const health = spec.healthCheckNodePort;
  if (health) {
    const field = 'spec.healthCheckNodePort';
    if (!needsHealthPort(spec)) {
      const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
      errors.push(invalid(field, health, why));
    } else errors.push(...inRange(health, field, 1, 65535));
  }
  return errors;
}

function validateBalancer(spec: Loose): FieldError[] {
  const only = "may only be used when `type` is 'LoadBalancer'";
  const errors: FieldError[] = [];
  if (spec.type !== 'LoadBalancer') {
    if (listOf(spec.loadBalancerSourceRanges).length > 0) {
      errors.push(forbiddenField('spec.LoadBalancerSourceRanges', only));
    }
    if (!unset(spec.loadBalancerClass)) errors.push(forbiddenField('spec.loadBalancerClass', only));
    if (spec.allocateLoadBalancerNodePorts !== undefined && spec.allocateLoadBalancerNodePorts !== null) {
      errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', only));
    }
    return errors;
  }
  errors.push(...optional(spec.loadBalancerClass, 'spec.loadBalancerClass', checkQualifiedName));
  listOf(spec.loadBalancerSourceRanges).forEach((range, i) => {
    if (isCidr(range.trim())) return;
    const why = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
    errors.push(invalid(`spec.LoadBalancerSourceRanges[${i}]`, range, why));
  });
  return errors;
}

/** An address stays with its Service until that becomes an alias of a name. */
export function validateServiceUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const now = object.spec ?? {};
  const then = old.spec ?? {};
  if (isExternalName(now) || isExternalName(then) || unset(then.clusterIP)) return [];
  const field = 'spec.clusterIPs[0]';
  if (unset(now.clusterIP)) return [invalid(field, listOf(now.clusterIPs), 'primary clusterIP can not be unset')];
  if (now.clusterIP === then.clusterIP) return [];
  return [invalid(field, listOf(now.clusterIPs), 'may not change once set')];
}
