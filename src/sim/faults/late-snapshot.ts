import { inLog } from './disks.js';
import type { FaultSpec } from './kinds.js';

const NOBODY = { ok: () => {}, fail: () => {} };

/**
 * A member is away until it needs a snapshot, and its disk is slow just while it installs it: the world goes on, and the
 * leader may have another one for it before it is done, and somebody may ask for a defragmentation.
 */
export const lateSnapshot: FaultSpec = {
  name: 'late-snapshot',
  victims: 'all',
  durations: [700, 1500, 3000],
  act(scene, { n, forMs }, nodes, rng) {
    const leader = scene.cluster.leader();
    const victim = nodes.find((node) => node !== leader);
    if (victim === undefined) return;
    const stallMs = 200 + (n % 8) * 300;
    scene.stalledUntil = Math.max(scene.stalledUntil, scene.cluster.engine.now + (forMs + stallMs + 5000) * 1000);
    scene.cut(scene.pairs([victim], scene.others([victim])), forMs);
    victim.whenBusy(() => {
      victim.disk.inject({ kind: 'stall', path: inLog, us: stallMs * 1000 });
      for (const withinMs of [2, 10, 10, 100, stallMs]) {
        scene.later(rng.below(withinMs * 1000) / 1000, () => victim.enter((member) => member.defragment(NOBODY)));
      }
    });
  },
};
