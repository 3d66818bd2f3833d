import { Bucket } from '../storage/backend/index.js';
import { failpoint } from '../util/failpoint.js';
import type { KeyEntry } from './key-entry.js';
import { ABSENT, STRIDE } from './key-entry.js';
import type { Leaf } from './key-index.js';
import type { Keyspace } from './keyspace.js';
import { encodeRevision } from './revision.js';

const compactBeforeCommitScheduledCompact = failpoint('compactBeforeCommitScheduledCompact');
const compactAfterCommitScheduledCompact = failpoint('compactAfterCommitScheduledCompact');
const compactBeforeCommitBatch = failpoint('compactBeforeCommitBatch');
const compactAfterCommitBatch = failpoint('compactAfterCommitBatch');
const compactBeforeSetFinishedCompact = failpoint('compactBeforeSetFinishedCompact');
const compactAfterSetFinishedCompact = failpoint('compactAfterSetFinishedCompact');

export const SCHEDULED_COMPACT = Buffer.from('scheduledCompactRev');
export const FINISHED_COMPACT = Buffer.from('finishedCompactRev');

interface Waiting {
  readonly revision: number;
  readonly cb: () => void;
}

/**
 * Removes what the compact revision R made unreachable: of each key all revisions below its newest one <= R, and that
 * one too if it is a tombstone below R. A tombstone at R itself stays, else a watch from R would miss it, and a store
 * whose newest row is that tombstone would come back at a lower revision (etcd semantics §3.7).
 *
 * It walks the index, not the rows: what is to go is all in there, and a leaf without garbage costs nothing. A step
 * looks at a bounded number of keys and deletes a bounded number of rows; writes go on in between. The rows it deletes
 * were closed long ago, so a step closes as work of this member alone. A crash loses no more than steps: the scheduled
 * revision is stored with the apply that set it, and a restart walks again.
 */
export class Compactor {
  readonly #space: Keyspace;
  readonly #sliceRows: number;
  readonly #mutants: ReadonlySet<string>;
  /** The rows are gone already: only the index is to follow. */
  #indexOnly = false;
  /** What the walk under way removes; < 0: none is. */
  #target = -1;
  /** Keys up to this one have been dealt with. */
  #after = '';
  /**
   * Revisions cut off an entry, in KeyEntry's form, that are still to be deleted from #cutFrom on. In ascending order,
   * for a crash may come in between: a deletion's row must not go before those of the states that it ended.
   */
  #cut: number[] | null = null;
  #cutFrom = 0;
  /** The lowest revision that the walk under way has cut off: below it there is nothing to reclaim. */
  #lowest = Number.POSITIVE_INFINITY;
  /** What is left of a step: keys to look at and rows to delete. */
  #budget = 0;
  #waiting: Waiting[] = [];

  constructor(space: Keyspace, sliceRows: number, mutants: ReadonlySet<string>) {
    this.#space = space;
    this.#sliceRows = sliceRows;
    this.#mutants = mutants;
    // What a walk before a crash has deleted is not known.
    if (this.pending) this.#lowest = 0;
  }

  get pending(): boolean {
    return this.#space.finishedCompactRev < this.#space.compactRev;
  }

  /** Stores R with the apply that is open. */
  schedule(revision: number): void {
    const space = this.#space;
    space.compactRev = revision;
    if (compactBeforeCommitScheduledCompact.on) compactBeforeCommitScheduledCompact.hit();
    space.backend.put(Bucket.meta, SCHEDULED_COMPACT, encodeRevision(revision, 0, false));
    if (compactAfterCommitScheduledCompact.on) compactAfterCommitScheduledCompact.hit();
  }

  /** Calls back once everything below the compact revision of now is gone. */
  whenFinished(cb: () => void): void {
    if (!this.pending) cb();
    else this.#waiting.push({ revision: this.#space.compactRev, cb });
  }

