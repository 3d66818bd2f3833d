import type { Rng } from '../util/rng.js';
import { SparseImage } from './sparse-image.js';

/** How a file or directory looks after a power cut, of what had not been synced. */
export type PowerCut = 'none' | 'prefix' | 'sectors';

/** A change of a file that has not been synced. `bytes` null: a truncation to `offset`. */
interface FileOp {
  readonly offset: number;
  readonly bytes: Uint8Array | null;
}

/** Above this many unsynced changes the oldest are written back, as a kernel does in its own time. */
const OPS_MAX = 256;

/** A file's contents: what the platter holds, and what the system's cache shows. */
export class SimInode {
  #live = new SparseImage();
  #durable = new SparseImage();
  /** From #durable to #live, oldest first, but for what a failed fsync dropped. */
  #ops: FileOp[] = [];

  get length(): number {
    return this.#live.length;
  }

  get allocatedBytes(): number {
    return this.#live.allocatedBytes;
  }

  get unsynced(): number {
    return this.#ops.length;
  }

  read(offset: number, length: number): Buffer {
    return this.#live.read(offset, length);
  }

  /** What would be read after the hardest power cut. */
  readDurable(offset: number, length: number): Buffer {
    return this.#durable.read(offset, length);
  }

  growth(offset: number, length: number): number {
    return this.#live.growth(offset, length);
  }

  /** @param lost the write is in the cache, but will never reach the platter */
  write(offset: number, bytes: Uint8Array, lost = false): void {
    this.#live.write(offset, bytes);
    if (!lost) this.#push({ offset, bytes });
  }

  truncate(length: number): void {
    this.#live.truncate(length);
    this.#push({ offset: length, bytes: null });
  }

  #push(op: FileOp): void {
    this.#ops.push(op);
    if (this.#ops.length > OPS_MAX) applyTo(this.#durable, this.#ops.shift()!);
  }

  sync(): void {
    for (const op of this.#ops) applyTo(this.#durable, op);
    this.#ops = [];
  }

  /** A failed fsync: the pages are marked clean and will not be written again. The cache still shows them. */
  dropUnsynced(): void {
    this.#ops = [];
  }

  /** Damage at rest, in the platter and, as nothing is cached then, in what is read. */
  damage(offset: number, change: (bytes: Buffer) => void, length: number): void {
    for (const image of [this.#live, this.#durable]) {
      const bytes = image.read(offset, length);
      change(bytes);
      image.write(offset, bytes);
    }
  }

  powerCut(how: PowerCut, rng: Rng, sectorBytes: number): void {
    if (how === 'prefix') this.#keepPrefix(rng, sectorBytes);
    else if (how === 'sectors') this.#keepSectors(rng, sectorBytes);
    this.#ops = [];
    this.#live = this.#durable.clone();
  }

  #keepPrefix(rng: Rng, sectorBytes: number): void {
    const whole = rng.below(this.#ops.length + 1);
    for (let i = 0; i < whole; i++) applyTo(this.#durable, this.#ops[i]!);
    const torn = this.#ops[whole];
    if (torn === undefined || torn.bytes === null) return;
    const end = torn.offset + rng.below(torn.bytes.length + 1);
    const kept = Math.floor(end / sectorBytes) * sectorBytes - torn.offset;
    if (kept > 0) this.#durable.write(torn.offset, torn.bytes.subarray(0, kept));
  }

  /** Each sector is as it was after some number of the changes; the length after another number. */
  #keepSectors(rng: Rng, sectorBytes: number): void {
    const ops = this.#ops;
    if (ops.length === 0) return;
    const count = (): number => {
      const kind = rng.below(3);
      return kind === 0 ? 0 : kind === 1 ? ops.length : rng.below(ops.length + 1);
    };
    const before = this.#durable.clone();
    const lengths = [before.length];
    for (const op of ops) {
      const last = lengths[lengths.length - 1]!;
      lengths.push(op.bytes === null ? op.offset : Math.max(last, op.offset + op.bytes.length));
    }
    for (const sector of this.#touched(sectorBytes)) {
      const start = sector * sectorBytes;
      const bytes = Buffer.alloc(sectorBytes);
      before.read(start, sectorBytes).copy(bytes);
      for (const op of ops.slice(0, count())) applyToPiece(bytes, start, op);
      this.#durable.write(start, bytes);
    }
    this.#durable.truncate(lengths[count()]!);
  }

  #touched(sectorBytes: number): number[] {
    const sectors = new Set<number>();
    let end = this.#durable.length;
    for (const op of this.#ops) {
      if (op.bytes === null) {
        // A truncation changes what lies behind it, where the file was longer.
        for (let s = Math.floor(op.offset / sectorBytes); s * sectorBytes < end && sectors.size < 4096; s++)
          sectors.add(s);
        end = Math.max(end, op.offset);
        continue;
      }
      const last = op.offset + op.bytes.length;
      for (let s = Math.floor(op.offset / sectorBytes); s * sectorBytes < last; s++) sectors.add(s);
      end = Math.max(end, last);
    }
    return [...sectors].sort((a, b) => a - b);
  }
}

function applyTo(image: SparseImage, op: FileOp): void {
  if (op.bytes === null) image.truncate(op.offset);
  else image.write(op.offset, op.bytes);
}

/** The part of a change that falls into `piece`, which begins at byte `start` of the file. */
function applyToPiece(piece: Buffer, start: number, op: FileOp): void {
  if (op.bytes === null) {
    if (op.offset < start + piece.length) piece.fill(0, Math.max(0, op.offset - start));
    return;
  }
  const from = Math.max(start, op.offset);
  const to = Math.min(start + piece.length, op.offset + op.bytes.length);
  if (from < to) piece.set(op.bytes.subarray(from - op.offset, to - op.offset), from - start);
}
