import { readLeases } from '../../lease/index.js';
import type { Rng } from '../../util/rng.js';
import type { SimCluster } from '../cluster.js';
import type { SimNode } from '../node.js';
import type { Oracle } from './oracle.js';

/**
 * Reads a table out of a running member's backend from time to time, past everything that is kept in memory: what is
 * flushed, what is being flushed and what is not must make the state of this very moment, deletions included (museum 34).
 */
export class StoredRows {
  readonly #cluster: SimCluster;
  readonly #oracle: Oracle;
  readonly #rng: Rng;
  #over = false;

  constructor(cluster: SimCluster, oracle: Oracle, rng: Rng) {
    this.#cluster = cluster;
    this.#oracle = oracle;
    this.#rng = rng;
  }

  start(): void {
    this.#cluster.engine.schedule(this.#rng.between(50, 600) * 1000, () => {
      if (this.#over) return;
      this.#ask(this.#rng.pick(this.#cluster.nodes));
      this.start();
    });
  }

  stop(): void {
    this.#over = true;
  }

  #ask(node: SimNode): void {
    if (this.#oracle.installing.has(node.name)) return;
    node.enter((member) => {
      // biome-ignore lint/complexity/useLiteralKeys: past the member's doors, as no room may
      const { backend } = member['parts'];
      const before = member.leases().map(String).sort().join(' ');
      readLeases(backend, (err, rows) => {
        if (err !== null) return;
        const found = rows.map((row) => row.id.toString()).sort();
        if (found.join(' ') === before) return;
        this.#oracle.report('I11 rows', `${node.name} has the leases ${before}, and the rows of ${found.join(' ')}`);
      });
    });
  }
}
