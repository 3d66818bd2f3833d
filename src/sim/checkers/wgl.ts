/**
 * Linearizability by search, after Wing and Gong with Lowe's improvements: try to take some operation whose
 * invocation precedes every outstanding return, remember (set of those taken, state), go back when stuck.
 *
 * It knows nothing of revisions, so it is the independent witness for the sweep; it is exponential in the number of
 * operations that overlap, so it is for short histories and for samples.
 *
 * Reference: J. Wing, C. Gong, "Testing and verifying concurrent objects" (1993); G. Lowe, "Testing for
 * linearizability" (2017), the linked list of events and the cache of configurations.
 */
export interface Call<T> {
  /** What `step` is given. */
  value: T;
  invoke: number;
  /** Infinity: never returned; such a call may be taken or left out. */
  return: number;
}

export interface SequentialModel<S, T> {
  init: S;
  /** @returns the state after the call, or null if the call cannot have had its answer in this state */
  step(state: S, value: T): S | null;
  /** Equal exactly for states that behave alike. */
  key(state: S): string;
}

export type WglResult<T> =
  | { outcome: 'linearizable' }
  /** The longest order that was found, and the calls that no order could take next. */
  | { outcome: 'violation'; longest: T[]; stuck: T[] }
  /** `limit` configurations were visited without an answer. */
  | { outcome: 'undecided' };

/** An event in time order: the invocation or the return of call `call`, doubly linked. */
interface Node {
  call: number;
  isReturn: boolean;
  /** The return of an invocation, the invocation of a return. */
  match: Node | null;
  previous: Node | null;
  next: Node | null;
}

/** @param limit configurations to visit before giving up, default 2,000,000 */
export function searchLinearization<S, T>(
  calls: readonly Call<T>[],
  model: SequentialModel<S, T>,
  limit = 2_000_000,
): WglResult<T> {
  const head = link(calls);
  const taken = new Uint32Array((calls.length + 31) >>> 5);
  const seen = new Set<string>();
  const path: { node: Node; state: S }[] = [];
  let longest: number[] = [];
  let stuck: number[] = [];
  let mustTake = calls.filter((call) => call.return !== Number.POSITIVE_INFINITY).length;
  let state = model.init;
  let entry = head.next;
  let visited = 0;

  while (mustTake > 0) {
    if (entry && !entry.isReturn) {
      const next = model.step(state, calls[entry.call]!.value);
      if (next !== null) {
        taken[entry.call >>> 5]! |= 1 << (entry.call & 31);
        const config = `${taken.join()} ${model.key(next)}`;
        if (!seen.has(config)) {
          if (++visited > limit) return { outcome: 'undecided' };
          seen.add(config);
          path.push({ node: entry, state });
          state = next;
          lift(entry);
          if (entry.match) mustTake--;
          if (path.length > longest.length) longest = path.map((step) => step.node.call);
          entry = head.next;
          continue;
        }
        taken[entry.call >>> 5]! &= ~(1 << (entry.call & 31));
      }
      entry = entry.next;
      continue;
    }
    // A return, or the end: everything that may come next was tried.
    if (path.length === longest.length) stuck = outstanding(head);
    const back = path.pop();
    if (!back) return { outcome: 'violation', longest: values(longest), stuck: values(stuck) };
    state = back.state;
    taken[back.node.call >>> 5]! &= ~(1 << (back.node.call & 31));
    unlift(back.node);
    if (back.node.match) mustTake++;
    entry = back.node.next;
  }
  return { outcome: 'linearizable' };

  function values(indices: number[]): T[] {
    return indices.map((i) => calls[i]!.value);
  }
}

/** Invocations before the first return that is left. */
function outstanding(head: Node): number[] {
  const found: number[] = [];
  for (let node = head.next; node && !node.isReturn; node = node.next) found.push(node.call);
  return found;
}

/** Builds the event list. At equal times invocations come first: what touches may overlap. */
function link<T>(calls: readonly Call<T>[]): Node {
  const nodes: { time: number; node: Node }[] = [];
  for (const [call, { invoke, return: end }] of calls.entries()) {
    const start: Node = { call, isReturn: false, match: null, previous: null, next: null };
    nodes.push({ time: invoke, node: start });
    if (end === Number.POSITIVE_INFINITY) continue;
    start.match = { call, isReturn: true, match: start, previous: null, next: null };
    nodes.push({ time: end, node: start.match });
  }
  nodes.sort((a, b) => a.time - b.time || Number(a.node.isReturn) - Number(b.node.isReturn));
  const head: Node = { call: -1, isReturn: false, match: null, previous: null, next: null };
  let last = head;
  for (const { node } of nodes) {
    last.next = node;
    node.previous = last;
    last = node;
  }
  return head;
}

function lift(node: Node): void {
  unlink(node);
  if (node.match) unlink(node.match);
}

/** Undoes `lift`; calls must be undone in reverse order, since each node remembers its neighbours. */
function unlift(node: Node): void {
  if (node.match) relink(node.match);
  relink(node);
}

function unlink(node: Node): void {
  node.previous!.next = node.next;
  if (node.next) node.next.previous = node.previous;
}

function relink(node: Node): void {
  node.previous!.next = node;
  if (node.next) node.next.previous = node;
}
