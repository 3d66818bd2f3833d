/** Checks of one container: names, image, ports, environment, mounts, resources. Lists are checked in pod-validation. */
import type { FieldError } from '../machinery/field-error.js';
import { duplicate, fieldNotFound, forbiddenField, invalid, notSupported, required } from '../machinery/field-error.js';
import { checkDnsLabel } from '../machinery/names.js';
import { validateEnvironment } from './environment-validation.js';
import { checkPort, checkPortName, inRange, mandatory, oneOf, optional } from './field-rules.js';
import type { Loose } from './loose.js';
import { listOf, unset } from './loose.js';
import { validateLifecycle, validateProbe } from './probe-validation.js';
import { validateResources } from './resource-validation.js';

export type ContainerRole = 'container' | 'init' | 'ephemeral';

/** @param volumes names that mounts may use */
export function validateContainer(
  container: Loose,
  field: string,
  role: ContainerRole,
  volumes: ReadonlySet<string>,
): FieldError[] {
  const errors = [
    ...mandatory(container.name, `${field}.name`, checkDnsLabel),
    ...validateImage(container.image, `${field}.image`),
    ...oneOf(container.imagePullPolicy, `${field}.imagePullPolicy`, ['Always', 'IfNotPresent', 'Never'], true),
    ...oneOf(container.terminationMessagePolicy, `${field}.terminationMessagePolicy`, [
      'File',
      'FallbackToLogsOnError',
    ]),
    ...validatePorts(container.ports, `${field}.ports`),
    ...validateEnvironment(container, field),
    ...validateMounts(container, field, volumes),
    ...validateResources(container.resources, `${field}.resources`),
    ...validateSecurityContext(container.securityContext, `${field}.securityContext`),
  ];
  if (role === 'ephemeral') errors.push(...validateEphemeral(container, field));
  else errors.push(...validateLife(container, field, role));
  return errors;
}

function validateImage(image: Loose, field: string): FieldError[] {
  if (unset(image)) return [required(field)];
  return image === image.trim() ? [] : [invalid(field, image, 'must not have leading or trailing whitespace')];
}

/** What starts, watches and ends it. Of the init containers only those that go on running (sidecars) are watched. */
function validateLife(container: Loose, field: string, role: ContainerRole): FieldError[] {
  const errors: FieldError[] = [];
  const sidecar = role === 'init' && container.restartPolicy === 'Always';
  if (!unset(container.restartPolicy) && role === 'init' && !sidecar) {
    errors.push(notSupported(`${field}.restartPolicy`, container.restartPolicy, ['Always']));
  }
  if (!unset(container.restartPolicy) && role === 'container') {
    errors.push(forbiddenField(`${field}.restartPolicy`, 'may not be set for non-init containers'));
  }
  for (const member of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (container[member] === undefined || container[member] === null) continue;
    if (role === 'init' && !sidecar) {
      const why = 'may not be set for init containers without restartPolicy=Always';
      errors.push(forbiddenField(`${field}.${member}`, why));
    } else if (member === 'lifecycle') errors.push(...validateLifecycle(container.lifecycle, `${field}.lifecycle`));
    else errors.push(...validateProbe(container[member], `${field}.${member}`, member));
  }
  return errors;
}

const NOT_FOR_EPHEMERAL = ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'];

function validateEphemeral(container: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const member of NOT_FOR_EPHEMERAL) {
    if (container[member] === undefined || listOf(container[member]).length === 0) {
      if (!(container[member] && !Array.isArray(container[member]))) continue;
    }
    errors.push(forbiddenField(`${field}.${member}`, 'cannot be set for an Ephemeral Container'));
  }
  for (const member of ['limits', 'requests']) {
    if (container.resources?.[member] === undefined) continue;
    errors.push(forbiddenField(`${field}.resources`, 'cannot be set for an Ephemeral Container'));
    break;
  }
  return errors;
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

function validatePorts(ports: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  listOf(ports).forEach((port, i) => {
    const at = `${field}[${i}]`;
    if (!unset(port.name)) {
      const wrong = checkPortName(port.name);
      errors.push(...wrong.map((e) => invalid(`${at}.name`, port.name, e)));
      if (wrong.length === 0 && names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(required(`${at}.containerPort`));
    else
      for (const e of checkPort(port.containerPort)) errors.push(invalid(`${at}.containerPort`, port.containerPort, e));
    if (port.hostPort)
      for (const e of checkPort(port.hostPort)) errors.push(invalid(`${at}.hostPort`, port.hostPort, e));
    errors.push(...oneOf(port.protocol, `${at}.protocol`, PROTOCOLS, true));
  });
  return errors;
}

function validateMounts(container: Loose, field: string, volumes: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  listOf(container.volumeMounts).forEach((mount, i) => {
    const at = `${field}.volumeMounts[${i}]`;
    if (unset(mount.name)) errors.push(required(`${at}.name`));
    else if (!volumes.has(mount.name)) errors.push(fieldNotFound(`${at}.name`, mount.name));
    if (unset(mount.mountPath)) errors.push(required(`${at}.mountPath`));
    if (paths.has(mount.mountPath)) errors.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    paths.add(mount.mountPath);
    errors.push(...validateLocalPath(mount.subPath, `${at}.subPath`));
    errors.push(...validateLocalPath(mount.subPathExpr, `${at}.subPathExpr`));
    if (!unset(mount.subPath) && !unset(mount.subPathExpr)) {
      errors.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
    }
    const modes = ['Bidirectional', 'HostToContainer', 'None'];
    errors.push(...oneOf(mount.mountPropagation, `${at}.mountPropagation`, modes));
  });
  listOf(container.volumeDevices).forEach((device, i) => {
    const at = `${field}.volumeDevices[${i}]`;
    if (unset(device.name)) errors.push(required(`${at}.name`));
    else if (!volumes.has(device.name)) errors.push(fieldNotFound(`${at}.name`, device.name));
    if (unset(device.devicePath)) errors.push(required(`${at}.devicePath`));
    else if (paths.has(device.devicePath)) {
      errors.push(invalid(`${at}.devicePath`, device.devicePath, 'must not already exist in volumeMounts'));
    }
  });
  return errors;
}

/** Inside of a volume, without a way out of it. */
export function validateLocalPath(path: Loose, field: string): FieldError[] {
  if (unset(path)) return [];
  if (path.startsWith('/')) return [invalid(field, path, 'must be a relative path')];
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
}

/** Of a container; that of the pod has the same user and group. */
export function validateSecurityContext(context: Loose, field: string): FieldError[] {
  if (!context) return [];
  const errors = [
    ...inRange(context.runAsUser, `${field}.runAsUser`, 0),
    ...inRange(context.runAsGroup, `${field}.runAsGroup`, 0),
    ...oneOf(context.procMount, `${field}.procMount`, ['Default', 'Unmasked']),
    ...oneOf(context.seccompProfile?.type, `${field}.seccompProfile.type`, [
      'Localhost',
      'RuntimeDefault',
      'Unconfined',
    ]),
    ...optional(
      context.windowsOptions?.gmsaCredentialSpecName,
      `${field}.windowsOptions.gmsaCredentialSpecName`,
      checkDnsLabel,
    ),
  ];
  const escalation = `${field}.allowPrivilegeEscalation`;
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      errors.push(
        invalid(escalation, false, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'),
      );
    }
    if (listOf(context.capabilities?.add).includes('CAP_SYS_ADMIN')) {
      const why = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
      errors.push(invalid(escalation, false, why));
    }
  }
  return errors;
}
