/** The spec of a Job, as Jobs and the templates of CronJobs have it: its defaults and checks. */
import type { FieldError } from '../machinery/field-error.js';
import { duplicate, forbiddenField, invalid, notSupported, required } from '../machinery/field-error.js';
import { validateLabelSelector } from '../machinery/label-selector.js';
import { checkQualifiedName } from '../machinery/names.js';
import { notNegative, oneOf, optional } from './field-rules.js';
import type { Loose } from './loose.js';
import { fill, listOf, unset } from './loose.js';
import { setTemplateDefaults } from './pod-defaults.js';
import { validatePodTemplate } from './pod-validation.js';

const BACKOFF_LIMIT = 6;
const BACKOFF_LIMIT_PER_INDEX = 2147483647;
const PARALLELISM_MAX_INDEXED = 100_000;

export function setJobSpecDefaults(spec: Loose): void {
  if (unset(spec.completions) && unset(spec.parallelism)) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  fill(spec, 'parallelism', 1);
  fill(spec, 'backoffLimit', unset(spec.backoffLimitPerIndex) ? BACKOFF_LIMIT : BACKOFF_LIMIT_PER_INDEX);
  fill(spec, 'completionMode', 'NonIndexed');
  fill(spec, 'suspend', false);
  fill(spec, 'podReplacementPolicy', spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed');
  for (const rule of listOf(spec.podFailurePolicy?.rules)) {
    for (const pattern of listOf(rule.onPodConditions)) fill(pattern, 'status', 'True');
  }
  setTemplateDefaults(spec.template);
}

/** @param field `spec` of a Job, `spec.jobTemplate.spec` of a CronJob */
export function validateJobSpec(spec: Loose, field: string): FieldError[] {
  const numbers = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ];
  const errors = [
    ...notNegative(spec, field, ...numbers),
    ...validateIndexes(spec, field),
    ...oneOf(spec.podReplacementPolicy, `${field}.podReplacementPolicy`, ['Failed', 'TerminatingOrFailed']),
    ...optional(spec.managedBy, `${field}.managedBy`, checkQualifiedName),
    ...validateLabelSelector(spec.selector, `${field}.selector`),
    ...validateFailurePolicy(spec, `${field}.podFailurePolicy`),
    ...validatePodTemplate(spec.template, `${field}.template`),
  ];
  const at = `${field}.template.spec.restartPolicy`;
  const policy = spec.template?.spec?.restartPolicy;
  if (policy !== undefined && policy !== 'OnFailure' && policy !== 'Never') {
    // The default of pods is what nobody chose: they are told to choose.
    if (policy === 'Always' || policy === '') errors.push(required(at, 'valid values: "OnFailure", "Never"'));
    else errors.push(notSupported(at, policy, ['OnFailure', 'Never']));
  }
  return errors;
}

function validateIndexes(spec: Loose, field: string): FieldError[] {
  const errors = oneOf(spec.completionMode, `${field}.completionMode`, ['Indexed', 'NonIndexed']);
  if (spec.completionMode === 'Indexed') {
    if (unset(spec.completions)) {
      errors.push(required(`${field}.completions`, 'when completion mode is Indexed'));
    }
    if (spec.parallelism > PARALLELISM_MAX_INDEXED) {
      const why = `must be less than or equal to ${PARALLELISM_MAX_INDEXED} when completion mode is Indexed`;
      errors.push(invalid(`${field}.parallelism`, spec.parallelism, why));
    }
    return errors;
  }
  for (const member of ['backoffLimitPerIndex', 'maxFailedIndexes']) {
    if (unset(spec[member])) continue;
    errors.push(invalid(`${field}.${member}`, spec[member], 'requires indexed completion mode'));
  }
  if (spec.successPolicy) {
    errors.push(invalid(`${field}.successPolicy`, spec.successPolicy, 'requires indexed completion mode'));
  }
  return errors;
}

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

function validateFailurePolicy(spec: Loose, field: string): FieldError[] {
  if (!spec.podFailurePolicy) return [];
  const errors: FieldError[] = [];
  const names = [...listOf(spec.template?.spec?.containers), ...listOf(spec.template?.spec?.initContainers)].map(
    (container) => container.name,
  );
  if (spec.template?.spec?.restartPolicy !== 'Never') {
    const why = 'only "Never" is supported when podFailurePolicy is specified';
    const at = `${field.replace(/podFailurePolicy$/, 'template')}.spec.restartPolicy`;
    errors.push(invalid(at, spec.template?.spec?.restartPolicy, why));
  }
  listOf(spec.podFailurePolicy.rules).forEach((rule, i) => {
    const at = `${field}.rules[${i}]`;
    errors.push(...oneOf(rule.action, `${at}.action`, ACTIONS, true));
    const codes = rule.onExitCodes;
    const patterns = listOf(rule.onPodConditions);
    if (codes && patterns.length > 0) {
      errors.push(invalid(at, '', 'specifying both OnExitCodes and OnPodConditions is not supported'));
    } else if (!codes && patterns.length === 0) {
      errors.push(invalid(at, '', 'specifying one of OnExitCodes and OnPodConditions is required'));
    }
    if (codes) errors.push(...validateExitCodes(codes, `${at}.onExitCodes`, names));
    patterns.forEach((pattern, p) => {
      errors.push(...optional(pattern.type, `${at}.onPodConditions[${p}].type`, checkQualifiedName));
      const statuses = ['False', 'True', 'Unknown'];
      errors.push(...oneOf(pattern.status, `${at}.onPodConditions[${p}].status`, statuses, true));
    });
  });
  return errors;
}

const EXIT_CODES_MAX = 255;

function validateExitCodes(codes: Loose, field: string, containers: readonly string[]): FieldError[] {
  const errors = oneOf(codes.operator, `${field}.operator`, ['In', 'NotIn'], true);
  if (!unset(codes.containerName) && !containers.includes(codes.containerName)) {
    const why = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalid(`${field}.containerName`, codes.containerName, why));
  }
  const values = listOf(codes.values);
  if (values.length === 0) errors.push(invalid(`${field}.values`, values, 'at least one value is required'));
  if (values.length > EXIT_CODES_MAX) errors.push(forbiddenField(`${field}.values`, `at most ${EXIT_CODES_MAX} items`));
  values.forEach((value, i) => {
    if (values.indexOf(value) < i) errors.push(duplicate(`${field}.values[${i}]`, value));
    if (codes.operator === 'In' && value === 0) {
      errors.push(invalid(`${field}.values[${i}]`, value, 'must not be 0 for the In operator'));
    }
  });
  return errors;
}
