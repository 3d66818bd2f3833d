/** Checks of probes and lifecycle hooks. */
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, required } from '../machinery/field-error.js';
import { checkIntOrName, inRange, mandatory, notNegative, oneOf } from './field-rules.js';
import type { Loose } from './loose.js';
import { entriesOf, listOf, unset } from './loose.js';

/** @param kind `livenessProbe`, `readinessProbe` or `startupProbe` */
export function validateProbe(probe: Loose, field: string, kind: string): FieldError[] {
  const numbers = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'];
  const errors = [...validateHandler(probe, field), ...notNegative(probe, field, ...numbers)];
  const grace = probe.terminationGracePeriodSeconds;
  if (kind === 'readinessProbe') {
    if (grace !== undefined && grace !== null) {
      errors.push(invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'));
    }
    return errors;
  }
  if (typeof grace === 'number' && grace <= 0) {
    errors.push(invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  }
  if (typeof probe.successThreshold === 'number' && probe.successThreshold !== 1) {
    errors.push(invalid(`${field}.successThreshold`, probe.successThreshold, 'must be 1'));
  }
  return errors;
}

export function validateLifecycle(lifecycle: Loose, field: string): FieldError[] {
  return ['postStart', 'preStop']
    .filter((member) => lifecycle[member])
    .flatMap((member) => validateHandler(lifecycle[member], `${field}.${member}`));
}

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'];

/** Exactly one way to ask. */
function validateHandler(handler: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const given = entriesOf(handler).filter(([member, value]) => HANDLERS.includes(member) && value);
  if (given.length === 0) return [required(field, 'must specify a handler type')];
  given.forEach(([member, action], i) => {
    const at = `${field}.${member}`;
    if (i > 0) errors.push(forbiddenField(at, 'may not specify more than 1 handler type'));
    else errors.push(...validateAction(member, action, at));
  });
  return errors;
}

function validateAction(member: string, action: Loose, field: string): FieldError[] {
  switch (member) {
    case 'exec':
      return listOf(action.command).length === 0 ? [required(`${field}.command`)] : [];
    case 'httpGet':
      return [
        ...mandatory(action.path, `${field}.path`),
        ...validateActionPort(action.port, `${field}.port`),
        ...oneOf(action.scheme, `${field}.scheme`, ['HTTP', 'HTTPS'], true),
        ...listOf(action.httpHeaders).flatMap((header, i) => validateHeader(header, `${field}.httpHeaders[${i}]`)),
      ];
    case 'tcpSocket':
      return validateActionPort(action.port, `${field}.port`);
    case 'grpc':
      return inRange(action.port ?? 0, `${field}.port`, 1, 65535);
    default:
      return [];
  }
}

function validateHeader(header: Loose, field: string): FieldError[] {
  if (/^[-A-Za-z0-9]+$/.test(header.name ?? '')) return [];
  const rule =
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
  return [invalid(`${field}.name`, header.name ?? '', rule)];
}

function validateActionPort(port: Loose, field: string): FieldError[] {
  if (unset(port)) return [invalid(field, 0, 'must be between 1 and 65535, inclusive')];
  return checkIntOrName(port).map((e) => invalid(field, port, e));
}
