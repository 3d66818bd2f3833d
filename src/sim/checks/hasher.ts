import type { Rng } from '../../util/rng.js';
import type { SimCluster } from '../cluster.js';
import type { Oracle } from './oracle.js';

/** Asks members for HashKV from time to time, at a revision that all of them have; equal questions have equal answers. */
export class Hasher {
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
    this.#cluster.engine.schedule(this.#rng.between(500, 2500) * 1000, () => {
      if (this.#over) return;
      this.#ask();
      this.start();
    });
  }

  stop(): void {
    this.#over = true;
  }

  #ask(): void {
    const up = this.#cluster.nodes.filter((node) => node.member !== null && !node.paused);
    const revision = Math.min(...up.map((node) => node.member?.revision ?? 0));
    for (const node of up) {
      node.enter((member) =>
        member.hashKv(revision, { ok: (hash) => this.#oracle.hashed(node.name, hash), fail: () => {} }),
      );
    }
  }
}
