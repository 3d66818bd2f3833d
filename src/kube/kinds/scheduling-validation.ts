/** Checks of what decides where a pod runs: tolerations, affinity, spreading, node selectors. */
import type { FieldError } from '../machinery/field-error.js';
import { duplicate, forbiddenField, invalid, notSupported, required } from '../machinery/field-error.js';
import { validateLabelSelector } from '../machinery/label-selector.js';
import { checkDnsLabel, checkLabelValue, checkQualifiedName } from '../machinery/names.js';
import { oneOf } from './field-rules.js';
import type { Loose } from './loose.js';
import { listOf, unset } from './loose.js';

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateTolerations(tolerations: Loose, field: string): FieldError[] {
  return listOf(tolerations).flatMap((toleration, i) => validateToleration(toleration, `${field}[${i}]`));
}

function validateToleration(toleration: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const operator = toleration.operator || 'Equal';
  if (!unset(toleration.key)) {
    for (const e of checkQualifiedName(toleration.key)) errors.push(invalid(`${field}.key`, toleration.key, e));
  } else if (operator !== 'Exists') {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalid(`${field}.operator`, toleration.operator ?? '', why));
  }
  if (toleration.tolerationSeconds !== undefined && toleration.tolerationSeconds !== null) {
    if (toleration.effect !== 'NoExecute') {
      const why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(invalid(`${field}.effect`, toleration.effect ?? '', why));
    }
  }
  if (operator === 'Equal') {
    for (const e of checkLabelValue(toleration.value ?? '')) {
      errors.push(invalid(`${field}.operator`, toleration.value, e));
    }
  } else if (operator !== 'Exists') {
    errors.push(notSupported(`${field}.operator`, toleration.operator, ['Equal', 'Exists']));
  } else if (!unset(toleration.value)) {
    errors.push(invalid(`${field}.operator`, toleration.value, "value must be empty when `operator` is 'Exists'"));
  }
  errors.push(...oneOf(toleration.effect, `${field}.effect`, TAINT_EFFECTS));
  return errors;
}

export function validateAffinity(affinity: Loose, field: string): FieldError[] {
  if (!affinity) return [];
  const errors: FieldError[] = [];
  const node = affinity.nodeAffinity;
  if (node) {
    const at = `${field}.nodeAffinity`;
    const hard = 'requiredDuringSchedulingIgnoredDuringExecution';
    const soft = 'preferredDuringSchedulingIgnoredDuringExecution';
    if (node[hard]) errors.push(...validateNodeSelector(node[hard], `${at}.${hard}`));
    listOf(node[soft]).forEach((term, i) => {
      errors.push(...validateWeight(term.weight, `${at}.${soft}[${i}].weight`));
      errors.push(...validateNodeSelectorTerm(term.preference ?? {}, `${at}.${soft}[${i}].preference`));
    });
  }
  for (const member of ['podAffinity', 'podAntiAffinity']) {
    if (affinity[member]) errors.push(...validatePodAffinity(affinity[member], `${field}.${member}`));
  }
  return errors;
}

function validateWeight(weight: Loose, field: string): FieldError[] {
  return weight >= 1 && weight <= 100 ? [] : [invalid(field, weight ?? 0, 'must be in the range 1-100')];
}

/** Terms are alternatives; also of PersistentVolumes. */
export function validateNodeSelector(selector: Loose, field: string): FieldError[] {
  const at = `${field}.nodeSelectorTerms`;
  const terms = listOf(selector.nodeSelectorTerms);
  if (terms.length === 0) return [required(at, 'must have at least one node selector term')];
  return terms.flatMap((term, i) => validateNodeSelectorTerm(term, `${at}[${i}]`));
}

function validateNodeSelectorTerm(term: Loose, field: string): FieldError[] {
  return [
    ...listOf(term.matchExpressions).flatMap((r, i) => validateNodeRequirement(r, `${field}.matchExpressions[${i}]`)),
    ...listOf(term.matchFields).flatMap((r, i) => validateFieldRequirement(r, `${field}.matchFields[${i}]`)),
  ];
}

