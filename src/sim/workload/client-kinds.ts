import type { Rng } from '../../util/rng.js';
import type { Violation } from '../checkers/index.js';
import type { SimNode } from '../node.js';
import type { Profile } from '../options.js';
import { authKeepers } from './auth-keeper.js';
import { caretakers } from './caretaker.js';
import { coreClients } from './core-client.js';
import { lockers } from './core-lock.js';
import { maintainers } from './maintainer.js';
import { operators } from './operator.js';
import { verifiers } from './verifier.js';
import type { Workload } from './workload.js';

/** One client of a run beside those for keys, leases and watches. It asks members through `work.port`. */
export interface SimClient {
  /** Called once, when the load begins. Nothing new may begin once `work.stopping` is true. */
  start(): void;
  /** The process on a node is gone, and what was open there with it. */
  ended?(node: SimNode): void;
  /** Once everything is healed: what still has to come, in words for a report; null: nothing. */
  waitsFor?(): string | null;
  /** At the end of the run: what it saw and must not have seen. */
  violations?(): readonly Violation[];
}

export interface ClientKind {
  /** Its key in SimOptions.others: `--set others=name:2`. */
  readonly name: string;
  /** How many a seed gets. @param rng the kind's own stream */
  draw(rng: Rng, profile: Profile): number;
  /** @param id 1.. within the kind */
  make(work: Workload, id: number, rng: Rng): SimClient;
}

/**
 * All of them. A new one is a ClientKind in a file of its own and its name here: drawing (each kind from a stream of
 * its own), `--set`, shrinking, the wait at the end and the verdict follow.
 */
export const CLIENT_KINDS: readonly ClientKind[] = [
  verifiers,
  maintainers,
  operators,
  coreClients,
  caretakers,
  authKeepers,
  lockers,
];

/** How many clients of each kind a seed has. */
export function drawClients(rng: Rng, profile: Profile): Readonly<Record<string, number>> {
  return Object.fromEntries(CLIENT_KINDS.map((kind) => [kind.name, kind.draw(rng.split(kind.name), profile)]));
}
