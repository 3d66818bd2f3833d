import { ageSince } from '../machinery/age.js';
import type { FieldError } from '../machinery/field-error.js';
import { invalid, required } from '../machinery/field-error.js';
import { labelSelectorCell } from '../machinery/label-selector.js';
import { validateAnnotations, validateLabels } from '../machinery/names.js';
import {
  AGE,
  age,
  integer,
  NAME,
  NONE,
  nameOf,
  SELECTOR,
  text,
  WORKLOAD_COLUMNS,
  wide,
  workloadCells,
} from './columns.js';
import { checkSchedule } from './cron-schedule.js';
import { defineKind } from './define.js';
import { notNegative, oneOf } from './field-rules.js';
import { setJobSpecDefaults, validateJobSpec } from './job-template.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { fill, fillText, listOf, unset, within } from './loose.js';

/** The names of its Jobs have eleven characters more, and theirs of pods again. */
const NAME_LENGTH_MAX = 52;

function validateSchedule(spec: Loose): FieldError[] {
  const { schedule, timeZone } = spec;
  const errors: FieldError[] = [];
  if (unset(schedule)) errors.push(required('spec.schedule'));
  else {
    const wrong = checkSchedule(schedule);
    if (wrong !== undefined) errors.push(invalid('spec.schedule', schedule, wrong));
    if (/TZ=/.test(schedule)) {
      const why = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
      errors.push(invalid('spec.schedule', schedule, why));
    }
  }
  if (timeZone === undefined || timeZone === null) return errors;
  if (timeZone === '')
    return [...errors, invalid('spec.timeZone', timeZone, 'timeZone must be nil or non-empty string')];
  if (timeZone.toLowerCase() === 'local') {
    return [
      ...errors,
      invalid(
        'spec.timeZone',
        timeZone,
        'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ),
    ];
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    errors.push(invalid('spec.timeZone', timeZone, `unknown time zone ${timeZone}`));
  }
  return errors;
}

export const cronJobKind: Kind = defineKind({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  description: 'CronJob makes a Job at certain times, again and again.',
  hasStatus: true,
  hasGeneration: true,
  setDefaults(object) {
    const spec = within(object, 'spec');
    fillText(spec, 'concurrencyPolicy', 'Allow');
    fill(spec, 'suspend', false);
    fill(spec, 'successfulJobsHistoryLimit', 3);
    fill(spec, 'failedJobsHistoryLimit', 1);
    if (spec.jobTemplate) setJobSpecDefaults(within(spec.jobTemplate, 'spec'));
  },
  prepareForCreate(object) {
    delete object.status;
  },
  validate(object) {
    const spec = object.spec ?? {};
    const template = spec.jobTemplate ?? {};
    const errors = [
      ...validateSchedule(spec),
      ...notNegative(spec, 'spec', 'startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'),
      ...oneOf(spec.concurrencyPolicy, 'spec.concurrencyPolicy', ['Allow', 'Forbid', 'Replace'], true),
      ...validateLabels(template.metadata?.labels, 'spec.jobTemplate.labels'),
      ...validateAnnotations(template.metadata?.annotations, 'spec.jobTemplate.annotations'),
      ...validateJobSpec(template.spec ?? {}, 'spec.jobTemplate.spec'),
    ];
    if (template.spec?.manualSelector === true) {
      const field = 'spec.jobTemplate.spec.manualSelector';
      errors.push({
        type: 'FieldValueNotSupported',
        field,
        message: 'Unsupported value: true: supported values: "nil", "false"',
      });
    }
    return errors;
  },
  validateCreate(object) {
    if (nameOf(object).length <= NAME_LENGTH_MAX) return [];
    const why = `must be no more than ${NAME_LENGTH_MAX} characters`;
    return [invalid('metadata.name', nameOf(object), why)];
  },
  columns: [
    NAME,
    text('Schedule', 'When it is due.'),
    text('Timezone', 'By which clock.'),
    text('Suspend', 'It makes no more Jobs for now.'),
    integer('Active', 'Its Jobs that are running.'),
    text('Last Schedule', 'When it made a Job the last time.'),
    AGE,
    ...WORKLOAD_COLUMNS,
    wide(SELECTOR),
  ],
  cells: (object, now) => [
    nameOf(object),
    object.spec?.schedule ?? '',
    object.spec?.timeZone || NONE,
    object.spec?.suspend === true ? 'True' : 'False',
    listOf(object.status?.active).length,
    object.status?.lastScheduleTime ? ageSince(object.status.lastScheduleTime, now) : NONE,
    age(object, now),
    ...workloadCells(object.spec?.jobTemplate?.spec?.template?.spec),
    labelSelectorCell(object.spec?.jobTemplate?.spec?.selector),
  ],
});
