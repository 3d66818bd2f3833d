/** The loops behind `keel kube`: which there are, which are wanted, and their life under a leader's Lease. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { startCronJobs } from '../controllers/cron-job/index.js';
import { startDaemonSets } from '../controllers/daemon-set/index.js';
import { startDeployments } from '../controllers/deployment/index.js';
import { startDisruption } from '../controllers/disruption.js';
import { startEndpointSlices } from '../controllers/endpoint-slices/index.js';
import { startEndpointSliceMirroring } from '../controllers/endpoint-slices/mirroring.js';
import { startEndpoints } from '../controllers/endpoints/index.js';
import { startGarbageCollector } from '../controllers/garbage-collector/index.js';
import { startJobs } from '../controllers/job/index.js';
import { startNamespaces } from '../controllers/namespace.js';
import { startNodeIpam } from '../controllers/node-ipam.js';
import { startTaintEviction } from '../controllers/node-lifecycle/eviction.js';
import { startNodeLifecycle } from '../controllers/node-lifecycle/index.js';
import { startPersistentVolumes } from '../controllers/persistent-volume/index.js';
import { startPodGc } from '../controllers/pod-gc.js';
import { startReplicaSets, startReplicationControllers } from '../controllers/replica-set/index.js';
import { startStatefulSets } from '../controllers/stateful-set/index.js';
import { startTtlAfterFinished } from '../controllers/ttl-after-finished.js';
import type { ApiClientOptions, Controller, Logger, StartController } from '../kit/index.js';
import { controllerContext, HttpApiClient, LeaderElection, REAL_CLOCK } from '../kit/index.js';
import { startScheduler } from '../scheduler/index.js';
import { KubeConfigError } from './options.js';

/** By the name that `--controllers` knows it by; kube-controller-manager's where it has such a loop. One line a loop. */
export const CONTROLLERS: Readonly<Record<string, StartController>> = {
  'daemonset-controller': startDaemonSets,
  'statefulset-controller': startStatefulSets,
  'deployment-controller': startDeployments,
  'replicationcontroller-controller': startReplicationControllers,
  'replicaset-controller': startReplicaSets,
  'node-ipam-controller': startNodeIpam,
  scheduler: startScheduler,
  'garbage-collector-controller': startGarbageCollector,
  'endpoints-controller': startEndpoints,
  'endpointslice-controller': startEndpointSlices,
  'endpointslice-mirroring-controller': startEndpointSliceMirroring,
  'job-controller': startJobs,
  'cronjob-controller': startCronJobs,
  'namespace-controller': startNamespaces,
  'node-lifecycle-controller': startNodeLifecycle,
  'taint-eviction-controller': startTaintEviction,
  'pod-garbage-collector-controller': startPodGc,
  'persistentvolume-binder-controller': startPersistentVolumes,
  'disruption-controller': startDisruption,
  'ttl-after-finished-controller': startTtlAfterFinished,
};

const LEASE_NAMESPACE = 'kube-system';
const LEASE_NAME = 'kube-controller-manager';

/**
 * The loops that a selection means: `*` all, `foo` this one, `-foo` not this one. The word about a name itself counts
 * more than `*`, the first word about it more than later ones. The ending `-controller` may be left out.
 * @throws KubeConfigError for a name that no loop has
 */
export function selectControllers(
  selection: readonly string[],
  all: Readonly<Record<string, StartController>> = CONTROLLERS,
): [string, StartController][] {
  const nameOf = (word: string): string => {
    const name = word.replace(/^-/, '');
    for (const known of [name, `${name}-controller`]) if (Object.hasOwn(all, known)) return known;
    throw new KubeConfigError(`--controllers: "${name}" is unknown; there are ${Object.keys(all).join(', ')}`);
  };
  const wanted = new Map<string, boolean>();
  for (const word of selection) {
    if (word === '*') continue;
    const name = nameOf(word);
    if (!wanted.has(name)) wanted.set(name, !word.startsWith('-'));
  }
  const others = selection.includes('*');
  return Object.entries(all).filter(([name]) => wanted.get(name) ?? others);
}

export interface ControllersOptions {
  /** The server, and who we are to it. */
  readonly client: ApiClientOptions;
  readonly log: Logger;
  readonly loops: readonly (readonly [name: string, start: StartController])[];
  /** Default: the machine's name with something random behind it. */
  readonly identity?: string;
  /** Of the Lease, ms; see LeaderElectionOptions. */
  readonly leaseMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
}

export interface RunningControllers {
  readonly leading: boolean;
  /** Loops end first, then the Lease is given back. */
  stop(): Promise<void>;
}

/** Waits for the Lease in the background, and runs the loops while it is ours. */
export function startControllers(options: ControllersOptions): RunningControllers {
  const { log, loops, identity = `${hostname()}_${randomUUID()}` } = options;
  const client = new HttpApiClient({ userAgent: 'kube-controller-manager', ...options.client });
  const timing = {
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    ...(options.renewDeadlineMs === undefined ? {} : { renewDeadlineMs: options.renewDeadlineMs }),
    ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
  };
  const election = new LeaderElection({
    ...timing,
    client,
    clock: REAL_CLOCK,
    log,
    namespace: LEASE_NAMESPACE,
    name: LEASE_NAME,
    identity,
    lead: (signal) => lead(new HttpApiClient({ userAgent: 'kube-controller-manager', ...options.client }), signal),
  });

  /** With a client of its own: what a leader that was deposed still has under way ends with it. */
  async function lead(own: HttpApiClient, signal: AbortSignal): Promise<void> {
    const context = controllerContext({ client: own, log });
    const running: Controller[] = [];
    try {
      for (const [, start] of loops) running.push(start(context));
      if (!signal.aborted) {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      }
    } finally {
      await Promise.all(running.map((loop) => loop.stop()));
      context.informers.stop();
      own.close();
    }
  }

  election.start();
  let stopping: Promise<void> | undefined;
  return {
    get leading() {
      return election.leading;
    },
    stop() {
      stopping ??= election.stop().finally(() => client.close());
      return stopping;
    },
  };
}
