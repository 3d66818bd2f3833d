import type { Rng } from '../../util/rng.js';
import type { SimNode } from '../node.js';
import type { FaultScene } from './scene.js';

/**
 * One fault, drawn before the run: a list of them is what the shrinker bisects. Members are named by number; -1 is
 * whoever leads at that moment.
 */
export interface FaultEvent {
  readonly id: number;
  /** Virtual ms from the start of the load. */
  readonly at: number;
  /** Name of a FaultSpec. */
  readonly kind: FaultKind;
  /** Members that it happens to, in an order that means what the kind says. */
  readonly who: readonly number[];
  /** How long, ms. */
  readonly forMs: number;
  /** A number for the kind's own use (bytes, modes, events until it happens). */
  readonly n: number;
}

export type FaultKind = string;

/**
 * Whom a fault hits. `one`: a member, in half of the cases the leader. `some`: the same, in a quarter of the cases
 * several. `all`: all of them, in drawn order. `link`: one as above and another one that it talks to.
 */
export type Victims = 'one' | 'some' | 'all' | 'link';

/** Something that can be done to a cluster. `registry.ts` lists them all. */
export interface FaultSpec {
  readonly name: FaultKind;
  readonly victims: Victims;
  /** ms; one is drawn. */
  readonly durations: readonly number[];
  /**
   * @param nodes whom it hits, at least one
   * @param rng of this one fault
   */
  act(scene: FaultScene, event: FaultEvent, nodes: readonly [SimNode, ...SimNode[]], rng: Rng): void;
  /** Takes back what the kind has left behind, on each member, at the end of the load: what it set and no event ends. */
  heal?(node: SimNode): void;
}
