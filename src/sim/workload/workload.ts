import type { Rng } from '../../util/rng.js';
import type { LogRevision } from '../checkers/index.js';
import type { SimCluster } from '../cluster.js';
import type { SimNode } from '../node.js';
import type { SimOptions } from '../options.js';
import type { ClientPort } from './client-port.js';
import type { History } from './history.js';

/** What all clients of a run share. */
export interface Workload {
  readonly options: SimOptions;
  readonly cluster: SimCluster;
  readonly port: ClientPort;
  readonly history: History;
  /** Clients begin nothing new once it is true. */
  stopping: boolean;
  /** Every revision from 2 on, as the cluster has come to it. */
  log(): readonly LogRevision[];
  /** How many leaders there have been. */
  leaderChanges(): number;
  /** Something that must not be was seen. */
  report(rule: string, message: string): void;
  /** As the cluster has it now. */
  compactRevision(): number;
  /** The newest revision that any client has seen. */
  seenRevision: number;
  /** Each is told the key of a write when a client hears that it is done. */
  readonly hearsOfWrites: ((key: string) => void)[];
}

/** A member to talk to, other than `not` where there is one; no machine that was taken away for good. */
export function pickNode({ cluster }: Workload, rng: Rng, not: SimNode | null = null): SimNode {
  const nodes = cluster.nodes.filter((node) => !node.gone);
  const node = rng.pick(nodes);
  if (node !== not || nodes.length === 1) return node;
  return nodes[(nodes.indexOf(node) + 1) % nodes.length] as SimNode;
}
