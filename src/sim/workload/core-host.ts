import { ClientCore } from '../../client/core/client-core.js';
import type { Env } from '../../util/env.js';
import type { Rng } from '../../util/rng.js';
import { Life } from '../engine.js';
import type { SimNode } from '../node.js';
import { SimDialer } from '../rpc/dialer.js';
import { serveClients } from '../rpc/service.js';
import type { Workload } from './workload.js';

const ENDPOINTS_MS = 2000;

/**
 * A machine with the production client's core on it: its own clock, timers and connections to the members' client ports,
 * which break, stall and slow down beside what the run's faults do to the members.
 */
export class CoreHost {
  readonly name: string;
  readonly core: ClientCore;
  readonly dialer: SimDialer;
  readonly #work: Workload;
  readonly #rng: Rng;

  constructor(work: Workload, name: string, rng: Rng) {
    const { engine, net, nodes } = work.cluster;
    this.#work = work;
    this.name = name;
    this.#rng = rng;
    const life = new Life(engine, (err) => {
      throw err;
    });
    const timers: Env['timers'] = {
      set: (delayMs, fn) => life.schedule(delayMs * 1000, fn),
      clear: (handle) => engine.cancel(handle as ReturnType<Life['schedule']>),
      defer: (fn) => life.schedule(0, fn),
    };
    const clock: Env['clock'] = { now: () => engine.now / 1000, wall: () => Math.floor(engine.now / 1000) };
    this.dialer = new SimDialer(net.attach(name, life), timers);
    for (const node of nodes) serve(node);
    this.core = new ClientCore({ clock, timers, rng: rng.split('core') }, this.dialer, {
      endpoints: this.#urls(),
      balance: rng.pick(['round-robin', 'pinned']),
      credentials: null,
      authTimeoutMs: 5000,
      progressRequestMs: rng.pick([0, 500, 3000]),
    });
    this.#updateEndpoints();
    if (work.options.profile !== 'calm') this.#trouble();
  }

  #urls(): string[] {
    return this.#work.cluster.nodes.map((node) => `http://${addressOf(node)}`);
  }

  /** Members come and go. */
  #updateEndpoints(): void {
    this.#work.port.later(ENDPOINTS_MS * 1000, () => {
      for (const node of this.#work.cluster.nodes) serve(node);
      this.core.endpoints.update(this.#urls());
      this.#updateEndpoints();
    });
  }

  /** What happens to this client's own connections, again and again. */
  #trouble(): void {
    const { cluster, port } = this.#work;
    port.later(this.#rng.between(200_000, 6_000_000), () => {
      if (this.#work.stopping) return;
      const { net } = cluster;
      const node = this.#rng.pick(cluster.nodes);
      const [from, to] = this.#rng.chance(1, 2) ? [this.name, node.name] : [node.name, this.name];
      const forUs = this.#rng.pick([5_000, 100_000, 1_000_000, 6_000_000, 15_000_000]);
      switch (this.#rng.below(4)) {
        case 0:
          net.breakConns(this.name, node.name);
          break;
        case 1:
          net.cut(from, to);
          port.later(forUs, () => net.heal(from, to));
          break;
        case 2:
          net.cut(from, to);
          net.cut(to, from);
          port.later(forUs, () => {
            net.heal(from, to);
            net.heal(to, from);
          });
          break;
        default:
          net.clog(from, to, this.#rng.pick([5_000, 300_000, 2_000_000]));
          port.later(forUs, () => net.unclog(from, to));
      }
      this.#trouble();
    });
  }
}

function addressOf(node: SimNode): string {
  return `${node.name}:2379`;
}

/** Has the node's processes listen to clients, from now on. */
function serve(node: SimNode): void {
  node.serveClients((member, env) => serveClients(member, env, addressOf(node)));
}