  /** This content is replaced: those who wait, wait for the compaction of the other one. */
  moveTo(other: Compactor): void {
    for (const { cb } of this.#waiting) other.whenFinished(cb);
    this.#waiting = [];
  }

  /** One slice. @returns whether there is more */
  step(): boolean {
    const space = this.#space;
    if (!this.pending) return false;
    // A compaction that comes meanwhile is walked for afterwards.
    if (this.#target < 0) this.#target = space.compactRev;
    this.#budget = this.#sliceRows;
    this.#deleteCut();
    while (this.#budget > 0) {
      const leaf = space.index.leafAfter(this.#after);
      if (leaf === undefined) {
        this.#finish();
        break;
      }
      this.#walkLeaf(leaf);
    }
    if (compactBeforeCommitBatch.on) compactBeforeCommitBatch.hit();
    space.backend.endLocal();
    if (compactAfterCommitBatch.on) compactAfterCommitBatch.hit();
    return this.pending;
  }

  /** Of an index that was written down before a compaction at `revision` and is read after it: at once. */
  trim(revision: number): void {
    this.#target = revision;
    this.#indexOnly = true;
    this.#budget = Number.POSITIVE_INFINITY;
    for (
      let leaf = this.#space.index.leafAfter('');
      leaf !== undefined;
      leaf = this.#space.index.leafAfter(this.#after)
    )
      this.#walkLeaf(leaf);
    this.#indexOnly = false;
    this.#target = -1;
    this.#after = '';
  }

  #walkLeaf(leaf: Leaf): void {
    const entries = leaf.entries;
    if (!leaf.garbage) {
      this.#after = (entries[entries.length - 1] as KeyEntry).key;
      this.#budget--;
      return;
    }
    let position = 0;
    while ((entries[position] as KeyEntry).key <= this.#after) position++;
    const whole = position === 0;
    let garbage = false;
    while (this.#budget > 0 && position < entries.length) {
      const entry = entries[position] as KeyEntry;
      // The last removal joined the rest of this leaf to its neighbour.
      if (entry.leaf !== leaf) return;
      this.#after = entry.key;
      this.#budget--;
      if (entry.older !== null || entry.version === 0) this.#compactEntry(entry);
      if (entries[position] !== entry) continue;
      position++;
      if (entry.older !== null || entry.version === 0) garbage = true;
    }
    if (whole && !garbage && position >= entries.length) leaf.garbage = false;
  }

  #compactEntry(entry: KeyEntry): void {
    const space = this.#space;
    const target = this.#target;
    if (entry.main <= target) {
      if (entry.version !== 0 || this.#keepsTombstone(entry.main)) {
        this.#cutOlder(entry, entry.older?.length ?? 0);
        return;
      }
      this.#cut = [...(entry.older ?? []), entry.main, entry.sub * 2 + 1, entry.size];
      this.#cutFrom = 0;
      space.cache.drop(entry);
      space.index.remove(entry);
      this.#deleteCut();
      return;
    }
    const keep = entry.lastUpTo(target);
    if (keep === ABSENT) return;
    const older = entry.older as number[];
    const gone = ((older[keep + 1] as number) & 1) === 1 && !this.#keepsTombstone(older[keep] as number);
    this.#cutOlder(entry, gone ? keep + STRIDE : keep);
  }

  #keepsTombstone(main: number): boolean {
    return main === this.#target && !this.#mutants.has('46') && !this.#mutants.has('33');
  }

  /** Takes the first `length` numbers off the older revisions; their rows are deleted from now on. */
  #cutOlder(entry: KeyEntry, length: number): void {
    const older = entry.older;
    if (older === null || length === 0) return;
    if (length === older.length) {
      this.#cut = older;
      entry.older = null;
    } else {
      this.#cut = older.slice(0, length);
      entry.older = older.slice(length);
    }
    this.#cutFrom = 0;
    this.#deleteCut();
  }

  #deleteCut(): void {
    const cut = this.#cut;
    if (cut === null) return;
    let i = this.#indexOnly ? cut.length : this.#cutFrom;
    const { backend, rowsMayBeGone } = this.#space;
    if (cut.length > 0 && !this.#indexOnly) this.#lowest = Math.min(this.#lowest, cut[0] as number);
    for (; i < cut.length && this.#budget > 0; i += STRIDE, this.#budget--) {
      const mark = cut[i + 1] as number;
      const key = encodeRevision(cut[i] as number, Math.floor(mark / 2), (mark & 1) === 1);
      backend.del(Bucket.key, key, rowsMayBeGone ? -1 : (cut[i + 2] as number));
    }
    this.#cutFrom = i;
    if (i >= cut.length) this.#cut = null;
  }

  #finish(): void {
    const space = this.#space;
    const target = this.#target;
    this.#target = -1;
    this.#after = '';
    const lowest = this.#lowest;
    this.#lowest = Number.POSITIVE_INFINITY;
    space.finishedCompactRev = target;
    space.rowsMayBeGone = false;
    if (compactBeforeSetFinishedCompact.on) compactBeforeSetFinishedCompact.hit();
    space.backend.put(Bucket.meta, FINISHED_COMPACT, encodeRevision(target, 0, false));
    if (compactAfterSetFinishedCompact.on) compactAfterSetFinishedCompact.hit();
    if (lowest <= target) {
      space.backend.reclaim(Bucket.key, encodeRevision(lowest, 0, false), encodeRevision(target + 1, 0, false));
    }
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ revision }) => revision > target);
    for (const { revision, cb } of waiting) if (revision <= target) cb();
  }
}
