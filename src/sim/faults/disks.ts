import { diskDefaults } from '../disk-faults.js';
import type { SimNode } from '../node.js';
import type { FaultSpec } from './kinds.js';
import { rotAtRest } from './rot.js';
import type { FaultScene } from './scene.js';

/** An fsync that takes 10 ms to 30 s. */
export const stall: FaultSpec = {
  name: 'stall',
  victims: 'some',
  durations: [10, 100, 1000, 3000, 30_000],
  act(scene, { forMs }, nodes) {
    // It begins with the next fsync.
    scene.stalledUntil = Math.max(scene.stalledUntil, scene.cluster.engine.now + (forMs + 2000) * 1000);
    for (const victim of nodes) victim.disk.inject({ kind: 'stall', path: inLog, us: forMs * 1000 });
  },
};

/** An fsync that fails: the member must stop, and never say that it was done. */
export const syncError: FaultSpec = {
  name: 'sync-error',
  victims: 'one',
  durations: [0, 10, 300, 1500, 4000],
  act(scene, { n, forMs }, [node]) {
    if (n % 4 === 0) node.stores.failNext('sync', 'EIO');
    else node.disk.inject({ kind: 'sync-error', path: inLog });
    scene.restart(node, forMs + 1000);
  },
};

/** The disk is full for a while. */
export const fullDisk: FaultSpec = {
  name: 'full-disk',
  victims: 'one',
  durations: [0, 10, 300, 1500, 4000],
  act(scene, { n, forMs }, [node]) {
    const { capacityBytes } = diskDefaults;
    const used = node.disk.options.capacityBytes - node.disk.free('');
    node.disk.configure({ capacityBytes: used + (n % 8) * 4096 });
    scene.later(forMs, () => node.disk.configure({ capacityBytes }));
    scene.restart(node, forMs + 500);
  },
  heal: (node) => node.disk.configure({ capacityBytes: diskDefaults.capacityBytes }),
};

/** Bits flip at rest; the member must notice and stop, never serve it or vote upon it. */
export const rot: FaultSpec = {
  name: 'rot',
  victims: 'one',
  durations: [50, 500, 1500, 4000, 15_000],
  act(scene, { forMs }, [node], rng) {
    if (!scene.mayDamage(node)) return;
    scene.note(rotAtRest(node, rng));
    scene.restart(node, forMs);
  },
};

/** A write that the disk said was done never reached its place: what was there before is read when it starts again. */
export const staleSector: FaultSpec = {
  name: 'stale-sector',
  victims: 'one',
  durations: [20, 200, 1000, 4000],
  act: (scene, { forMs }, [node]) => misplace(scene, node, forMs, 0),
};

/** A write goes elsewhere on the disk, and over what is there. */
export const misdirected: FaultSpec = {
  name: 'misdirected',
  victims: 'one',
  durations: [20, 200, 1000, 4000],
  act: (scene, { forMs, n }, [node]) => misplace(scene, node, forMs, 512 * (1 + (n % 16))),
};

/** The process ends as its cache is all that has the write, so that what it knew to be synced is what it had said. */
function misplace(scene: FaultScene, node: SimNode, forMs: number, shift: number): void {
  if (!scene.mayDamage(node)) return;
  node.rotten = true;
  node.disk.remember((path) => path.endsWith('.wal'));
  scene.later(forMs, () => {
    node.crash('process');
    for (const what of node.disk.undo(shift)) scene.note(`not written on ${node.name}: ${what}`);
    scene.restart(node, 300);
  });
}

export function inLog(path: string): boolean {
  return path.endsWith('.wal') || path.endsWith('.tmp');
}
