import type { StoreKind } from '../binaries.js';
import { Cluster } from '../cluster.js';
import { Target } from './target.js';

/** A Keel cluster and a real etcd, started together and told the same from then on. */
export class Pair {
  readonly keel: Target;
  readonly etcd: Target;
  /** The revisions at which there was a compaction. */
  readonly compactions = new Set<number>();
  readonly #clusters: readonly Cluster[];

  private constructor(clusters: readonly Cluster[]) {
    this.#clusters = clusters;
    const [keel, etcd] = clusters as [Cluster, Cluster];
    this.keel = new Target('keel', keel.endpoints[0]!);
    this.etcd = new Target('etcd', etcd.endpoints[0]!);
  }

  static async start(): Promise<Pair> {
    const started = await Promise.allSettled((['keel', 'etcd'] as const).map(startOne));
    const clusters = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    if (clusters.length < 2) {
      await Promise.all(clusters.map((cluster) => cluster.dispose()));
      throw (started.find((one) => one.status === 'rejected') as PromiseRejectedResult).reason;
    }
    return new Pair(clusters);
  }

  /** What the processes have logged last, where one of them is gone. */
  get dead(): string | null {
    for (const { kind, members } of this.#clusters) {
      const { process } = members[0]!;
      if (!process.running) return `${kind} is gone:\n${process.log().split('\n').slice(-30).join('\n')}`;
    }
    return null;
  }

  async stop(): Promise<void> {
    this.keel.close();
    this.etcd.close();
    await Promise.all(this.#clusters.map((cluster) => cluster.dispose()));
  }
}

function startOne(kind: StoreKind): Promise<Cluster> {
  // An etcd that need not sync is twice as fast, and answers the same.
  const flags = kind === 'etcd' ? ['--unsafe-no-fsync'] : [];
  return Cluster.start({ kind, size: 1, electionMs: 1000, heartbeatMs: 100, flags });
}
