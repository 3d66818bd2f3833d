import type { InitialMember, Member, MemberConfig, MemberTuning } from '../server/index.js';
import { defaultTuning, memberDefaults } from '../server/index.js';
import type { Logger } from '../util/log.js';
import { nullLogger } from '../util/log.js';
import { Rng } from '../util/rng.js';
import type { SimDiskOptions } from './disk-faults.js';
import { Engine } from './engine.js';
import type { NetOptions } from './net.js';
import { SimNet } from './net.js';
import { SimNode } from './node.js';
import type { SimLevelOptions } from './store.js';

export interface ClusterOptions {
  readonly seed: number;
  /** default 3 */
  readonly size?: number;
  readonly config?: Partial<MemberConfig>;
  readonly tuning?: Partial<MemberTuning>;
  readonly logger?: Logger;
  readonly net?: Partial<NetOptions>;
  readonly disk?: Partial<SimDiskOptions>;
  readonly store?: Partial<SimLevelOptions>;
  /** Clocks run up to so many parts in a million fast or slow; default 500 */
  readonly driftPpm?: number;
  /** What a member has else than the others. @param rng the member's own */
  readonly configOf?: (rng: Rng) => Partial<MemberConfig>;
  /** Events of one moment in drawn order; default: drawn */
  readonly surpriseOrder?: boolean;
}

/** Members of the production rooms on one virtual network, all from one seed. */
export class SimCluster {
  readonly engine: Engine;
  readonly net: SimNet;
  readonly nodes: SimNode[];
  /** Clocks run at most so many parts in a million fast or slow. */
  readonly driftPpm: number;
  /** For the workload; faults and members draw from streams of their own. */
  readonly rng: Rng;
  /** Its members change while it runs. */
  changing = false;
  /** Has so many voters added, all at once, through a node that leads; the names of their machines. Null: nobody does that. */
  grow: ((leader: SimNode, count: number) => string[]) | null = null;
  /** A member was made to differ from the others. */
  skewed = false;
  /** Hears of each machine that comes later. */
  onNode: ((node: SimNode) => void) | null = null;
  readonly #make: (name: string, joins: readonly InitialMember[] | null) => SimNode;

  constructor(options: ClusterOptions) {
    const root = new Rng(options.seed);
    this.rng = root.split('workload');
    const surprise = options.surpriseOrder ?? root.chance(1, 2);
    this.engine = new Engine(surprise ? root.split('ties') : null);
    this.net = new SimNet(this.engine, root.split('net'), options.net);
    const names = Array.from({ length: options.size ?? 3 }, (_, i) => `m${i + 1}`);
    const initialCluster = names.map((name) => ({ name, peerUrls: [`http://${name}:2380`] }));
    this.driftPpm = options.driftPpm ?? 500;
    this.#make = (name, joins) => {
      const own = [`http://${name}:2380`];
      const config: MemberConfig = {
        ...memberDefaults(name),
        dataDir: `/${name}`,
        initialCluster: joins ?? initialCluster,
        initialClusterState: joins === null ? 'new' : 'existing',
        listenPeerUrls: own,
        advertisePeerUrls: own,
        advertiseClientUrls: [`http://${name}:2379`],
        ...options.config,
        ...options.configOf?.(root.split(`config ${name}`)),
        tuning: { ...defaultTuning, walSegmentBytes: 64 * 1024, ...options.tuning },
      };
      const drift = this.driftPpm;
      const driftPpm = root.split(`drift ${name}`).between(-drift, drift);
      const logger = options.logger ?? nullLogger;
      const { disk = {}, store = {} } = options;
      return new SimNode(this.engine, this.net, root.split(name), { config, driftPpm, logger, disk, store });
    };
    this.nodes = names.map((name) => this.#make(name, null));
  }

  /** One more machine, for a member that was added. @param others the members as they are */
  addNode(name: string, others: readonly InitialMember[]): SimNode {
    const node = this.#make(name, others);
    this.nodes.push(node);
    this.onNode?.(node);
    return node;
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