function validateNodeRequirement(requirement: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const values = listOf(requirement.values);
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        errors.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        errors.push(forbiddenField(`${field}.values`, why));
      }
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        errors.push(required(`${field}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      }
      break;
    default:
      errors.push(invalid(`${field}.operator`, requirement.operator ?? '', 'not a valid selector operator'));
  }
  for (const e of checkQualifiedName(requirement.key ?? '')) {
    errors.push(invalid(`${field}.key`, requirement.key ?? '', e));
  }
  return errors;
}

function validateFieldRequirement(requirement: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const values = listOf(requirement.values);
  if (requirement.operator !== 'In' && requirement.operator !== 'NotIn') {
    errors.push(invalid(`${field}.operator`, requirement.operator ?? '', 'not a valid selector operator'));
  } else if (values.length !== 1) {
    const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(`${field}.values`, why));
  }
  if (requirement.key !== 'metadata.name') {
    errors.push(invalid(`${field}.key`, requirement.key ?? '', 'not a valid field selector key'));
  }
  return errors;
}

function validatePodAffinity(affinity: Loose, field: string): FieldError[] {
  const hard = 'requiredDuringSchedulingIgnoredDuringExecution';
  const soft = 'preferredDuringSchedulingIgnoredDuringExecution';
  return [
    ...listOf(affinity[hard]).flatMap((term, i) => validatePodTerm(term, `${field}.${hard}[${i}]`)),
    ...listOf(affinity[soft]).flatMap((term, i) => [
      ...validateWeight(term.weight, `${field}.${soft}[${i}].weight`),
      ...validatePodTerm(term.podAffinityTerm ?? {}, `${field}.${soft}[${i}].podAffinityTerm`),
    ]),
  ];
}

function validatePodTerm(term: Loose, field: string): FieldError[] {
  return [
    ...validateLabelSelector(term.labelSelector, `${field}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${field}.namespaceSelector`),
    ...listOf(term.namespaces).flatMap((name) =>
      checkDnsLabel(name).map((e) => invalid(`${field}.namespace`, name, e)),
    ),
    ...validateTopologyKey(term.topologyKey, `${field}.topologyKey`, 'can not be empty'),
  ];
}

function validateTopologyKey(key: Loose, field: string, empty: string): FieldError[] {
  if (unset(key)) return [required(field, empty)];
  return checkQualifiedName(key).map((e) => invalid(field, key, e));
}

export function validateTopologySpread(constraints: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  listOf(constraints).forEach((constraint, i) => {
    const at = `${field}[${i}]`;
    if (!(constraint.maxSkew > 0))
      errors.push(invalid(`${at}.maxSkew`, constraint.maxSkew ?? 0, 'must be greater than zero'));
    errors.push(...validateTopologyKey(constraint.topologyKey, `${at}.topologyKey`, 'can not be empty'));
    const actions = ['DoNotSchedule', 'ScheduleAnyway'];
    if (!actions.includes(constraint.whenUnsatisfiable)) {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, constraint.whenUnsatisfiable ?? '', actions));
    }
    if (typeof constraint.minDomains === 'number') {
      if (constraint.minDomains <= 0) {
        errors.push(invalid(`${at}.minDomains`, constraint.minDomains, 'must be greater than zero'));
      }
      if (constraint.whenUnsatisfiable !== 'DoNotSchedule') {
        const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${constraint.whenUnsatisfiable ?? ''}`;
        errors.push(invalid(`${at}.minDomains`, constraint.minDomains, why));
      }
    }
    const pair = `{${constraint.topologyKey ?? ''}, ${constraint.whenUnsatisfiable ?? ''}}`;
    if (seen.has(pair)) errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    seen.add(pair);
    for (const policy of ['nodeAffinityPolicy', 'nodeTaintsPolicy']) {
      errors.push(...oneOf(constraint[policy], `${at}.${policy}`, ['Honor', 'Ignore']));
    }
    errors.push(...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`));
  });
  return errors;
}
