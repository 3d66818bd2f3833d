import type { FaultSpec } from './kinds.js';

const CUT_MS = [50, 500, 1500, 4000, 15_000];

/** One member alone, both ways. */
export const isolate: FaultSpec = {
  name: 'isolate',
  victims: 'one',
  durations: CUT_MS,
  act(scene, { forMs }, [node]) {
    scene.cut(scene.pairs([node], scene.others([node])), forMs);
  },
};

/** Two sides, with or without a member that both see. */
export const split: FaultSpec = {
  name: 'split',
  victims: 'all',
  durations: CUT_MS,
  act(scene, { n, forMs }, nodes) {
    const side = nodes.slice(0, Math.ceil(nodes.length / 2));
    const bridge = n & 1 ? nodes[0] : undefined;
    const cutOff = side.filter((one) => one !== bridge);
    scene.cut(scene.pairs(cutOff, scene.others(side)), forMs);
  },
};

/** What one sends does not arrive; what it hears does. */
export const oneWay: FaultSpec = {
  name: 'one-way',
  victims: 'link',
  durations: CUT_MS,
  act(scene, { n, forMs }, [node, ...rest]) {
    const targets = n & 1 ? scene.others([node]) : rest;
    const pairs = targets.map((to): [string, string] => (n & 2 ? [node.name, to.name] : [to.name, node.name]));
    scene.cut(pairs, forMs);
  },
};

/** A link that comes and goes. */
export const flap: FaultSpec = {
  name: 'flap',
  victims: 'link',
  durations: [500, 1200, 2500, 4000, 6000],
  act(scene, { forMs }, [node, ...rest], rng) {
    scene.flap(scene.pairs([node], rest), forMs, rng);
  },
};

/** Connections are reset; what was under way is lost. */
export const breakLinks: FaultSpec = {
  name: 'break',
  victims: 'link',
  durations: [0],
  act(scene, _event, [node, ...rest]) {
    for (const other of rest) scene.cluster.net.breakConns(node.name, other.name);
  },
};

/** Everything on a link takes long. */
export const clog: FaultSpec = {
  name: 'clog',
  victims: 'link',
  durations: CUT_MS,
  act(scene, { n, forMs }, [node, ...rest]) {
    const { net } = scene.cluster;
    for (const [from, to] of scene.pairs([node], rest)) {
      if (n & 1 || from === node.name) net.clog(from, to, 5_000 + (n % 32) * 20_000);
      scene.later(forMs, () => net.unclog(from, to));
    }
  },
};

/** Members are cut off one after the other, and come back in another order. */
export const swizzle: FaultSpec = {
  name: 'swizzle',
  victims: 'all',
  durations: [500, 1500, 4000, 9000],
  act(scene, { forMs }, nodes, rng) {
    const cut = nodes.slice(0, rng.between(1, nodes.length));
    const backIn = rng.shuffle(cut.map((_, i) => i));
    cut.forEach((node, i) => {
      const from = Math.floor((forMs * i) / (2 * cut.length));
      const until = Math.floor(forMs / 2 + (forMs * ((backIn[i] as number) + 1)) / (2 * cut.length));
      scene.later(from, () => scene.cut(scene.pairs([node], scene.others([node])), until - from));
    });
  },
};

/** The way to a peer is full: raft messages to it are dropped for a while, and the connection stands. */
export const swamp: FaultSpec = {
  name: 'swamp',
  victims: 'link',
  durations: [50, 300, 800, 2000, 4000],
  act(scene, { n, forMs }, [node, ...rest]) {
    const { net } = scene.cluster;
    for (const other of n & 1 ? scene.others([node]) : rest) {
      net.swamp(node.name, other.name);
      scene.later(forMs, () => net.unswamp(node.name, other.name));
    }
  },
};

/** Clients lose their way to a member after the request, before the answer. */
export const clientCut: FaultSpec = {
  name: 'client-cut',
  victims: 'one',
  durations: CUT_MS,
  act(scene, { forMs }, [node]) {
    scene.cutFromClients.add(node.name);
    scene.later(forMs, () => scene.cutFromClients.delete(node.name));
  },
};
