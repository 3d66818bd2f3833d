/** From the query (and for deletions the body) of a write to its options. Sources: kubernetes API concepts. */
import { badRequest } from '../machinery/api-error.js';
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, invalidObject, notSupported } from '../machinery/field-error.js';
import type { DeleteOptions, WriteContext } from '../rest/resource.js';
import type { Exchange } from './exchange.js';
import { isTrue } from './request-info.js';

const FIELD_MANAGER_MAX = 128;

/** @param options the options' kind, as messages name it: `CreateOptions` @throws ApiError 422 */
export function writeContext(exchange: Exchange, options: string, dryRunOfBody?: unknown): WriteContext {
  const { query } = exchange.info;
  const errors: FieldError[] = [];
  const dryRun = dryRunOf(query.getAll('dryRun').length > 0 ? query.getAll('dryRun') : dryRunOfBody, errors);
  const given = query.get('fieldManager');
  if (given !== null && given !== '') {
    if (given.length > FIELD_MANAGER_MAX) {
      errors.push({
        type: 'FieldValueTooLong',
        field: 'fieldManager',
        message: `Too long: may not be more than ${FIELD_MANAGER_MAX} bytes`,
      });
    } else if (!isPrintable(given))
      errors.push(invalid('fieldManager', given, 'should only contain printable characters'));
  }
  const validation = query.get('fieldValidation') ?? '';
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation)) {
    errors.push(notSupported('fieldValidation', validation, ['', 'Ignore', 'Warn', 'Strict']));
  }
  refuse(options, errors);
  return {
    user: exchange.user,
    dryRun,
    fieldManager: given !== null && given !== '' ? given : managerOf(exchange.request.headers['user-agent']),
    fieldValidation: (validation === '' ? 'Warn' : validation) as WriteContext['fieldValidation'],
    warn: exchange.warn,
  };
}

/** `kubectl/v1.32.3 (linux/amd64) kubernetes/32cc146` writes as `kubectl`. */
function managerOf(agent: string | undefined): string {
  const name = (agent ?? '').split('/', 1)[0] as string;
  const printable = [...name].filter(isPrintable).join('').slice(0, FIELD_MANAGER_MAX);
  return printable === '' ? 'unknown' : printable;
}

function isPrintable(text: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u.test(text);
}

function dryRunOf(values: unknown, errors: FieldError[]): boolean {
  if (values === undefined || values === null) return false;
  const list = Array.isArray(values) ? values : [values];
  for (const value of list) {
    if (value !== 'All') errors.push(notSupported('dryRun', value, ['All']));
  }
  return list.length > 0;
}

export interface DeleteRequest {
  readonly options: DeleteOptions;
  /** As the body had it: `["All"]`. */
  readonly dryRun: unknown;
}

/** The body wins over the query. @param body decoded, or null for none @throws ApiError 400, 422 */
export function deleteRequest(body: Readonly<Record<string, unknown>> | null, query: URLSearchParams): DeleteRequest {
  if (body !== null) {
    const { kind, apiVersion } = body;
    if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions') {
      throw badRequest(`the body of a deletion is a DeleteOptions, not a ${String(kind)} (${String(apiVersion)})`);
    }
    return { options: checked(body), dryRun: body.dryRun };
  }
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null && !/^-?\d{1,15}$/.test(grace)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  }
  const fromQuery: Record<string, unknown> = {};
  if (grace !== null) fromQuery.gracePeriodSeconds = Number(grace);
  if (query.has('propagationPolicy')) fromQuery.propagationPolicy = query.get('propagationPolicy');
  if (query.has('orphanDependents')) fromQuery.orphanDependents = isTrue(query.get('orphanDependents'));
  return { options: checked(fromQuery), dryRun: undefined };
}

function checked(body: Readonly<Record<string, unknown>>): DeleteOptions {
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions } = body;
  const errors: FieldError[] = [];
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds !== null && !Number.isInteger(gracePeriodSeconds)) {
    throw badRequest('gracePeriodSeconds is an integer');
  }
  if (orphanDependents != null && propagationPolicy != null) {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(invalid('propagationPolicy', propagationPolicy, why));
  }
  const policies = ['Foreground', 'Background', 'Orphan'];
  if (propagationPolicy != null && !policies.includes(propagationPolicy as string)) {
    errors.push(notSupported('propagationPolicy', propagationPolicy, ['Background', 'Foreground', 'Orphan']));
  }
  if (preconditions != null && (typeof preconditions !== 'object' || Array.isArray(preconditions))) {
    errors.push(forbiddenField('preconditions', 'is an object'));
  }
  refuse('DeleteOptions', errors);
  const { uid, resourceVersion } = (preconditions ?? {}) as { uid?: string; resourceVersion?: string };
  return {
    ...(gracePeriodSeconds == null ? {} : { gracePeriodSeconds: gracePeriodSeconds as number }),
    ...(propagationPolicy == null ? {} : { propagationPolicy: propagationPolicy as 'Background' }),
    ...(orphanDependents == null ? {} : { orphanDependents: orphanDependents as boolean }),
    ...(preconditions == null
      ? {}
      : {
          preconditions: {
            ...(uid === undefined ? {} : { uid }),
            ...(resourceVersion === undefined ? {} : { resourceVersion }),
          },
        }),
  };
}

function refuse(options: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject('meta.k8s.io', options, '', errors);
}
