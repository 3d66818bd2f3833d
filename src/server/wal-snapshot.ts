import type { ConfState } from '../raft/index.js';
import type { WalSnapshot } from '../wire/index.js';

/** The log's record of a point that it need not go back behind; joint configurations do not occur. */
export function walSnapshot(meta: { index: number; term: number; confState: ConfState }): WalSnapshot {
  const { voters, learners } = meta.confState;
  return {
    index: meta.index,
    term: meta.term,
    confState: {
      voters: [...voters],
      learners: [...learners],
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    },
  };
}
