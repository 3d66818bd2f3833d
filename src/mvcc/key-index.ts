import { assert } from '../util/assert.js';
import { ABSENT, KeyEntry } from './key-entry.js';
import { RecentKeys } from './recent-keys.js';

const LEAF_KEYS_MAX = 256;
const ALL = Number.POSITIVE_INFINITY;

/** Consecutive keys, in order. Never empty but for the only leaf of an empty index. */
export class Leaf {
  entries: KeyEntry[];
  /** Keys whose newest revision is no tombstone. */
  live = 0;
  /** Not below the main revision of any entry: at this revision and later, `live` counts. */
  mainMax = 0;
  /** Some entry may have older revisions, or be a tombstone: a compaction has to look. */
  garbage = false;

  constructor(entries: KeyEntry[]) {
    this.entries = entries;
  }
}

/** What a walk over a range found: entries[i] at position positions[i] (see KeyEntry.at), in key order. */
export interface Hits {
  readonly entries: KeyEntry[];
  readonly positions: number[];
  /** All that exist in the range at the revision, also beyond the limit. */
  count: number;
}

/**
 * Every key that has a revision in the store, in order in leaves:
 *
 *   bounds    ''         d          m
 *   leaves  [ a .. c ] [ d .. k ] [ p .. z ]       found by binary search over the bounds
 *
 * There is no Map of all keys: at a million it costs 60 bytes a key, is not faster than the search once it is larger than
 * the processor's cache, and holds the loop up for a tenth of a second each time it grows.
 *
 * Range ends here: `undefined` for "the single key", '' for "no end".
 */
export class KeyIndex {
  readonly #recent = new RecentKeys();
  #size = 0;
  readonly #leaves: Leaf[] = [new Leaf([])];
  /** #bounds[i] <= every key of #leaves[i] < #bounds[i + 1]; beside the leaves, so that the search stays in one array. */
  readonly #bounds: string[] = [''];
  /** Where the last search ended: a key that is not there is inserted next, and neighbours are asked for together. */
  #near = 0;

  /** Keys, with those that are deleted and not compacted yet. */
  get size(): number {
    return this.#size;
  }

  get(key: string): KeyEntry | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const entries = (this.#leaves[this.#leafIndex(key)] as Leaf).entries;
    const last = entries.length - 1;
    if (last < 0 || (entries[last] as KeyEntry).key < key) return undefined;
    const entry = entries[lowerBound(entries, key)] as KeyEntry;
    if (entry.key !== key) return undefined;
    this.#recent.add(entry);
    return entry;
  }

  /**
   * Adds an entry behind all that are there, when an index is built from keys in order: `entry.leaf` is set here, and its
   * older revisions are in it already.
   */
  append(entry: KeyEntry): void {
    let leaf = this.lastLeaf;
    const last = leaf.entries[leaf.entries.length - 1];
    assert(last === undefined || last.key < entry.key, 'key index: appended out of order');
    if (leaf.entries.length >= LEAF_KEYS_MAX) {
      leaf = new Leaf([]);
      this.#leaves.push(leaf);
      this.#bounds.push(entry.key);
    }
    entry.leaf = leaf;
    leaf.entries.push(entry);
    this.#size++;
    if (entry.version !== 0) leaf.live++;
    if (entry.version === 0 || entry.older !== null) leaf.garbage = true;
    if (entry.main > leaf.mainMax) leaf.mainMax = entry.main;
  }

  /**
   * Records a revision of a key; revisions of one key come in ascending order.
   * @param version 0 for a tombstone
   * @param known what `get` gave for the key
   */
  put(
    key: string,
    known: KeyEntry | undefined,
    main: number,
    sub: number,
    version: number,
    created: number,
    size: number,
  ): KeyEntry {
    if (known === undefined) {
      const entry = this.#insert(key, main, sub, version, created, size);
      const leaf = entry.leaf;
      if (version !== 0) leaf.live++;
      else leaf.garbage = true;
      if (main > leaf.mainMax) leaf.mainMax = main;
      return entry;
    }
    assert(main > known.main || (main === known.main && sub > known.sub), 'key index: a revision goes back');
    const leaf = known.leaf;
    leaf.live += (version === 0 ? 0 : 1) - (known.version === 0 ? 0 : 1);
    leaf.garbage = true;
    if (main > leaf.mainMax) leaf.mainMax = main;
    known.supersede(main, sub, version, created, size);
    return known;
  }

