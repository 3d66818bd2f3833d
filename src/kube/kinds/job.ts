import { humanDuration } from '../machinery/age.js';
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid } from '../machinery/field-error.js';
import { labelSelectorCell, labelSelectorOf, matchesLabels } from '../machinery/label-selector.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, NAME, nameOf, SELECTOR, text, WORKLOAD_COLUMNS, wide, workloadCells } from './columns.js';
import { defineKind } from './define.js';
import { IMMUTABLE } from './field-rules.js';
import { setJobSpecDefaults, validateJobSpec } from './job-template.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { listOf, same, unset, within } from './loose.js';

const UID_LABEL = 'batch.kubernetes.io/controller-uid';
const NAME_LABEL = 'batch.kubernetes.io/job-name';
const OLD_UID_LABEL = 'controller-uid';
const OLD_NAME_LABEL = 'job-name';

/** A Job selects its pods by its uid, so that no two of them ever share one. */
function setSelector(object: KubeObject): void {
  const spec = within(object, 'spec');
  if (spec.manualSelector === true) return;
  const uid = object.metadata.uid ?? '';
  const labels = within(within(within(spec, 'template'), 'metadata'), 'labels');
  for (const label of [UID_LABEL, OLD_UID_LABEL]) labels[label] = uid;
  for (const label of [NAME_LABEL, OLD_NAME_LABEL]) labels[label] = object.metadata.name ?? '';
  within(within(spec, 'selector'), 'matchLabels')[UID_LABEL] ??= uid;
}

function hasCondition(object: KubeObject, type: string): boolean {
  return listOf(object.status?.conditions).some((c) => c.type === type && c.status === 'True');
}

function statusText(object: KubeObject): string {
  if (hasCondition(object, 'Complete')) return 'Complete';
  if (hasCondition(object, 'Failed')) return 'Failed';
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet']) if (hasCondition(object, type)) return type;
  return 'Running';
}

function completionsText({ spec, status }: KubeObject): string {
  const succeeded = status?.succeeded ?? 0;
  if (!unset(spec?.completions)) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText(status: Loose, now: number): string {
  const start = Date.parse(status?.startTime ?? '');
  if (Number.isNaN(start)) return '';
  const end = Date.parse(status.completionTime ?? '');
  return humanDuration((Number.isNaN(end) ? now : end) - start);
}

function validateSelector(object: KubeObject): FieldError[] {
  const { selector, template, manualSelector } = object.spec ?? {};
  const labels = template?.metadata?.labels;
  const errors: FieldError[] = [];
  if (!selector) errors.push({ type: 'FieldValueRequired', field: 'spec.selector', message: 'Required value' });
  else if (!matchesLabels(labelSelectorOf(selector), labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'));
  }
  if (manualSelector === true || object.metadata.uid === undefined) return errors;
  if (selector?.matchLabels?.[UID_LABEL] !== object.metadata.uid && labels?.[OLD_UID_LABEL] !== object.metadata.uid) {
    errors.push(invalid('spec.selector', selector ?? {}, '`selector` not auto-generated'));
  }
  return errors;
}

/** Where a Job that has not begun will run may still be changed (queueing systems do). */
function templateChanged(object: KubeObject, old: KubeObject): boolean {
  const now = object.spec?.template;
  const then = old.spec?.template;
  if (old.spec?.suspend !== true || !unset(old.status?.startTime)) return !same(now, then);
  const bare = (template: Loose) => {
    const { nodeSelector: _, tolerations: __, affinity: ___, schedulingGates: ____, ...spec } = template?.spec ?? {};
    return { ...template, metadata: undefined, spec };
  };
  return !same(bare(now), bare(then));
}

export const jobKind: Kind = defineKind({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  namespaced: true,
  description: 'Job runs pods until so many of them have ended well.',
  hasStatus: true,
  hasGeneration: true,
  defaultPropagation: 'Orphan',
  setDefaults(object) {
    setJobSpecDefaults(within(object, 'spec'));
  },
  prepareForCreate(object) {
    delete object.status;
    setSelector(object);
  },
  validate: (object) => [...validateSelector(object), ...validateJobSpec(object.spec ?? {}, 'spec')],
  validateUpdate(object, old) {
    const errors: FieldError[] = [];
    const now = object.spec ?? {};
    const then = old.spec ?? {};
    const elastic = now.completionMode === 'Indexed' && now.completions === now.parallelism;
    if (!elastic && !same(now.completions, then.completions)) {
      errors.push(invalid('spec.completions', now.completions ?? null, IMMUTABLE));
    }
    for (const member of ['selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy']) {
      if (!same(now[member], then[member])) errors.push(invalid(`spec.${member}`, now[member] ?? null, IMMUTABLE));
    }
    if (templateChanged(object, old)) errors.push(invalid('spec.template', now.template, IMMUTABLE));
    return errors;
  },
  validateStatusUpdate(object, old) {
    const errors: FieldError[] = [];
    for (const type of ['Complete', 'Failed']) {
      if (hasCondition(old, type) && !hasCondition(object, type)) {
        errors.push(forbiddenField('status.conditions', `cannot remove the ${type} condition of a finished job`));
      }
    }
    return errors;
  },
  fieldSelectors: { 'status.successful': (object) => String(object.status?.succeeded ?? 0) },
  columns: [
    NAME,
    text('Status', 'What has become of it.'),
    text('Completions', 'Pods that ended well, of those asked for.'),
    text('Duration', 'From its start to its end, or to now.'),
    AGE,
    ...WORKLOAD_COLUMNS,
    wide(SELECTOR),
  ],
  cells: (object, now) => [
    nameOf(object),
    statusText(object),
    completionsText(object),
    durationText(object.status, now),
    age(object, now),
    ...workloadCells(object.spec?.template?.spec),
    labelSelectorCell(object.spec?.selector),
  ],
});
