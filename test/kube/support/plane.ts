import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../../src/env/tls/certificate.js';
import type { KubeOptions, RunningKube } from '../../../src/kube/app/index.js';
import { startKube } from '../../../src/kube/app/index.js';
import type { LogLine } from '../../../src/util/log.js';
import { memoryLogger } from '../../../src/util/log.js';
import { startTestMember } from '../../rpc/support/member.js';
import { Cluster } from '../../support/cluster.js';

/** What a control plane of tests keeps its state in. */
export type PlaneStore = 'embedded' | 'cluster' | 'etcd';

/**
 * KEEL_TEST_KUBE_STORE, a comma list. Default: a member inside the test's process; with the long tests a real etcd as
 * well, where KEEL_TEST_ETCD_BIN names one.
 */
export function planeStores(): PlaneStore[] {
  const named = process.env.KEEL_TEST_KUBE_STORE;
  if (named !== undefined && named !== '') return named.split(',') as PlaneStore[];
  const all = process.env.KEEL_TEST_ALL === '1' && process.env.KEEL_TEST_ETCD_BIN;
  return all ? ['embedded', 'etcd'] : ['embedded'];
}

export interface Store {
  readonly endpoints: readonly string[];
  /** Of a cluster of processes. */
  readonly cluster: Cluster | null;
  stop(): Promise<void>;
}

export async function startPlaneStore(store: PlaneStore): Promise<Store> {
  if (store === 'embedded') {
    const member = await startTestMember();
    return { endpoints: [member.endpoint], cluster: null, stop: () => member.stop() };
  }
  const cluster = await Cluster.start(store === 'etcd' ? { kind: 'etcd', size: 1 } : { kind: 'keel', size: 3 });
  return { endpoints: cluster.endpoints, cluster, stop: () => cluster.dispose() };
}

/** A control plane in this process, with a folder of its own. */
export class Plane {
  readonly dir: string;
  readonly kube: RunningKube;
  readonly store: Store;
  /** What it logged, from warnings on. */
  readonly log: LogLine[];

  private constructor(dir: string, kube: RunningKube, store: Store, log: LogLine[]) {
    this.dir = dir;
    this.kube = kube;
    this.store = store;
    this.log = log;
  }

  static async start(store: PlaneStore = 'embedded', options: Partial<KubeOptions> = {}): Promise<Plane> {
    const dir = mkdtempSync(join(tmpdir(), 'keel-kube-'));
    const log: LogLine[] = [];
    let started: Store | undefined;
    try {
      started = await startPlaneStore(store);
      const kube = await startKube({
        endpoints: started.endpoints,
        dataDir: join(dir, 'data'),
        port: 0,
        compactionIntervalMs: 0,
        log: memoryLogger(log),
        makeCertificate,
        ...options,
      });
      return new Plane(dir, kube, started, log);
    } catch (err) {
      await started?.stop();
      rmSync(dir, { recursive: true, force: true });
      throw err;
    }
  }

  async stop(): Promise<void> {
    await this.kube.stop();
    await this.store.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
