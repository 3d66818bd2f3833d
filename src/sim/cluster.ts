import type { Member, MemberConfig, MemberTuning } from '../server/index.js';
import { defaultTuning, memberDefaults } from '../server/index.js';
import type { Logger } from '../util/log.js';
import { nullLogger } from '../util/log.js';
import { Rng } from '../util/rng.js';
import { Engine } from './engine.js';
import { SimNet } from './net.js';
import { SimNode } from './node.js';

export interface ClusterOptions {
  readonly seed: number;
  /** default 3 */
  readonly size?: number;
  readonly config?: Partial<MemberConfig>;
  readonly tuning?: Partial<MemberTuning>;
  readonly logger?: Logger;
}

/** Members of the production rooms on one virtual network, all from one seed. */
export class SimCluster {
  readonly engine: Engine;
  readonly net: SimNet;
  readonly nodes: SimNode[];
  /** For the workload; faults and members draw from streams of their own. */
  readonly rng: Rng;

  constructor(options: ClusterOptions) {
    const root = new Rng(options.seed);
    this.rng = root.split('workload');
    this.engine = new Engine(root.chance(1, 2) ? root.split('ties') : null);
    this.net = new SimNet(this.engine, root.split('net'));
    const names = Array.from({ length: options.size ?? 3 }, (_, i) => `m${i + 1}`);
    const initialCluster = names.map((name) => ({ name, peerUrls: [`http://${name}:2380`] }));
    this.nodes = names.map((name) => {
      const own = [`http://${name}:2380`];
      const config: MemberConfig = {
        ...memberDefaults(name),
        dataDir: `/${name}`,
        initialCluster,
        listenPeerUrls: own,
        advertisePeerUrls: own,
        advertiseClientUrls: [`http://${name}:2379`],
        ...options.config,
        tuning: { ...defaultTuning, walSegmentBytes: 64 * 1024, ...options.tuning },
      };
      const driftPpm = root.split(`drift ${name}`).between(-500, 500);
      const logger = options.logger ?? nullLogger;
      return new SimNode(this.engine, this.net, root.split(name), { config, driftPpm, logger });
    });
  }

  startAll(): void {
    for (const node of this.nodes) node.start();
  }

  node(name: string): SimNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  /** Members whose process is up. */
  members(): Member[] {
    return this.nodes.flatMap((node) => (node.member === null ? [] : [node.member]));
  }

  /** The node that leads, as far as its own member knows. */
  leader(): SimNode | null {
    return this.nodes.find((node) => node.member !== null && node.member.leader === node.member.memberId) ?? null;
  }

  /** Lets virtual time pass. @param ms of virtual time */
  run(ms: number, stop?: () => boolean): void {
    this.engine.run(this.engine.now + ms * 1000, stop);
  }
}
