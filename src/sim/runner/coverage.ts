import { FAULT_KINDS } from '../faults/registry.js';
import type { RunResult } from '../run.js';

/** What all runs together have been through. */
export class Coverage {
  seeds = 0;
  virtualMs = 0;
  events = 0;
  operations = 0;
  acknowledged = 0;
  revisions = 0;
  leaderChanges = 0;
  snapshots = 0;
  watchEvents = 0;
  refused = 0;
  faults = 0;
  readonly #kinds = new Map<string, number>();
  readonly #pairs = new Map<string, number>();

  add(result: RunResult): void {
    this.seeds++;
    this.virtualMs += result.virtualMs;
    this.events += result.events;
    this.operations += result.operations;
    this.acknowledged += result.acknowledged;
    this.revisions += result.revisions;
    this.leaderChanges += result.leaderChanges;
    this.snapshots += result.snapshots;
    this.watchEvents += result.watchEvents;
    this.refused += result.refused;
    const kinds = [...result.faultCounts];
    for (const [kind, count] of kinds) {
      this.faults += count;
      bump(this.#kinds, kind, count);
      for (const [other, more] of kinds)
        if (kind < other) bump(this.#pairs, `${kind} + ${other}`, Math.min(count, more));
    }
  }

  table(): string {
    const kinds = FAULT_KINDS.map((kind) => `  ${kind.padEnd(12)} ${String(this.#kinds.get(kind) ?? 0).padStart(7)}`);
    const all = FAULT_KINDS.flatMap((a) => FAULT_KINDS.filter((b) => a < b).map((b) => `${a} + ${b}`));
    const never = all.filter((pair) => !this.#pairs.has(pair));
    const least = [...this.#pairs].sort((a, b) => a[1] - b[1]).slice(0, 5);
    return [
      `${this.seeds} seeds, ${hours(this.virtualMs)} simulated, ${this.events} events, ${this.faults} faults`,
      `${this.acknowledged} of ${this.operations} operations acknowledged, ${this.revisions} revisions, ${this.watchEvents} watch events`,
      `${this.leaderChanges} leaders elected, ${this.snapshots} snapshots installed, ${this.refused} entries refused by auth`,
      'faults by kind',
      ...kinds,
      `pairs in one run: ${all.length - never.length} of ${all.length}; least often: ${least.map(([pair, n]) => `${pair} ${n}`).join(', ')}`,
      ...(never.length === 0
        ? []
        : [`never together: ${never.slice(0, 10).join(', ')}${never.length > 10 ? ' ...' : ''}`]),
    ].join('\n');
  }
}

export function hours(ms: number): string {
  return ms < 3_600_000 ? `${(ms / 60_000).toFixed(1)} min` : `${(ms / 3_600_000).toFixed(2)} h`;
}

function bump(map: Map<string, number>, key: string, by: number): void {
  map.set(key, (map.get(key) ?? 0) + by);
}
