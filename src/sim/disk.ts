import { assert } from '../util/assert.js';
import type { Disk, DiskFile, IoError } from '../util/env.js';
import type { Rng } from '../util/rng.js';
import type { CrashMode, SetFault, SimDiskOptions } from './disk-faults.js';
import { diskDefaults } from './disk-faults.js';
import { SimDiskQueue } from './disk-queue.js';
import type { SimNode } from './sim-dir.js';
import { SimDir } from './sim-dir.js';
import { SimFile } from './sim-file.js';
import type { PowerCut } from './sim-inode.js';
import { SimInode } from './sim-inode.js';

export type { CrashMode, SetFault, SimDiskOptions } from './disk-faults.js';

export interface SimDiskDeps {
  /** Calls `fn` after `delayUs` of virtual time; never within this call. */
  schedule(delayUs: number, fn: () => void): void;
  rng: Rng;
  options?: Partial<SimDiskOptions>;
}

interface RememberedWrite {
  readonly inode: SimInode;
  readonly path: string;
  readonly offset: number;
  readonly before: Buffer;
  readonly bytes: Buffer;
}

const POWER_CUTS: readonly PowerCut[] = ['none', 'prefix', 'sectors'];

/**
 * A disk in memory and virtual time, which outlives the crashes of its member. A file has a durable image and an
 * ordered list of changes that have not been synced; a directory likewise, with names. What a crash leaves of them is
 * drawn from the rng; after it, what is read is exactly what survived, and files opened before are dead.
 */
export class SimDisk implements Disk {
  #options: SimDiskOptions;
  readonly #rng: Rng;
  readonly #root = new SimDir();
  #queue: SimDiskQueue;
  readonly #schedule: SimDiskDeps['schedule'];
  #faults: SetFault[] = [];
  /** What a write replaced that `undo` may take back. */
  #remembered: RememberedWrite[] = [];
  #remembers: ((path: string) => boolean) | null = null;
  /** Counts what happened, for tests and coverage. */
  readonly stats = { writes: 0, syncs: 0, dirSyncs: 0, faults: 0, crashes: 0 };

  constructor(deps: SimDiskDeps) {
    this.#rng = deps.rng;
    this.#schedule = deps.schedule;
    this.#options = { ...diskDefaults, ...deps.options };
    this.#queue = this.#makeQueue();
  }

