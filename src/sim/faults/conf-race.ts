import { EntryType, Role } from '../../raft/index.js';
import type { SimNode } from '../node.js';
import type { FaultSpec } from './kinds.js';
import type { FaultScene } from './scene.js';

const LEADS_WITHIN_MS = 4000;

/**
 * Two voters are added to an odd number of them, and at the moment that both changes are in force at the leader a bare
 * majority of the old ones dies, is cut off from it and comes back: if they did not know of the first change by then, they
 * elect a leader of their own, while the old one goes on with the rest and the newcomers. That cannot be as long as there
 * is one change at a time (museum 2), and none before an entry of a leader's own term is committed: the first change may
 * be one of the term before (museum 1).
 */
export const confRace: FaultSpec = {
  name: 'conf-race',
  victims: 'all',
  durations: [5000, 8000, 12_000],
  act(scene, { n, forMs }) {
    const { cluster } = scene;
    const leader = cluster.leader();
    const voters = leader?.member?.members().filter((member) => !member.isLearner) ?? [];
    if (leader === null || cluster.grow === null || voters.length < 3 || voters.length % 2 === 0) return;
    if (cluster.engine.now < scene.racesUntil) return;
    scene.racesUntil = cluster.engine.now + forMs * 1000;
    if (n & 1) {
      const added = cluster.grow(leader, 2);
      whenApplied(leader, 2, () => part(scene, leader, added, forMs));
      return;
    }
    const [first] = cluster.grow(leader, 1);
    whenApplied(leader, 1, () => {
      if (scene.over) return;
      // Nobody else is to hear that it is committed.
      for (const other of scene.others([leader])) cluster.net.breakConns(leader.name, other.name);
      scene.cut(scene.pairs([leader], scene.others([leader])), LEADS_WITHIN_MS);
      leader.crashAfterEvents(1, 'process');
      scene.restart(leader, 300);
      for (const next of scene.others([leader])) {
        whenLeads(next, () => {
          if (scene.over || cluster.grow === null) return;
          const [second] = cluster.grow(next, 1);
          whenApplied(next, 2, () => part(scene, next, [first as string, second as string], forMs));
        });
      }
    });
  },
};

/** Calls `fn` once, when the member is about to apply so many configuration changes. */
function whenApplied(node: SimNode, count: number, fn: () => void): void {
  const { member } = node;
  if (member === null) return;
  const apply = member.apply.bind(member);
  let left = count;
  member.apply = (entries) => {
    const waited = left > 0;
    left -= entries.filter((entry) => entry.type === EntryType.CONF_CHANGE).length;
    if (waited && left <= 0) fn();
    apply(entries);
  };
}

/** Calls `fn` once, behind the event in which the member becomes leader. */
function whenLeads(node: SimNode, fn: () => void): void {
  const { member } = node;
  if (member === null) return;
  const heard = member.onSoftState.bind(member);
  let waits = true;
  member.onSoftState = (state) => {
    heard(state);
    if (!waits || state.role !== Role.Leader) return;
    waits = false;
    fn();
  };
}

/** @param added names of members that may not have been started yet */
function part(scene: FaultScene, leader: SimNode, added: readonly string[], forMs: number): void {
  if (scene.over) return;
  const { net } = scene.cluster;
  const newcomers = leader.member
    ?.members()
    .filter(({ peerUrls }) => added.some((name) => peerUrls[0]?.includes(name)));
  const voters = leader.member?.inside.raft.confState.voters ?? [];
  const old = voters.filter((id) => newcomers?.every((member) => member.id !== id));
  // A majority of the old ones without the leader; whoever is not started, or no voter, is out of the way with them.
  const keep = scene.others([leader]).filter((node) => node.member !== null && old.includes(node.member.memberId));
  const stay = keep.slice(0, Math.max(0, Math.floor(old.length / 2) - 1));
  const here = [leader, ...stay];
  const others = scene.others(here).filter((node) => !added.includes(node.name) && !node.gone);
  scene.note(`${here.map((node) => node.name).join(' ')} go on with ${added.join(' ')} alone`);
  for (const node of others) {
    for (const { name } of here) net.breakConns(name, node.name);
    node.crash('process');
    scene.restart(node, 50);
  }
  // The leader of the term before is one of them.
  for (const a of others) for (const b of others) net.heal(a.name, b.name);
  const names = [...here.map((node) => node.name), ...added];
  scene.cut(
    others.flatMap((node) =>
      names.flatMap((name): [string, string][] => [
        [name, node.name],
        [node.name, name],
      ]),
    ),
    forMs,
  );
}
