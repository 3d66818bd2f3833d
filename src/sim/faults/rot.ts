import type { Rng } from '../../util/rng.js';
import type { SimNode } from '../node.js';

/** Ends a member and damages what it has at rest: its log or its store. @returns what was done, for the timeline */
export function rotAtRest(node: SimNode, rng: Rng): string {
  node.crash('process');
  node.rotten = true;
  const root = node.config.dataDir;
  if (rng.chance(1, 2)) {
    const dirs = node.disk.list(`${root}/member/keel`).filter((name) => name.startsWith('db-'));
    if (dirs.length > 0) {
      const key = node.stores.rot(`${root}/member/keel/${rng.pick(dirs)}`);
      return `rot in the store of ${node.name}, row ${key?.toString('hex')}`;
    }
  }
  const dir = `${root}/member/wal`;
  const files = node.disk.list(dir).filter((name) => name.endsWith('.wal'));
  if (files.length === 0) return `no log of ${node.name} to damage`;
  const path = `${dir}/${rng.pick(files)}`;
  const offset = rng.below(written(node, path));
  if (rng.chance(1, 4)) node.disk.zeroSector(path, Math.floor(offset / 512) * 512);
  else node.disk.flipBit(path, offset, rng.below(8));
  return `rot in ${path} at ${offset}`;
}

/** Ends a member and damages one of the last records of its log, of those that it has said it has. */
export function rotTail(node: SimNode, rng: Rng): string {
  node.crash('process');
  node.rotten = true;
  const path = newestLog(node);
  if (path === null) return `no log of ${node.name} to damage`;
  const end = written(node, path);
  const offset = Math.max(0, end - 1 - rng.below(Math.min(end, rng.pick([100, 400, 1500, 4000]))));
  node.disk.flipBit(path, offset, rng.below(8));
  return `rot in ${path} at ${offset}, ${end - offset} bytes before its end`;
}

function newestLog(node: SimNode): string | null {
  const dir = `${node.config.dataDir}/member/wal`;
  const last = node.disk
    .list(dir)
    .filter((name) => name.endsWith('.wal'))
    .at(-1);
  return last === undefined ? null : `${dir}/${last}`;
}

/** Bytes up to the last that is not zero: segments are preallocated. */
function written(node: SimNode, path: string): number {
  const bytes = node.disk.read(path, 0, node.disk.size(path));
  let end = bytes.length;
  while (end > 1 && bytes[end - 1] === 0) end--;
  return end;
}
