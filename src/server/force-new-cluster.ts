import type { Backend } from '../storage/backend/index.js';
import type { Wal, WalOpened } from '../storage/wal/index.js';
import type { Env } from '../util/env.js';
import { hex } from '../util/hex.js';
import { ConfChange, ConfChangeType, Entry, EntryType, entryWire } from '../wire/index.js';
import { parseConfState } from './conf-changes.js';
import { MemberRecord, parseMember } from './member-record.js';

/**
 * --force-new-cluster: a member that will not see its peers again goes on alone, with all that its log holds. The end of
 * it may not be known to be committed, and may all the same have been acknowledged: the news of a commit reaches a
 * follower, and a leader's own disk, after the clients. So nothing of it falls away, other than with etcd; what nobody
 * acknowledged may have happened, as its client was told. Behind it come changes, committed by decree, that remove every
 * other member. Its id, the cluster's id and all data stay (operations spec 1.4).
 *
 * Members that were left behind must not be started again: they do not know of it, and are refused only where they meet
 * this one.
 */
export function forceNewCluster(
  env: Env,
  backend: Backend & {
    readonly appliedIndex: number;
    readonly appliedTerm: number;
    readonly confState?: Buffer | undefined;
  },
  log: WalOpened<Wal>,
  advertisePeerUrls: readonly string[],
  cb: (err: Error | null, log: WalOpened<Wal> | null) => void,
): void {
  const { nodeId: own, clusterId } = log.metadata;
  const { appliedIndex, appliedTerm } = backend;
  const before = log.hardState ?? { term: appliedTerm, vote: 0n, commit: appliedIndex };
  const commit = Math.max(before.commit, appliedIndex);
  const term = Math.max(before.term, appliedTerm);
  const kept = log.entries;
  const last = Math.max(commit, kept[kept.length - 1]?.index ?? 0);
  const say = env.log.with({ caller: 'server/force-new-cluster.ts' });
  if (last > commit) {
    say.info('keeping WAL entries that are not known to be committed', {
      'entry-index': commit + 1,
      'commit-index-from-wal': commit,
      'number-of-kept-entries': last - commit,
    });
  }
  const changes = removals(membersAt(parseConfState(backend.confState), kept), own, advertisePeerUrls);
  const added = changes.map((change, i) => new Entry(EntryType.CONF_CHANGE, term, last + 1 + i, change));
  for (const entry of added) entryWire(entry);
  const hardState = { term, vote: before.vote, commit: last + added.length };
  say.info('forcing restart member', {
    'cluster-id': hex(clusterId),
    'local-member-id': hex(own),
    'wal-commit-index': commit,
    'commit-index': hardState.commit,
  });
  log.wal.save(hardState, added as never, true, (err) => {
    if (err !== null) return cb(err, null);
    // There is no leader who could still catch it up.
    if (log.uncertain) log.wal.settle();
    cb(null, { ...log, hardState, entries: [...kept, ...added], uncertain: false });
  });
}

/** Who is a member, and whether as a learner, once these entries are applied. */
function membersAt(
  conf: { voters: readonly bigint[]; learners: readonly bigint[] },
  entries: readonly { type: number; data: Buffer }[],
): Map<bigint, { isLearner: boolean }> {
  const members = new Map<bigint, { isLearner: boolean }>();
  for (const id of conf.voters) members.set(id, { isLearner: false });
  for (const id of conf.learners) members.set(id, { isLearner: true });
  for (const entry of entries) {
    if (entry.type !== EntryType.CONF_CHANGE) continue;
    const { type, nodeId, context } = ConfChange.decode(entry.data);
    // A change that was refused may stand here as well: to remove a member that is none changes nothing.
    if (type === ConfChangeType.REMOVE_NODE) members.delete(nodeId);
    else if (type === ConfChangeType.ADD_LEARNER_NODE) members.set(nodeId, { isLearner: true });
    else if (type === ConfChangeType.ADD_NODE) {
      const promotes = context.length > 0 && parseMember(context.toString()).isPromote;
      if (!promotes || members.has(nodeId)) members.set(nodeId, { isLearner: false });
    }
  }
  return members;
}

function removals(
  members: ReadonlyMap<bigint, { isLearner: boolean }>,
  own: bigint,
  advertisePeerUrls: readonly string[],
): Buffer[] {
  const changes: Buffer[] = [];
  const change = (type: number, nodeId: bigint, context: string): void => {
    changes.push(ConfChange.encode({ id: 0n, type: type as never, nodeId, context: Buffer.from(context) }));
  };
  const self = members.get(own);
  // First, so that there is a voter at every moment.
  if (self === undefined) change(ConfChangeType.ADD_NODE, own, new MemberRecord(own, advertisePeerUrls).json());
  else if (self.isLearner) change(ConfChangeType.ADD_NODE, own, new MemberRecord(own, []).json(true));
  for (const id of members.keys()) if (id !== own) change(ConfChangeType.REMOVE_NODE, id, '');
  return changes;
}
