/** What controllers of pods (Deployment, ReplicaSet, DaemonSet, StatefulSet, ...) have in common. */
import type { FieldError } from '../machinery/field-error.js';
import { invalid, notSupported, required } from '../machinery/field-error.js';
import {
  labelSelectorOf,
  matchesLabels,
  printLabelSelector,
  validateLabelSelector,
} from '../machinery/label-selector.js';
import type { KubeObject } from '../machinery/object.js';
import { IMMUTABLE } from './field-rules.js';
import type { ScalePaths } from './kind.js';
import type { Loose } from './loose.js';
import { entriesOf, listOf, same } from './loose.js';
import { validatePodTemplate } from './pod-validation.js';

export function isEmptySelector(selector: Loose): boolean {
  return entriesOf(selector?.matchLabels).length === 0 && listOf(selector?.matchExpressions).length === 0;
}

/** spec.selector of apps/v1: there, not empty, and selecting the pods that the template makes. */
export function validateSelectorAndTemplate(spec: Loose, kind: string): FieldError[] {
  const errors: FieldError[] = [];
  const labels = spec?.template?.metadata?.labels;
  if (!spec?.selector) errors.push(required('spec.selector'));
  else {
    errors.push(...validateLabelSelector(spec.selector, 'spec.selector'));
    if (isEmptySelector(spec.selector)) {
      errors.push(invalid('spec.selector', spec.selector, `empty selector is invalid for ${kind}`));
    } else if (errors.length === 0 && !matchesLabels(labelSelectorOf(spec.selector), labels)) {
      const why = '`selector` does not match template `labels`';
      errors.push(invalid('spec.template.metadata.labels', labels ?? {}, why));
    }
  }
  return [...errors, ...validateAlwaysTemplate(spec?.template, 'spec.template')];
}

/** A template whose pods run for ever. */
export function validateAlwaysTemplate(template: Loose, field: string): FieldError[] {
  const errors = validatePodTemplate(template, field);
  const { restartPolicy, activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy !== undefined && restartPolicy !== 'Always') {
    errors.push(notSupported(`${field}.spec.restartPolicy`, restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined && activeDeadlineSeconds !== null) {
    const why = 'activeDeadlineSeconds in this workload is not Supported';
    errors.push({
      type: 'FieldValueForbidden',
      field: `${field}.spec.activeDeadlineSeconds`,
      message: `Forbidden: ${why}`,
    });
  }
  return errors;
}

export function validateSelectorUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  if (same(object.spec?.selector, old.spec?.selector)) return [];
  return [invalid('spec.selector', object.spec?.selector, IMMUTABLE)];
}

/** spec.replicas and a label selector, as apps/v1 has them. */
export const SCALE: ScalePaths = {
  specReplicas: 'spec.replicas',
  statusReplicas: 'status.replicas',
  selector: (object) => printLabelSelector(labelSelectorOf(object.spec?.selector)),
};