  /**
   * Ends every open file, as the process or the machine dies. The thread's queue has run up to anywhere: writes that
   * were queued may be there. No callback comes any more.
   */
  crash(mode: CrashMode): void {
    this.stats.crashes++;
    this.#queue.die(this.#rng);
    this.#queue = this.#makeQueue();
    this.#faults = [];
    if (mode === 'process') return;
    const sectorBytes = this.#rng.chance(1, 2) ? 512 : 4096;
    const pick = (): PowerCut => (mode === 'mixed' ? this.#rng.pick(POWER_CUTS) : mode);
    SimDir.powerCut(this.#root, pick, this.#rng, sectorBytes);
  }

  get options(): SimDiskOptions {
    return this.#options;
  }

  /** Changes what goes wrong by chance, and how fast and big the disk is, from now on: a run that heals turns it off. */
  configure(options: Partial<SimDiskOptions>): void {
    this.#options = { ...this.#options, ...options };
  }

  /** Sets a fault for the next operation of its kind on a file that `path` accepts. */
  inject(fault: SetFault): void {
    this.#faults.push(fault);
  }

  /** Takes back what was set and has not happened. */
  clearFaults(): void {
    this.#faults = [];
    this.#remembers = null;
    this.#remembered = [];
  }

  /** Keeps what the next write to such a file replaces. */
  remember(path: (path: string) => boolean): void {
    this.#remembers = path;
  }

  /**
   * Damage at rest: the writes that were remembered never reached their place, though the disk said so; where `shift`
   * is not 0 they went that much further on.
   * @returns what was damaged, in words
   */
  undo(shift: number): string[] {
    const writes = this.#remembered;
    this.#remembered = [];
    return writes.map(({ inode, path, offset, before, bytes }) => {
      inode.damage(offset, (now) => now.set(before.subarray(0, now.length)), before.length);
      if (shift > 0) inode.damage(offset + shift, (now) => now.set(bytes.subarray(0, now.length)), bytes.length);
      return `${bytes.length} bytes at ${offset} of ${path}`;
    });
  }

  /** Flips one bit at rest. */
  flipBit(path: string, offset: number, bit: number): void {
    this.#inode(path).damage(offset, (bytes) => (bytes[0] = bytes[0]! ^ (1 << bit)), 1);
  }

  /** Zeroes a sector at rest. */
  zeroSector(path: string, offset: number, sectorBytes = 512): void {
    this.#inode(path).damage(offset, (bytes) => bytes.fill(0), sectorBytes);
  }

  /** Replaces bytes at rest. */
  overwrite(path: string, offset: number, bytes: Uint8Array): void {
    this.#inode(path).damage(offset, (old) => old.set(bytes), bytes.length);
  }

  /** What would be read after the hardest power cut; the name must be durable as well then. */
  readDurable(path: string, offset: number, length: number): Buffer {
    return this.#inode(path).readDurable(offset, length);
  }

  mkdirp(dir: string): void {
    let at = this.#root;
    for (const name of parts(dir)) {
      const next = at.live.get(name);
      if (next instanceof SimDir) at = next;
      else if (next !== undefined) throw ioError('ENOTDIR', 'mkdir', dir);
      else {
        const made = new SimDir();
        SimDir.change({ removes: [], adds: [{ dir: at, name, node: made }] });
        at = made;
      }
    }
  }

  list(dir: string): string[] {
    const node = this.#find(dir);
    if (node === undefined) return [];
    if (!(node instanceof SimDir)) throw ioError('ENOTDIR', 'scandir', dir);
    return [...node.live.keys()].sort();
  }

  size(path: string): number {
    const node = this.#find(path);
    return node === undefined ? -1 : node instanceof SimInode ? node.length : 4096;
  }

  isDirectory(path: string): boolean {
    return this.#find(path) instanceof SimDir;
  }

  read(path: string, offset: number, length: number): Buffer {
    const inode = this.#inode(path);
    if (this.chance(this.#options.readErrorPpm) || this.takeFault('read-error', path) !== null) {
      this.stats.faults++;
      throw ioError('EIO', 'read', path);
    }
    return inode.read(offset, length);
  }

  rename(from: string, to: string): void {
    const [fromDir, fromName] = this.#place(from, 'rename');
    const [toDir, toName] = this.#place(to, 'rename');
    const node = fromDir.live.get(fromName);
    if (node === undefined) throw ioError('ENOENT', 'rename', from);
    const there = toDir.live.get(toName);
    if (there instanceof SimDir && there.live.size > 0) throw ioError('ENOTEMPTY', 'rename', to);
    SimDir.change({
      removes: [{ dir: fromDir, name: fromName }],
      adds: [{ dir: toDir, name: toName, node }],
    });
  }

  unlink(path: string): void {
    const [dir, name] = this.#place(path, 'unlink');
    const node = dir.live.get(name);
    if (node === undefined) throw ioError('ENOENT', 'unlink', path);
    if (node instanceof SimDir) throw ioError('EISDIR', 'unlink', path);
    SimDir.change({ removes: [{ dir, name }], adds: [] });
  }

  removeTree(path: string): void {
    const node = this.#find(path);
    if (node === undefined) return;
    if (node instanceof SimDir) for (const name of [...node.live.keys()]) this.removeTree(`${path}/${name}`);
    const [dir, name] = this.#place(path, 'rm');
    SimDir.change({ removes: [{ dir, name }], adds: [] });
  }

  fsyncDir(dir: string): void {
    const node = this.#find(dir);
    if (!(node instanceof SimDir)) throw ioError(node === undefined ? 'ENOENT' : 'ENOTDIR', 'open', dir);
    this.stats.dirSyncs++;
    node.sync();
  }

  open(path: string, options: { create: boolean }): DiskFile {
    const [dir, name] = this.#place(path, 'open');
    let node = dir.live.get(name);
    if (node instanceof SimDir) throw ioError('EISDIR', 'open', path);
    if (node === undefined) {
      if (!options.create) throw ioError('ENOENT', 'open', path);
      node = new SimInode();
      SimDir.change({ removes: [], adds: [{ dir, name, node }] });
    }
    return new SimFile(this, this.#queue, node, path);
  }

  free(_dir: string): number {
    return Math.max(0, this.#options.capacityBytes - this.#allocated(this.#root));
  }

  /** @internal True in `ppm` of a million cases. */
  chance(ppm: number): boolean {
    return ppm > 0 && this.#rng.chance(ppm, 1_000_000);
  }

  /** @internal Takes the first set fault of that kind for that file. */
  takeFault(kind: SetFault['kind'], path: string): SetFault | null {
    const at = this.#faults.findIndex((f) => f.kind === kind && f.path(path));
    return at < 0 ? null : this.#faults.splice(at, 1)[0]!;
  }

  /** @internal A write as it reaches the cache. @param bytes the disk's from now on @throws IoError ENOSPC */
  writeTo(inode: SimInode, path: string, offset: number, bytes: Buffer): void {
    this.stats.writes++;
    const growth = inode.growth(offset, bytes.length);
    if (growth > 0 && growth > this.free('')) throw ioError('ENOSPC', 'write', path);
    if (this.#remembers?.(path) === true) {
      this.#remembers = null;
      const before = inode.read(offset, bytes.length);
      this.#remembered.push({ inode, path, offset, before: padded(before, bytes.length), bytes: Buffer.from(bytes) });
    }
    const stray = this.takeFault('misdirected-write', path);
    const lost = this.takeFault('lost-write', path) !== null;
    if (stray !== null || lost) this.stats.faults++;
    inode.write(offset + (stray?.shift ?? 0), bytes, lost);
  }

  /** @internal @throws IoError EIO */
  syncInode(inode: SimInode, path: string): void {
    this.stats.syncs++;
    if (this.chance(this.#options.syncErrorPpm) || this.takeFault('sync-error', path) !== null) {
      this.stats.faults++;
      inode.dropUnsynced();
      throw ioError('EIO', 'fdatasync', path);
    }
    inode.sync();
  }

  /** @internal How long the next sync takes. */
  syncDelayUs(path: string): number {
    const set = this.takeFault('stall', path);
    if (set !== null || this.chance(this.#options.stallPpm)) {
      this.stats.faults++;
      return set?.us ?? this.#rng.between(...this.#options.stallUs);
    }
    return this.#rng.between(...this.#options.syncUs);
  }

  #makeQueue(): SimDiskQueue {
    return new SimDiskQueue(this.#schedule, () => this.#rng.between(...this.#options.startUs));
  }

  #find(path: string): SimNode | undefined {
    let at: SimNode | undefined = this.#root;
    for (const name of parts(path)) {
      if (!(at instanceof SimDir)) return undefined;
      at = at.live.get(name);
    }
    return at;
  }

  #inode(path: string): SimInode {
    const node = this.#find(path);
    if (node === undefined) throw ioError('ENOENT', 'open', path);
    if (!(node instanceof SimInode)) throw ioError('EISDIR', 'read', path);
    return node;
  }

  #place(path: string, syscall: string): [dir: SimDir, name: string] {
    const names = parts(path);
    const name = names.pop();
    assert(name !== undefined, () => `not a name: ${path}`);
    const dir = this.#find(names.join('/'));
    if (dir === undefined) throw ioError('ENOENT', syscall, path);
    if (!(dir instanceof SimDir)) throw ioError('ENOTDIR', syscall, path);
    return [dir, name];
  }

  #allocated(dir: SimDir): number {
    let bytes = 0;
    for (const node of dir.live.values()) bytes += node instanceof SimDir ? this.#allocated(node) : node.allocatedBytes;
    return bytes;
  }
}

/** What was behind the end of a file is zero. */
function padded(bytes: Buffer, length: number): Buffer {
  return bytes.length === length ? bytes : Buffer.concat([bytes], length);
}

function parts(path: string): string[] {
  return path.split('/').filter((p) => p !== '' && p !== '.');
}

export function ioError(code: string, syscall: string, path: string): IoError {
  return Object.assign(new Error(`${code}: simulated, ${syscall} '${path}'`), { code, syscall, path });
}
