import type { Core } from './core.js';
import { name } from './core.js';
import type { ConfChange, ConfState } from './entry.js';
import { afterMatch, startLeaving } from './leader.js';
import { confirmReads } from './read-index.js';
import { NONE, Role } from './types.js';

/** A committed change comes into force here. One at a time, so any two configurations in force share a majority. */
export function applyConfChange(r: Core, cc: ConfChange): ConfState {
  if (cc.nodeId !== NONE) {
    const added = r.tracker.apply(cc);
    if (added !== null) {
      added.reset(r.log.lastIndex + 1);
      // It had no time to be heard from: the next check of the quorum takes it as active.
      added.recentActive = true;
    }
    afterConfChange(r);
  }
  const conf = r.tracker.confState();
  r.trace?.(`has voters ${conf.voters.map(name).join(' ')}, learners ${conf.learners.map(name).join(' ') || '-'}`);
  return conf;
}

function afterConfChange(r: Core): void {
  if (r.role !== Role.Leader) {
    if (r.role !== Role.Follower && !r.tracker.isVoter(r.id)) r.becomeFollower(r.term, NONE);
    return;
  }
  if (r.leadTransferee !== NONE && !r.tracker.isVoter(r.leadTransferee)) r.leadTransferee = NONE;
  // A smaller majority may have been reached long ago.
  r.mustReplicate = true;
  afterMatch(r);
  confirmReads(r);
  if (r.tracker.isVoter(r.id)) r.leavingIndex = 0;
  else startLeaving(r);
}
