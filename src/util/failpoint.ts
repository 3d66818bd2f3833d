/**
 * Places in the code where a test may make the process panic, stall or print, under the names that etcd gives the same
 * places (etcd operations §7). A place is declared beside the code it stands in and is one check of a boolean while it
 * is off:
 *
 *   const raftBeforeSave = failpoint('raftBeforeSave');
 *   if (raftBeforeSave.on) raftBeforeSave.hit();
 *
 * What is declared can fire, and nothing else is listed. Who arms them, and what happens then, is handed in: in a
 * process `env/gofail.ts`; in the simulator nobody, so there they are off.
 */
export class Failpoint {
  readonly name: string;
  /** Terms are set. Changed only by who has called `onFailpoint`. */
  on = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Does what the terms say; may not return. */
  hit(): void {
    handler?.(this);
  }
}

const known = new Map<string, Failpoint>();
let handler: ((failpoint: Failpoint) => void) | null = null;

/** Declares a failpoint. To be called once a name, when its module is loaded. */
export function failpoint(name: string): Failpoint {
  const made = new Failpoint(name);
  if (known.has(name)) throw new Error(`failpoint ${name} is declared twice`);
  known.set(name, made);
  return made;
}

/** Every failpoint of the modules that are loaded, by name. */
export function failpoints(): ReadonlyMap<string, Failpoint> {
  return known;
}

/** Says what a hit does, for the whole process. Null: nothing. */
export function onFailpoint(act: ((failpoint: Failpoint) => void) | null): void {
  handler = act;
}
