/** The five fields of a cron schedule as sets of numbers. Source: crontab(5); error texts are those of Kubernetes. */

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

export interface CronFields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly dates: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  /** Both the date and the day are restricted: one of them is enough. */
  readonly either: boolean;
}

/** @param text minute, hour, day of month, month, day of week @throws Error that says what is wrong */
export function parseFields(text: string): CronFields {
  const fields = text.split(/\s+/);
  if (fields.length !== FIELDS.length) {
    throw new Error(`expected exactly ${FIELDS.length} fields, found ${fields.length}: [${fields.join(' ')}]`);
  }
  const [minutes, hours, dates, months, days] = fields.map((field, i) => valuesOf(field, FIELDS[i] as Field)) as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  const either = !isAny(fields[2] as string) && !isAny(fields[4] as string);
  return { minutes, hours, dates, months, days, either };
}

function isAny(field: string): boolean {
  return field.split(',').some((part) => /^[*?]/.test(part));
}

function valuesOf(field: string, of: Field): Set<number> {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const { first, last, step } = rangeOf(part, of);
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;
}

/** `*`, `5`, `1-5`, `mon`, each with `/step`; a number with a step goes on to the end. */
function rangeOf(part: string, { least, most, names = [] }: Field): { first: number; last: number; step: number } {
  const [range = '', stepText, ...more] = part.split('/');
  if (more.length > 0) throw new Error(`too many slashes: ${part}`);
  const step = stepText === undefined ? 1 : digits(stepText);
  if (step === 0) throw new Error(`step of range should be a positive number: ${part}`);
  if (range === '*' || range === '?') return { first: least, last: most, step };
  const ends = range.split('-');
  if (ends.length > 2) throw new Error(`too many hyphens: ${part}`);
  const [first = 0, second] = ends.map((end) => {
    const index = names.indexOf(end.toLowerCase());
    return index < 0 ? digits(end) : index + least;
  });
  const last = second ?? first;
  if (first < least) throw new Error(`beginning of range (${first}) below minimum (${least}): ${part}`);
  if (last > most) throw new Error(`end of range (${last}) above maximum (${most}): ${part}`);
  if (first > last) throw new Error(`beginning of range (${first}) beyond end of range (${last}): ${part}`);
  return { first, last: second === undefined && stepText !== undefined ? most : last, step };
}

function digits(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`);
}