  /** Forgets a key. */
  remove(entry: KeyEntry): void {
    const leaf = entry.leaf;
    const position = lowerBound(leaf.entries, entry.key);
    assert(leaf.entries[position] === entry, 'key index: an entry is not in its leaf');
    const index = this.#leafIndex(entry.key);
    leaf.entries.splice(position, 1);
    if (entry.version !== 0) leaf.live--;
    this.#size--;
    this.#recent.forget(entry.key);
    this.#shrink(index);
  }

  /**
   * What exists in a range at a revision.
   * @param limit how many to name, 0 for all; `count` counts on
   */
  range(key: string, end: string | undefined, revision: number, limit: number): Hits {
    const hits: Hits = { entries: [], positions: [], count: 0 };
    if (end === undefined) {
      const entry = this.get(key);
      if (entry === undefined) return hits;
      const position = entry.at(revision);
      if (position === ABSENT) return hits;
      hits.entries.push(entry);
      hits.positions.push(position);
      hits.count = 1;
      return hits;
    }
    this.walk(key, end, revision, limit === 0 ? ALL : limit, ALL, hits);
    return hits;
  }

  count(key: string, end: string | undefined, revision: number): number {
    if (end === undefined) return this.range(key, end, revision, 0).count;
    const hits: Hits = { entries: [], positions: [], count: 0 };
    this.walk(key, end, revision, 0, ALL, hits);
    return hits.count;
  }

  /** Whether any key exists at a revision. */
  someAt(revision: number): boolean {
    for (const leaf of this.#leaves) {
      if (revision >= leaf.mainMax) {
        if (leaf.live > 0) return true;
        continue;
      }
      for (const entry of leaf.entries) if (entry.at(revision) !== ABSENT) return true;
    }
    return false;
  }

  get firstLeaf(): Leaf {
    return this.#leaves[0] as Leaf;
  }

  get lastLeaf(): Leaf {
    return this.#leaves[this.#leaves.length - 1] as Leaf;
  }

  /** The leaf that holds the first key > `key`, undefined if there is none. For a walk in slices: keys may come and go between. */
  leafAfter(key: string): Leaf | undefined {
    const index = this.#leafIndex(key);
    const leaf = this.#leaves[index] as Leaf;
    const last = leaf.entries[leaf.entries.length - 1];
    if (last !== undefined && last.key > key) return leaf;
    return this.#leaves[index + 1];
  }

