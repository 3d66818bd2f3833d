import type { Rng } from '../../util/rng.js';
import type { SimNode } from '../node.js';
import { inLog } from './disks.js';
import type { FaultEvent, FaultSpec } from './kinds.js';
import { rotTail } from './rot.js';
import type { FaultScene } from './scene.js';

/**
 * For a while a bare quorum has all that is acknowledged, since the others are cut off. Then all of it is lost but one
 * member, which has been through something; with those that were cut off it is a quorum again, and all that was
 * acknowledged hangs on what that one member has kept. The others come back later.
 */
function thin(
  scene: FaultScene,
  { n, forMs }: FaultEvent,
  harm: (survivor: SimNode) => void,
  claim: (node: SimNode) => boolean,
  preferred: SimNode | null = null,
): void {
  const { cluster } = scene;
  const leader = cluster.leader();
  const first = cluster.nodes.filter((node) => node === leader || node === preferred);
  const order = [...first, ...scene.others(first)];
  const quorum = order.slice(0, Math.floor(order.length / 2) + 1);
  const survivor = preferred ?? (quorum[n % quorum.length] as SimNode);
  if (!claim(survivor)) return;
  scene.cut(scene.pairs(order.slice(quorum.length), quorum), forMs);
  // In half of the cases its disk is slow at last, so that much of what it was given is not synced.
  if (n & 16) {
    const stallMs = 500;
    scene.stalledUntil = Math.max(scene.stalledUntil, cluster.engine.now + (forMs + 2000) * 1000);
    scene.later(forMs - stallMs, () => survivor.disk.inject({ kind: 'stall', path: inLog, us: 2 * stallMs * 1000 }));
  }
  scene.later(forMs, () => {
    for (const node of quorum) {
      if (node === survivor) continue;
      node.crash('process');
      scene.restart(node, 3000 + (n % 4) * 1000);
    }
    harm(survivor);
    scene.restart(survivor, 50);
  });
}

/** What the one member went through is a power cut. */
export const thinQuorum: FaultSpec = {
  name: 'thin-quorum',
  victims: 'all',
  durations: [700, 1500, 4000],
  act(scene, event, _nodes, rng: Rng) {
    const mode = rng.pick(['none', 'prefix', 'sectors', 'mixed'] as const);
    thin(
      scene,
      event,
      (survivor) => survivor.crash(mode),
      () => true,
    );
  },
};

/** It is rot in the end of its log: it must know that it lost something, and not elect anybody with what is left. */
export const thinRot: FaultSpec = {
  name: 'thin-rot',
  victims: 'all',
  durations: [700, 1500, 4000],
  act(scene, event, _nodes, rng: Rng) {
    thin(
      scene,
      event,
      (survivor) => scene.note(rotTail(survivor, rng)),
      (node) => {
        // At once: until then nobody else's disk may be damaged.
        const may = scene.mayDamage(node);
        if (may) node.rotten = true;
        return may;
      },
      // Where one disk is bad already, no other may be.
      scene.cluster.nodes.find((node) => node.rotten) ?? null,
    );
  },
};
