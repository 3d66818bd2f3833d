/** Whether two pieces of objects mean the same. What is absent, null, zero or empty may be told either way on the wire. */

/** JSON with sorted members, without those that are null. The same text for the same meaning, whoever encoded it. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(sorted(value, (v) => v === null || v === undefined)) ?? 'null';
}

export function sameMeaning(a: unknown, b: unknown): boolean {
  return canonicalText(a) === canonicalText(b);
}

/** For a status: a zero and an absent number are one. */
export function sameStatus(a: unknown, b: unknown): boolean {
  const text = (value: unknown) => JSON.stringify(sorted(value, isBlank)) ?? '{}';
  return text(a ?? {}) === text(b ?? {});
}

function isBlank(value: unknown): boolean {
  if (value === null || value === undefined || value === 0 || value === '') return true;
  return Array.isArray(value) && value.length === 0;
}

function sorted(value: unknown, without: (value: unknown) => boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => sorted(item, without));
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const name of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[name];
    if (!without(member)) result[name] = sorted(member, without);
  }
  return result;
}
