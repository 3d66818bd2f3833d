import type { Latencies } from './honest.js';
import type { Vitals } from './victim.js';

export interface Seen {
  readonly written: number;
  readonly goaway: string;
  readonly seen: Latencies;
  readonly before: Vitals;
  readonly after: Vitals;
}

const mib = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;

/** One line an attack, where KEEL_ATTACK_REPORT=1 asks for it. */
export function report(name: string, { written, goaway, seen, before, after }: Seen): void {
  if (process.env.KEEL_ATTACK_REPORT !== '1') return;
  const kept = (vitals: Vitals): string => mib(vitals.heapBytes + vitals.externalBytes);
  console.log(
    `${name}: ${mib(written)} sent, "${goaway}"; honest ${seen.calls} calls, median ${seen.medianMs} ms, worst ${seen.worstMs} ms; ` +
      `heap ${kept(before)} before, ${kept(after)} after, rss ${mib(after.rssBytes)}`,
  );
}
