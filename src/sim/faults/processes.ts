import type { CrashMode } from '../disk.js';
import type { FaultSpec } from './kinds.js';

const MODES: readonly CrashMode[] = ['process', 'none', 'prefix', 'sectors', 'mixed'];
const DOWN_MS = [0, 10, 300, 1500, 4000];
const TEN_YEARS_MS = 10 * 365 * 86_400_000;

function modeOf(n: number): CrashMode {
  return MODES[n % MODES.length] as CrashMode;
}

/** A process ends at a moment, or some events later, and starts again. */
export const crash: FaultSpec = {
  name: 'crash',
  victims: 'some',
  durations: DOWN_MS,
  act(scene, { n, forMs }, nodes, rng) {
    for (const victim of nodes) {
      if (rng.chance(1, 2)) victim.crash(modeOf(n));
      else victim.crashAfterEvents(1 + (n % 97), modeOf(n));
      scene.restart(victim, forMs + 100);
    }
  },
};

/** All of them lose power at once. */
export const crashAll: FaultSpec = {
  name: 'crash-all',
  victims: 'all',
  durations: DOWN_MS,
  act(scene, { n, forMs }, nodes, rng) {
    for (const victim of nodes) victim.crash(modeOf(n));
    for (const victim of nodes) scene.restart(victim, rng.below(forMs + 1));
  },
};

/** A member that installs a snapshot, or opens its folder, dies some events into it. */
export const crashBusy: FaultSpec = {
  name: 'crash-busy',
  victims: 'one',
  durations: DOWN_MS,
  act(scene, { n, forMs }, [node]) {
    node.crashWhenBusy(1 + (n % 60), modeOf(n));
    // So that there is something to do: open the folder again.
    if (n & 1) {
      node.crash(modeOf(n));
      node.start();
    }
    scene.restart(node, forMs + 2000);
  },
};

/** A member says that a write is done, and that is the last thing it does: what it had to say to others may be lost. */
export const crashAcked: FaultSpec = {
  name: 'crash-acked',
  victims: 'one',
  durations: [300, 1500, 4000, 8000],
  act(scene, { n, forMs }, [node]) {
    node.crashWhenAnswers(modeOf(n));
    scene.restart(node, forMs + 500);
  },
};

/** A process gets no CPU for a while, then everything late at once. */
export const pause: FaultSpec = {
  name: 'pause',
  victims: 'some',
  durations: [1, 10, 100, 700, 1500, 3000, 10_000, 60_000],
  act(scene, { forMs }, nodes) {
    for (const victim of nodes) victim.pause();
    scene.later(forMs, () => {
      for (const victim of nodes) victim.resume();
    });
  },
};

/** A clock is slewed: from now on it runs faster or slower, within what the seed allows. */
export const clockRate: FaultSpec = {
  name: 'clock-rate',
  victims: 'one',
  durations: [0],
  act({ cluster }, _event, [node], rng) {
    node.setDrift(rng.between(-cluster.driftPpm, cluster.driftPpm));
  },
};

/** The clock on the wall jumps by up to ten years. */
export const wallJump: FaultSpec = {
  name: 'wall-jump',
  victims: 'one',
  durations: [0],
  act(_scene, _event, [node], rng) {
    node.wallOffsetMs += rng.between(-1000, 1000) * (TEN_YEARS_MS / 1000);
  },
};
