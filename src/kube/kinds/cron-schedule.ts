/**
 * The form of a CronJob's schedule: five fields (minute, hour, day of month, month, day of week) or a word with an at
 * sign. Only the form is checked here; when it is due is the controller's business. Source: crontab(5).
 */

interface Field {
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  {
    least: 1,
    most: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { least: 0, most: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];
const WORDS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
const DURATION = /^(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/;

/** What is wrong with it, or undefined. A zone in front (`TZ=`) is taken: it is refused elsewhere. */
export function checkSchedule(schedule: string): string | undefined {
  const text = schedule.replace(/^(TZ|CRON_TZ)=\S+\s+/, '').trim();
  if (text === '') return 'empty spec string';
  if (text.startsWith('@every ')) return checkDuration(text.slice('@every '.length));
  if (text.startsWith('@')) return WORDS.includes(text) ? undefined : `unrecognized descriptor: ${text}`;
  const fields = text.split(/\s+/);
  if (fields.length !== FIELDS.length) {
    return `expected exactly ${FIELDS.length} fields, found ${fields.length}: [${fields.join(' ')}]`;
  }
  for (const [i, field] of fields.entries()) {
    for (const part of field.split(',')) {
      const wrong = checkPart(part, FIELDS[i] as Field);
      if (wrong !== undefined) return wrong;
    }
  }
  return undefined;
}

function checkDuration(text: string): string | undefined {
  let rest = text;
  for (let match = DURATION.exec(rest); match !== null; match = DURATION.exec(rest)) rest = rest.slice(match[0].length);
  return rest === '' && text !== ''
    ? undefined
    : `failed to parse duration @every ${text}: time: invalid duration "${text}"`;
}

/** `*`, `5`, `1-5`, each with `/step`. */
function checkPart(part: string, field: Field): string | undefined {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0) return `too many slashes: ${part}`;
  if (step !== undefined) {
    if (!/^\d+$/.test(step)) return `failed to parse int from ${step}: strconv.Atoi: parsing "${step}": invalid syntax`;
    if (Number(step) === 0) return `step of range should be a positive number: ${part}`;
  }
  if (range === '*' || range === '?') return undefined;
  const ends = range.split('-');
  if (ends.length > 2) return `too many hyphens: ${part}`;
  const values: number[] = [];
  for (const end of ends) {
    const value = numberIn(end, field);
    if (value === undefined) {
      return `failed to parse int from ${end}: strconv.Atoi: parsing "${end}": invalid syntax`;
    }
    values.push(value);
  }
  const [first = 0, last = first] = values;
  if (first < field.least) return `beginning of range (${first}) below minimum (${field.least}): ${part}`;
  if (last > field.most) return `end of range (${last}) above maximum (${field.most}): ${part}`;
  return first > last ? `beginning of range (${first}) beyond end of range (${last}): ${part}` : undefined;
}

function numberIn(text: string, field: Field): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const index = field.names?.indexOf(text.toLowerCase()) ?? -1;
  return index < 0 ? undefined : index + field.least;
}
