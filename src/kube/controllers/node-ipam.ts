/** Gives each node a range of pod addresses of its own, out of the cluster's (kubernetes node IPAM controller). */
import type { StartController } from '../kit/index.js';
import { isNotFound, keyOf, NODES } from '../kit/index.js';
import type { KubeObject } from '../machinery/object.js';

const CLUSTER_CIDR = '10.244.0.0/16';
const NODE_BITS = 24;

/** The ranges of one size within a larger one. Pure. */
export class CidrPool {
  readonly #base: number;
  readonly #bits: number;
  readonly #count: number;
  readonly #used = new Map<number, string>();

  /** @throws TypeError */
  constructor(cluster: string, bits: number) {
    const [address = '', own = ''] = cluster.split('/');
    const parts = address.split('.').map(Number);
    const clusterBits = Number(own);
    if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part < 256)) || !(clusterBits <= bits)) {
      throw new TypeError(`no range that could be divided: ${cluster} by /${bits}`);
    }
    const base = parts.reduce((sum, part) => sum * 256 + part, 0);
    this.#base = base - (base % 2 ** (32 - clusterBits));
    this.#bits = bits;
    this.#count = 2 ** (bits - clusterBits);
  }

  /** Somebody has it; of two the first keeps it. @returns false if it is somebody else's or not of this pool */
  occupy(cidr: string, owner: string): boolean {
    const [address = '', bits = ''] = cidr.split('/');
    const at = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) - this.#base;
    const size = 2 ** (32 - this.#bits);
    if (Number(bits) !== this.#bits || at < 0 || at % size !== 0 || at / size >= this.#count) return false;
    const held = this.#used.get(at / size);
    if (held === undefined) this.#used.set(at / size, owner);
    return held === undefined || held === owner;
  }

  /** The lowest that is free; null: none. */
  take(owner: string): string | null {
    for (let i = 0; i < this.#count; i++) {
      if (this.#used.has(i)) continue;
      this.#used.set(i, owner);
      return this.#text(i);
    }
    return null;
  }

  releaseOf(owner: string): void {
    for (const [i, held] of this.#used) if (held === owner) this.#used.delete(i);
  }

  rangeOf(owner: string): string | undefined {
    for (const [i, held] of this.#used) if (held === owner) return this.#text(i);
    return undefined;
  }

  #text(i: number): string {
    const at = this.#base + i * 2 ** (32 - this.#bits);
    return `${[at >>> 24, (at >>> 16) & 255, (at >>> 8) & 255, at & 255].join('.')}/${this.#bits}`;
  }
}

export const startNodeIpam: StartController = (context) => {
  const { client, informers } = context;
  const pool = new CidrPool(CLUSTER_CIDR, NODE_BITS);
  const queue = context.queue('node_ipam');
  const events = context.recorder('cidrAllocator');
  const nodes = informers.of(NODES);
  const seen = (node: KubeObject): void => {
    const range: string = node.spec?.podCIDR ?? '';
    if (range !== '') pool.occupy(range, keyOf(node));
    else queue.add(keyOf(node));
  };
  const unhook = nodes.onChange({
    add: seen,
    update: (_, node) => seen(node),
    delete: (node) => pool.releaseOf(keyOf(node)),
  });
  // Ranges that nodes have come first.
  void nodes.whenSynced().then(() =>
    queue.run(1, async (name) => {
      const node = nodes.get('', name);
      if (node === undefined || (node.spec?.podCIDR ?? '') !== '') return;
      const range = pool.rangeOf(name) ?? pool.take(name);
      if (range === null) {
        events.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
        throw new Error('no range of pod addresses is left');
      }
      const body = { spec: { podCIDR: range, podCIDRs: [range] }, metadata: { uid: node.metadata.uid ?? '' } };
      try {
        await client.resource(NODES).patch('', name, 'merge', body);
      } catch (err) {
        if (!isNotFound(err)) throw err;
        pool.releaseOf(name);
      }
    }),
  );
  return {
    name: 'nodeipam',
    async stop() {
      unhook();
      await queue.shutDown();
    },
  };
};
