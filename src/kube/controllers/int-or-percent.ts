/** `3` or `25%` of a whole; a percentage rounds as told. Absent: the fallback. */
export function scaledValue(value: unknown, total: number, round: 'up' | 'down', fallback: number): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'number') return value;
  const match = /^(\d+)%$/.exec(String(value));
  if (match === null) return fallback;
  const share = Number(match[1]) * total;
  return round === 'up' ? Math.ceil(share / 100) : Math.floor(share / 100);
}
