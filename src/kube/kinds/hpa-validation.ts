/** Checks of HorizontalPodAutoscalers in their v2 form. */
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, required } from '../machinery/field-error.js';
import { checkPathSegment } from '../machinery/names.js';
import { inRange, mandatory, oneOf } from './field-rules.js';
import type { Loose } from './loose.js';
import { listOf, unset } from './loose.js';
import { nanosOf } from './quantities.js';

/** Of each type: its member, and where the metric's name stands in it. */
const METRIC_TYPES: Readonly<Record<string, { member: string; name: (source: Loose) => Loose; at: string }>> = {
  ContainerResource: { member: 'containerResource', name: (source) => source.name, at: 'name' },
  External: { member: 'external', name: (source) => source.metric?.name, at: 'metric.name' },
  Object: { member: 'object', name: (source) => source.metric?.name, at: 'metric.name' },
  Pods: { member: 'pods', name: (source) => source.metric?.name, at: 'metric.name' },
  Resource: { member: 'resource', name: (source) => source.name, at: 'name' },
};

export function validateHpaSpec(spec: Loose): FieldError[] {
  const errors: FieldError[] = [];
  const metrics = listOf(spec.metrics);
  const mayRest = metrics.some((metric) => metric.type === 'Object' || metric.type === 'External');
  const least = mayRest ? 0 : 1;
  if (typeof spec.minReplicas === 'number' && spec.minReplicas < least) {
    errors.push(invalid('spec.minReplicas', spec.minReplicas, `must be greater than or equal to ${least}`));
  }
  const most = spec.maxReplicas ?? 0;
  if (most < 1) errors.push(invalid('spec.maxReplicas', most, 'must be greater than 0'));
  if (typeof spec.minReplicas === 'number' && most < spec.minReplicas) {
    errors.push(invalid('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`'));
  }
  const target = 'spec.scaleTargetRef';
  errors.push(...mandatory(spec.scaleTargetRef?.kind, `${target}.kind`, checkPathSegment));
  errors.push(...mandatory(spec.scaleTargetRef?.name, `${target}.name`, checkPathSegment));
  metrics.forEach((metric, i) => {
    errors.push(...validateMetric(metric, `spec.metrics[${i}]`));
  });
  for (const member of ['scaleUp', 'scaleDown']) {
    if (spec.behavior?.[member]) errors.push(...validateRules(spec.behavior[member], `spec.behavior.${member}`));
  }
  return errors;
}

function validateMetric(metric: Loose, field: string): FieldError[] {
  if (unset(metric.type)) return [required(`${field}.type`, 'must specify a metric source type')];
  const errors = oneOf(metric.type, `${field}.type`, Object.keys(METRIC_TYPES));
  const type = METRIC_TYPES[metric.type];
  if (type === undefined) return errors;
  for (const { member } of Object.values(METRIC_TYPES)) {
    if (member === type.member || !metric[member]) continue;
    const why = 'must populate the given metric source only';
    errors.push(forbiddenField(`${field}.${member}`, why));
  }
  const source = metric[type.member];
  const at = `${field}.${type.member}`;
  if (!source) {
    return [...errors, required(at, `must populate information for the given metric source`)];
  }
  errors.push(...mandatory(type.name(source), `${at}.${type.at}`, checkPathSegment));
  if (metric.type === 'ContainerResource') errors.push(...mandatory(source.container, `${at}.container`));
  if (metric.type === 'Object') {
    errors.push(...mandatory(source.describedObject?.kind, `${at}.describedObject.kind`, checkPathSegment));
    errors.push(...mandatory(source.describedObject?.name, `${at}.describedObject.name`, checkPathSegment));
  }
  return [...errors, ...validateTarget(source.target, `${at}.target`, metric.type)];
}

function validateTarget(target: Loose, field: string, type: string): FieldError[] {
  if (!target) return [required(field, 'must specify a metric target')];
  const errors = oneOf(target.type, `${field}.type`, ['Utilization', 'Value', 'AverageValue'], true);
  const has = (member: string) => target[member] !== undefined && target[member] !== null;
  if (has('averageUtilization') && target.averageUtilization < 1) {
    errors.push(invalid(`${field}.averageUtilization`, target.averageUtilization, 'must be greater than 0'));
  }
  for (const member of ['value', 'averageValue']) {
    if (!has(member) || nanosOf(target[member]) > 0n) continue;
    errors.push(invalid(`${field}.${member}`, target[member], 'must be positive'));
  }
  if (type === 'Resource' || type === 'ContainerResource') {
    if (!has('averageUtilization') && !has('averageValue')) {
      const why = 'must set either a target raw value or a target utilization';
      errors.push(required(`${field}.averageUtilization`, why));
    } else if (has('averageUtilization') && has('averageValue')) {
      errors.push(
        forbiddenField(`${field}.averageValue`, 'may not set both a target raw value and a target utilization'),
      );
    }
  } else if (type === 'Pods') {
    if (!has('averageValue'))
      errors.push(required(`${field}.averageValue`, 'must specify a positive target averageValue'));
  } else if (!has('value') && !has('averageValue')) {
    errors.push(required(`${field}.averageValue`, 'must set either a target value for metric or a per-pod target'));
  }
  return errors;
}

const WINDOW_SECONDS_MAX = 3600;
const PERIOD_SECONDS_MAX = 1800;

function validateRules(rules: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const window = rules.stabilizationWindowSeconds;
  if (typeof window === 'number') {
    errors.push(...inRange(window, `${field}.stabilizationWindowSeconds`, 0, WINDOW_SECONDS_MAX));
  }
  errors.push(...oneOf(rules.selectPolicy, `${field}.selectPolicy`, ['Disabled', 'Max', 'Min']));
  const policies = listOf(rules.policies);
  if (policies.length === 0) errors.push(required(`${field}.policies`, 'must specify at least one Policy'));
  policies.forEach((policy, i) => {
    const at = `${field}.policies[${i}]`;
    errors.push(...oneOf(policy.type, `${at}.type`, ['Pods', 'Percent'], true));
    if (!(policy.value > 0)) errors.push(invalid(`${at}.value`, policy.value ?? 0, 'must be greater than zero'));
    const period = policy.periodSeconds ?? 0;
    if (period <= 0) errors.push(invalid(`${at}.periodSeconds`, period, 'must be greater than zero'));
    else if (period > PERIOD_SECONDS_MAX) {
      errors.push(invalid(`${at}.periodSeconds`, period, `must be less than or equal to ${PERIOD_SECONDS_MAX}`));
    }
  });
  return errors;
}
