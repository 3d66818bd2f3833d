/** Intervals begin <= x < end, end '' for no end; of the watchers of one interval there is one list. */
interface Node<T> {
  readonly begin: string;
  readonly end: string;
  readonly values: Set<T>;
  /** Heap order keeps the tree shallow whatever the order of insertion. */
  readonly priority: number;
  /** The largest end in the subtree; '' is larger than any. */
  endMax: string;
  left: Node<T> | null;
  right: Node<T> | null;
}

/**
 * Finds the values whose interval holds a point, in O(log n + found): a treap ordered by (begin, end) in which every
 * node knows how far the intervals below it reach. Priorities come from a counter put through a mixer, so the same
 * calls build the same tree.
 */
export class IntervalTree<T> {
  #root: Node<T> | null = null;
  #counter = 0;
  #size = 0;

  /** Values in it. */
  get size(): number {
    return this.#size;
  }

  add(begin: string, end: string, value: T): void {
    let node = this.#find(begin, end);
    if (node === null) {
      node = { begin, end, values: new Set(), priority: mix(++this.#counter), endMax: end, left: null, right: null };
      this.#root = insert(this.#root, node);
    }
    const before = node.values.size;
    node.values.add(value);
    this.#size += node.values.size - before;
  }

  delete(begin: string, end: string, value: T): void {
    const node = this.#find(begin, end);
    if (node === null || !node.values.delete(value)) return;
    this.#size--;
    if (node.values.size === 0) this.#root = remove(this.#root, begin, end);
  }

  /** Adds the values of all intervals that hold `point` to `out`, in order of begin and end. */
  stab(point: string, out: T[]): void {
    if (this.#root !== null) stab(this.#root, point, out);
  }

  #find(begin: string, end: string): Node<T> | null {
    let node = this.#root;
    while (node !== null) {
      const order = compare(begin, end, node);
      if (order === 0) return node;
      node = order < 0 ? node.left : node.right;
    }
    return null;
  }
}

function stab<T>(node: Node<T>, point: string, out: T[]): void {
  if (!reaches(node.endMax, point)) return;
  if (node.left !== null) stab(node.left, point, out);
  if (node.begin > point) return;
  if (reaches(node.end, point)) for (const value of node.values) out.push(value);
  if (node.right !== null) stab(node.right, point, out);
}

function reaches(end: string, point: string): boolean {
  return end === '' || point < end;
}

function compare<T>(begin: string, end: string, node: Node<T>): number {
  if (begin !== node.begin) return begin < node.begin ? -1 : 1;
  return end === node.end ? 0 : end < node.end ? -1 : 1;
}

function insert<T>(tree: Node<T> | null, node: Node<T>): Node<T> {
  if (tree === null) return node;
  if (node.priority > tree.priority) {
    [node.left, node.right] = split(tree, node.begin, node.end);
    update(node);
    return node;
  }
  if (compare(node.begin, node.end, tree) < 0) tree.left = insert(tree.left, node);
  else tree.right = insert(tree.right, node);
  update(tree);
  return tree;
}

/** Those below (begin, end) and those above; none is equal. */
function split<T>(tree: Node<T> | null, begin: string, end: string): [Node<T> | null, Node<T> | null] {
  if (tree === null) return [null, null];
  if (compare(begin, end, tree) < 0) {
    const [low, high] = split(tree.left, begin, end);
    tree.left = high;
    update(tree);
    return [low, tree];
  }
  const [low, high] = split(tree.right, begin, end);
  tree.right = low;
  update(tree);
  return [tree, high];
}

function remove<T>(tree: Node<T> | null, begin: string, end: string): Node<T> | null {
  if (tree === null) return null;
  const order = compare(begin, end, tree);
  if (order === 0) return merge(tree.left, tree.right);
  if (order < 0) tree.left = remove(tree.left, begin, end);
  else tree.right = remove(tree.right, begin, end);
  update(tree);
  return tree;
}

/** All of `low` is below all of `high`. */
function merge<T>(low: Node<T> | null, high: Node<T> | null): Node<T> | null {
  if (low === null) return high;
  if (high === null) return low;
  if (low.priority > high.priority) {
    low.right = merge(low.right, high);
    update(low);
    return low;
  }
  high.left = merge(low, high.left);
  update(high);
  return high;
}

function update<T>(node: Node<T>): void {
  let max = node.end;
  if (node.left !== null) max = larger(max, node.left.endMax);
  if (node.right !== null) max = larger(max, node.right.endMax);
  node.endMax = max;
}

function larger(a: string, b: string): string {
  return a === '' || b === '' ? '' : a > b ? a : b;
}

function mix(n: number): number {
  let h = Math.imul(n ^ (n >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
