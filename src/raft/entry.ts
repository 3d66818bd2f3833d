import type { NodeId } from './types.js';

export { ConfChange, ConfChangeType, Entry, EntryType } from '../wire/index.js';

/** What must be on disk beside the entries. */
export interface HardState {
  readonly term: number;
  readonly vote: NodeId;
  readonly commit: number;
}

/** The members that count. No id stands in both lists. */
export interface ConfState {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
}
