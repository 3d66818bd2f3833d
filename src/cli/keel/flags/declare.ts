import type { Flag, FlagKind } from '../flag-set.js';

export type Extra = Partial<Pick<Flag, 'shown' | 'choices' | 'inert' | 'unbuilt'>>;
/** A flag without its group. */
export type Entry = readonly [name: string, kind: FlagKind, initial: string, help: string, extra?: Extra];

export function group(name: string, entries: readonly Entry[]): readonly Flag[] {
  return entries.map(([flag, kind, initial, help, extra]) => ({
    name: flag,
    kind,
    initial,
    help,
    group: name,
    ...extra,
  }));
}
