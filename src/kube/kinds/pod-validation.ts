/** Checks of a pod's spec, wherever it stands: in a pod or in a template. */
import type { FieldError } from '../machinery/field-error.js';
import { duplicate, forbiddenField, invalid, required } from '../machinery/field-error.js';
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkQualifiedName,
  validateAnnotations,
  validateLabels,
} from '../machinery/names.js';
import type { ContainerRole } from './container-validation.js';
import { validateContainer } from './container-validation.js';
import { inRange, notNegative, oneOf, optional } from './field-rules.js';
import { IP_RULE, isIp } from './ip.js';
import type { Loose } from './loose.js';
import { entriesOf, listOf, unset } from './loose.js';
import { validateNotNegative } from './quantities.js';
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling-validation.js';
import { validateVolumes } from './volume-validation.js';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** @param field `spec`, `spec.template.spec` */
export function validatePodSpec(spec: Loose, field: string): FieldError[] {
  if (!spec) return [required(`${field}.containers`)];
  const volumes = validateVolumes(spec.volumes, `${field}.volumes`);
  return [
    ...volumes.errors,
    ...validateContainers(spec, field, volumes.names),
    ...oneOf(spec.restartPolicy, `${field}.restartPolicy`, RESTART_POLICIES, true),
    ...validateDns(spec, field),
    ...validatePodSecurity(spec, field),
    ...optional(spec.serviceAccountName, `${field}.serviceAccountName`, checkDnsSubdomain),
    ...optional(spec.nodeName, `${field}.nodeName`, checkDnsSubdomain),
    ...optional(spec.hostname, `${field}.hostname`, checkDnsLabel),
    ...optional(spec.subdomain, `${field}.subdomain`, checkDnsLabel),
    ...optional(spec.priorityClassName, `${field}.priorityClassName`, checkDnsSubdomain),
    ...optional(spec.runtimeClassName, `${field}.runtimeClassName`, checkDnsSubdomain),
    ...inRange(spec.activeDeadlineSeconds, `${field}.activeDeadlineSeconds`, 1),
    ...notNegative(spec, field, 'terminationGracePeriodSeconds'),
    ...oneOf(spec.preemptionPolicy, `${field}.preemptionPolicy`, ['Never', 'PreemptLowerPriority']),
    ...oneOf(spec.os?.name, `${field}.os.name`, ['linux', 'windows']),
    ...validateLabels(spec.nodeSelector, `${field}.nodeSelector`),
    ...validateTolerations(spec.tolerations, `${field}.tolerations`),
    ...validateAffinity(spec.affinity, `${field}.affinity`),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${field}.topologySpreadConstraints`),
    ...validateNamedLists(spec, field),
    ...entriesOf(spec.overhead).flatMap(([name, amount]) => validateNotNegative(amount, `${field}.overhead[${name}]`)),
  ];
}

function validateContainers(spec: Loose, field: string, volumes: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const claim = (name: Loose, at: string) => {
    if (unset(name)) return;
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
  };
  const check = (member: string, role: ContainerRole) => {
    listOf(spec[member]).forEach((container, i) => {
      const at = `${field}.${member}[${i}]`;
      errors.push(...validateContainer(container, at, role, volumes));
      claim(container.name, at);
    });
  };
  if (listOf(spec.containers).length === 0) errors.push(required(`${field}.containers`));
  check('containers', 'container');
  check('initContainers', 'init');
  check('ephemeralContainers', 'ephemeral');
  listOf(spec.ephemeralContainers).forEach((container, i) => {
    const target = container.targetContainerName;
    if (!unset(target) && !listOf(spec.containers).some((c) => c.name === target)) {
      const at = `${field}.ephemeralContainers[${i}].targetContainerName`;
      errors.push({ type: 'FieldValueNotFound', field: at, message: `Not found: ${JSON.stringify(target)}` });
    }
  });
  errors.push(...validateHostPorts(spec, field));
  return errors;
}

/** Two containers cannot have the same port of the node; with the node's network the two ports are one. */
function validateHostPorts(spec: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const member of ['containers', 'initContainers']) {
    const taken = new Set<string>();
    listOf(spec[member]).forEach((container, i) => {
      listOf(container.ports).forEach((port, p) => {
        const at = `${field}.${member}[${i}].ports[${p}]`;
        if (!port.hostPort) return;
        if (spec.hostNetwork === true && port.hostPort !== port.containerPort) {
          errors.push(
            invalid(`${at}.containerPort`, port.containerPort, 'must match `hostPort` when `hostNetwork` is true'),
          );
        }
        const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
        if (member === 'containers' && taken.has(key)) errors.push(duplicate(`${at}.hostPort`, key));
        taken.add(key);
      });
    });
  }
  return errors;
}

const NAMESERVERS_MAX = 3;

function validateDns(spec: Loose, field: string): FieldError[] {
  const errors = oneOf(spec.dnsPolicy, `${field}.dnsPolicy`, DNS_POLICIES, true);
  const servers = listOf(spec.dnsConfig?.nameservers);
  const at = `${field}.dnsConfig.nameservers`;
  if (spec.dnsPolicy === 'None') {
    if (!spec.dnsConfig) {
      errors.push(required(`${field}.dnsConfig`, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    } else if (servers.length === 0) {
      errors.push(required(at, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
    }
  }
  if (servers.length > NAMESERVERS_MAX) {
    errors.push(invalid(at, servers, `must not have more than ${NAMESERVERS_MAX} nameservers`));
  }
  servers.forEach((ip, i) => {
    if (!isIp(ip)) errors.push(invalid(`${at}[${i}]`, ip, IP_RULE));
  });
  listOf(spec.hostAliases).forEach((alias, i) => {
    const here = `${field}.hostAliases[${i}]`;
    if (!isIp(alias.ip ?? '')) {
      errors.push(invalid(`${here}.ip`, alias.ip ?? '', IP_RULE));
    }
    listOf(alias.hostnames).forEach((name, n) => {
      for (const e of checkDnsSubdomain(name)) errors.push(invalid(`${here}.hostnames[${n}]`, name, e));
    });
  });
  return errors;
}

function validatePodSecurity(spec: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const at = `${field}.securityContext`;
  const context = spec.securityContext ?? {};
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const why = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(invalid(`${field}.shareProcessNamespace`, true, why));
  }
  for (const member of ['fsGroup', 'runAsUser', 'runAsGroup'])
    errors.push(...inRange(context[member], `${at}.${member}`, 0));
  listOf(context.supplementalGroups).forEach((group, i) => {
    errors.push(...inRange(group, `${at}.supplementalGroups[${i}]`, 0));
  });
  errors.push(...oneOf(context.fsGroupChangePolicy, `${at}.fsGroupChangePolicy`, ['Always', 'OnRootMismatch']));
  const profiles = ['Localhost', 'RuntimeDefault', 'Unconfined'];
  errors.push(...oneOf(context.seccompProfile?.type, `${at}.seccompProfile.type`, profiles));
  const names = new Set<string>();
  listOf(context.sysctls).forEach((sysctl, i) => {
    if (unset(sysctl.name)) errors.push(required(`${at}.sysctls[${i}].name`));
    else if (names.has(sysctl.name)) errors.push(duplicate(`${at}.sysctls[${i}].name`, sysctl.name));
    names.add(sysctl.name);
  });
  return errors;
}

function validateNamedLists(spec: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  listOf(spec.imagePullSecrets).forEach((secret, i) => {
    if (unset(secret.name)) errors.push(required(`${field}.imagePullSecrets[${i}].name`));
  });
  listOf(spec.readinessGates).forEach((gate, i) => {
    const at = `${field}.readinessGates[${i}].conditionType`;
    for (const e of checkQualifiedName(gate.conditionType ?? '')) errors.push(invalid(at, gate.conditionType ?? '', e));
  });
  const gates = new Set<string>();
  listOf(spec.schedulingGates).forEach((gate, i) => {
    const at = `${field}.schedulingGates[${i}]`;
    for (const e of checkQualifiedName(gate.name ?? '')) errors.push(invalid(at, gate.name ?? '', e));
    if (gates.has(gate.name)) errors.push(duplicate(at, gate.name));
    gates.add(gate.name);
  });
  return errors;
}

/** Of a pod that is created: what only an update or another path may bring. */
export function validateNewPodSpec(spec: Loose, field: string): FieldError[] {
  if (listOf(spec?.ephemeralContainers).length > 0) {
    return [forbiddenField(`${field}.ephemeralContainers`, 'cannot be set on create')];
  }
  if (!unset(spec?.nodeName) && listOf(spec?.schedulingGates).length > 0) {
    return [forbiddenField(`${field}.nodeName`, 'cannot be set until all schedulingGates have been cleared')];
  }
  return [];
}

/** @param field `spec.template` */
export function validatePodTemplate(template: Loose, field: string): FieldError[] {
  return [
    ...validateLabels(template?.metadata?.labels, `${field}.labels`),
    ...validateAnnotations(template?.metadata?.annotations, `${field}.annotations`),
    ...validatePodSpec(template?.spec, `${field}.spec`),
    ...(listOf(template?.spec?.ephemeralContainers).length > 0
      ? [forbiddenField(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')]
      : []),
  ];
}
