import type { Rng } from '../util/rng.js';
import type { PowerCut } from './sim-inode.js';
import { SimInode } from './sim-inode.js';

export type SimNode = SimInode | SimDir;

/** A change of names; a rename is one, also between directories, as file systems with a journal keep it. */
export interface NameOp {
  readonly removes: readonly { readonly dir: SimDir; readonly name: string }[];
  readonly adds: readonly { readonly dir: SimDir; readonly name: string; readonly node: SimNode }[];
}

/** A directory: the names that are durable, those that are seen, and the changes in between, oldest first. */
export class SimDir {
  live = new Map<string, SimNode>();
  durable = new Map<string, SimNode>();
  ops: NameOp[] = [];

  /** Applies a change to what is seen, and leaves it with every directory it touches until that is synced. */
  static change(op: NameOp): void {
    for (const r of op.removes) r.dir.live.delete(r.name);
    for (const a of op.adds) a.dir.live.set(a.name, a.node);
    for (const dir of dirsOf(op)) dir.ops.push(op);
  }

  sync(): void {
    for (const op of [...this.ops]) commit(op);
  }

  /**
   * What remains of this directory and all below it. Decided once for each change, whichever directory it is found in.
   * @param pick how each file looks after the cut
   */
  static powerCut(root: SimDir, pick: () => PowerCut, rng: Rng, sectorBytes: number): void {
    const dirs: SimDir[] = [];
    const files = new Set<SimInode>();
    collect(root, dirs, files);
    for (const dir of dirs) {
      const how = pick();
      const whole = how === 'prefix' ? rng.below(dir.ops.length + 1) : 0;
      [...dir.ops].forEach((op, i) => {
        if (how === 'prefix' ? i < whole : how === 'sectors' && rng.chance(1, 2)) commit(op);
        else forget(op);
      });
    }
    for (const file of files) file.powerCut(pick(), rng, sectorBytes);
    for (const dir of dirs) dir.live = new Map(dir.durable);
  }
}

function dirsOf(op: NameOp): Set<SimDir> {
  return new Set([...op.removes, ...op.adds].map((c) => c.dir));
}

/** Makes a change durable in every directory it touches. */
function commit(op: NameOp): void {
  for (const r of op.removes) r.dir.durable.delete(r.name);
  for (const a of op.adds) a.dir.durable.set(a.name, a.node);
  forget(op);
}

function forget(op: NameOp): void {
  for (const dir of dirsOf(op)) {
    const at = dir.ops.indexOf(op);
    if (at >= 0) dir.ops.splice(at, 1);
  }
}

/** Everything that can be reached by a name that is seen, durable, or on the way. */
function collect(dir: SimDir, dirs: SimDir[], files: Set<SimInode>): void {
  if (dirs.includes(dir)) return;
  dirs.push(dir);
  const nodes = [...dir.live.values(), ...dir.durable.values(), ...dir.ops.flatMap((op) => op.adds.map((a) => a.node))];
  for (const node of nodes) {
    if (node instanceof SimInode) files.add(node);
    else collect(node, dirs, files);
  }
}
