import type { Rng } from '../../util/rng.js';
import type { Response } from '../checkers/index.js';
import type { SimNode } from '../node.js';
import type { ClientKind, SimClient } from './client-kinds.js';
import { send } from './requests.js';
import type { Workload } from './workload.js';

/** Of so many writes one is read again. */
const ONE_IN = 8;
/** Questions that one member may have at a time; to the checkers each is a client of its own. */
const AT_A_TIME = 3;

/**
 * One who hears of a write that is done and at once wants to read it, from every member. So there is a read that must
 * see it at whoever comes to lead next, however soon the member that said so is gone.
 */
class Verifier implements SimClient {
  readonly #work: Workload;
  readonly #id: number;
  readonly #rng: Rng;
  readonly #underWay = new Set<number>();

  constructor(work: Workload, id: number, rng: Rng) {
    this.#work = work;
    this.#id = id;
    this.#rng = rng;
  }

  start(): void {
    this.#work.hearsOfWrites.push((key) => {
      if (this.#work.stopping || !this.#rng.chance(1, ONE_IN)) return;
      for (const node of this.#work.cluster.nodes) this.#read(node, key);
    });
  }

  #read(node: SimNode, key: string): void {
    const { history, port, cluster } = this.#work;
    const first = 1000 * this.#id + AT_A_TIME * cluster.nodes.indexOf(node);
    let client = first;
    while (this.#underWay.has(client)) client++;
    if (client >= first + AT_A_TIME || !port.reachable(node)) return;
    this.#underWay.add(client);
    const op = { kind: 'range' as const, key, rangeEnd: '', revision: 0, serializable: false };
    const record = history.begin(client, node.name, op);
    const over = (): void => void this.#underWay.delete(client);
    port.call<Response>(node, 8000, (member, done) => send(member, op, done), {
      ok: (response) => {
        history.ok(record, response);
        over();
      },
      fail: (error) => {
        history.fail(record, error);
        over();
      },
      lost: (error) => {
        history.lost(record, error);
        over();
      },
    });
  }
}

export const verifiers: ClientKind = {
  name: 'verifiers',
  draw: (rng) => rng.pick([0, 0, 1, 1]),
  make: (work, id, rng) => new Verifier(work, id, rng),
};
