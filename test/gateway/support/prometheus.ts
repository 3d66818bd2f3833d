export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,?)/;
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/**
 * Reads Prometheus' text format (version 0.0.4), and refuses what a strict reader may: a sample before its type, two
 * families of one name, the same sample twice, histograms whose buckets do not ascend, do not end at +Inf or differ from
 * their count, counters below zero, and help or names that `promtool check metrics` would complain of.
 * @throws Error with the line
 */
export function parseMetrics(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  let help: { name: string; text: string } | null = null;
  let current: Family | null = null;
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    if (line === '') continue;
    if (line.startsWith('# HELP ')) {
      const [, name = '', words = ''] = /^# HELP (\S+) (.+)$/.exec(line) ?? fail('help without words');
      if (families.has(name)) fail('a second help');
      help = { name, text: words };
    } else if (line.startsWith('# TYPE ')) {
      const [, name = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? fail('no type');
      if (!TYPES.includes(type)) fail('no such type');
      if (families.has(name)) fail('a family twice');
      if (help?.name !== name) fail('a type without its help');
      current = { name, type, help: (help as { text: string }).text, samples: [] };
      families.set(name, current);
    } else if (line.startsWith('#')) {
      fail('a comment of no kind');
    } else {
      const sample = parseSample(line, fail);
      if (current === null || !belongs(sample.name, current)) fail('a sample of no family');
      const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(key)) fail('a sample twice');
      seen.add(key);
      if (current?.type === 'counter' && !(sample.value >= 0)) fail('a counter below zero');
      current?.samples.push(sample);
    }
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

function parseSample(line: string, fail: (why: string) => never): Sample {
  const name = NAME.exec(line)?.[0] ?? fail('no name');
  let rest = line.slice(name.length);
  const labels: Record<string, string> = {};
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    while (!rest.startsWith('}')) {
      const [all, label = '', value = ''] = LABEL.exec(rest) ?? fail('a label that is none');
      if (label in labels) fail('a label twice');
      labels[label] = value.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
      rest = rest.slice(all.length);
    }
    rest = rest.slice(1);
  }
  const value = /^ (\S+)$/.exec(rest)?.[1] ?? fail('no value, or more than one');
  if (!NUMBER.test(value)) fail('no number');
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function belongs(sample: string, { name, type }: Family): boolean {
  if (type === 'histogram') return [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample);
  return sample === name;
}

function checkHistogram({ name, samples }: Family): void {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...others } = sample.labels;
    const key = JSON.stringify(Object.entries(others).sort());
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const fail = (why: string): never => {
      throw new Error(`${name}${key}: ${why}`);
    };
    const buckets = group.filter((sample) => sample.name.endsWith('_bucket'));
    let bound = Number.NEGATIVE_INFINITY;
    let count = 0;
    for (const { labels, value } of buckets) {
      const le = Number((labels.le ?? fail('a bucket without a bound')).replace('Inf', 'Infinity'));
      if (!(le > bound)) fail(`bounds do not ascend at ${labels.le}`);
      if (!(value >= count)) fail(`buckets do not grow at ${labels.le}`);
      bound = le;
      count = value;
    }
    if (bound !== Number.POSITIVE_INFINITY) fail('no bucket +Inf');
    const total = group.find((sample) => sample.name.endsWith('_count'))?.value ?? fail('no count');
    if (total !== count) fail('the count is another than that of +Inf');
    if (!group.some((sample) => sample.name.endsWith('_sum'))) fail('no sum');
  }
}