  /** Leaves and keys are in order and counts are right. For tests. */
  check(): void {
    let keys = 0;
    let previous: string | undefined;
    for (let i = 0; i < this.#leaves.length; i++) {
      const leaf = this.#leaves[i] as Leaf;
      const [low, high] = [this.#bounds[i] as string, this.#bounds[i + 1]];
      let live = 0;
      assert(leaf.entries.length > 0 || this.#leaves.length === 1, 'key index: empty leaf');
      for (const entry of leaf.entries) {
        assert(previous === undefined || previous < entry.key, 'key index: keys out of order');
        assert(low <= entry.key && (high === undefined || entry.key < high), 'key index: key out of bounds');
        assert(entry.leaf === leaf, 'key index: entry of another leaf');
        assert(this.get(entry.key) === entry, 'key index: entry not found by its key');
        assert(entry.main <= leaf.mainMax, 'key index: mainMax too small');
        if (entry.older !== null || entry.version === 0) assert(leaf.garbage, 'key index: garbage not marked');
        if (entry.version !== 0) live++;
        keys++;
        previous = entry.key;
      }
      assert(live === leaf.live, 'key index: live count wrong');
    }
    assert(keys === this.#size, 'key index: lost keys');
  }

  /**
   * A slice of a range over several keys: adds to `hits`, whose entries stay below `limit`.
   * @param budget keys to look at, about
   * @returns the key to go on from; undefined at the end
   */
  walk(key: string, end: string, revision: number, limit: number, budget: number, hits: Hits): string | undefined {
    let index = this.#leafIndex(key);
    let position = lowerBound((this.#leaves[index] as Leaf).entries, key);
    let left = budget;
    for (; index < this.#leaves.length; index++, position = 0) {
      const leaf = this.#leaves[index] as Leaf;
      const entries = leaf.entries;
      if (left <= 0 && position < entries.length) return (entries[position] as KeyEntry).key;
      let stop = entries.length;
      if (end !== '' && stop > 0 && (entries[stop - 1] as KeyEntry).key >= end) stop = lowerBound(entries, end);
      if (hits.entries.length >= limit && position === 0 && stop === entries.length && revision >= leaf.mainMax) {
        hits.count += leaf.live;
        left--;
        continue;
      }
      left -= stop - position;
      for (; position < stop; position++) {
        const entry = entries[position] as KeyEntry;
        const at = entry.at(revision);
        if (at === ABSENT) continue;
        hits.count++;
        if (hits.entries.length < limit) {
          hits.entries.push(entry);
          hits.positions.push(at);
        }
      }
      if (stop < entries.length) return undefined;
    }
    return undefined;
  }

  #insert(key: string, main: number, sub: number, version: number, created: number, size: number): KeyEntry {
    const index = this.#leafIndex(key);
    const leaf = this.#leaves[index] as Leaf;
    const entry = new KeyEntry(key, leaf, main, sub, version, created, size);
    this.#size++;
    const entries = leaf.entries;
    const position =
      entries.length > 0 && (entries[entries.length - 1] as KeyEntry).key < key
        ? entries.length
        : lowerBound(entries, key);
    if (entries.length < LEAF_KEYS_MAX) {
      if (position === entries.length) entries.push(entry);
      else entries.splice(position, 0, entry);
      return entry;
    }
    // Keys that come in order fill their leaves; others split them in halves.
    const cut = position === entries.length && index === this.#leaves.length - 1 ? position : LEAF_KEYS_MAX / 2;
    const right = new Leaf(entries.splice(cut));
    right.mainMax = leaf.mainMax;
    right.garbage = leaf.garbage;
    for (const moved of right.entries) {
      moved.leaf = right;
      if (moved.version !== 0) right.live++;
    }
    leaf.live -= right.live;
    this.#leaves.splice(index + 1, 0, right);
    this.#bounds.splice(index + 1, 0, right.entries[0]?.key ?? key);
    if (position > cut || right.entries.length === 0) {
      entry.leaf = right;
      right.entries.splice(position - cut, 0, entry);
    } else {
      entries.splice(position, 0, entry);
    }
    return entry;
  }

  /** An empty leaf goes; one that fits half a leaf with its neighbour joins it. */
  #shrink(index: number): void {
    const leaf = this.#leaves[index] as Leaf;
    if (leaf.entries.length === 0) {
      if (this.#leaves.length === 1) return;
      this.#leaves.splice(index, 1);
      this.#bounds.splice(index, 1);
      this.#bounds[0] = '';
      return;
    }
    const left = this.#leaves[index - 1];
    if (left === undefined || left.entries.length + leaf.entries.length > LEAF_KEYS_MAX / 2) return;
    for (const entry of leaf.entries) {
      entry.leaf = left;
      left.entries.push(entry);
    }
    left.live += leaf.live;
    left.mainMax = Math.max(left.mainMax, leaf.mainMax);
    left.garbage ||= leaf.garbage;
    this.#leaves.splice(index, 1);
    this.#bounds.splice(index, 1);
  }

  /** The leaf that holds `key`, or would. */
  #leafIndex(key: string): number {
    const bounds = this.#bounds;
    const near = this.#near;
    // Bounds move when leaves come and go: what is near is looked at like any other.
    if (near < bounds.length && (bounds[near] as string) <= key) {
      if (near + 1 === bounds.length || key < (bounds[near + 1] as string)) return near;
    }
    let low = 0;
    let high = bounds.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((bounds[middle] as string) <= key) low = middle;
      else high = middle;
    }
    this.#near = low;
    return low;
  }
}

/** Position of the first entry with a key >= `key`. */
function lowerBound(entries: readonly KeyEntry[], key: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] as KeyEntry).key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
