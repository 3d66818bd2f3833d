import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../src/env/tls/certificate.js';
import { startKube } from '../../src/kube/app/index.js';
import { startNodeIpam } from '../../src/kube/controllers/node-ipam.js';
import { controllerContext, fromKubeconfig, HttpApiClient, NODES, PODS } from '../../src/kube/kit/index.js';
import type { KubeObject } from '../../src/kube/machinery/object.js';
import { simNodes } from '../../src/kube/node/index.js';
import { startScheduler } from '../../src/kube/scheduler/index.js';
import { nullLogger } from '../../src/util/log.js';

export interface ScheduleLoad {
  readonly endpoints: readonly string[];
  readonly nodes: number;
  readonly pods: number;
  /** Nodes with kubelets that run the pods; else objects only. */
  readonly run: boolean;
}

export interface ScheduleFigures {
  /** From the first pod's creation to the last one's binding, ms. */
  readonly placedMs: number;
  /** And to the last one's being Running; null without kubelets. */
  readonly runningMs: number | null;
  /** Creations alone. */
  readonly createdMs: number;
  /** Pods on the node that has the fewest, and the most. */
  readonly spread: readonly [number, number];
}

const GIVE_UP_MS = 180_000;
const CREATORS = 8;
let runs = 0;

/** Server, scheduler, nodes and who creates the pods, all in this process; the store is where the endpoints say. */
export async function scheduleLoad(load: ScheduleLoad): Promise<ScheduleFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'keel-schedule-'));
  const kube = await startKube({
    endpoints: load.endpoints,
    dataDir: dir,
    // Of each run its own: several may share a store.
    prefix: `/schedule-${process.pid}-${runs++}`,
    port: 0,
    log: nullLogger,
    makeCertificate,
    compactionIntervalMs: 0,
  });
  const client = new HttpApiClient({ ...fromKubeconfig(kube.kubeconfig), maxSockets: 64 });
  const context = controllerContext({ client, log: nullLogger });
  const loops = [startScheduler(context)];
  const agents = new HttpApiClient({ ...fromKubeconfig(kube.kubeconfig), maxSockets: 32 });
  const events = new HttpApiClient({ ...fromKubeconfig(kube.kubeconfig), maxSockets: 2 });
  const ofNodes = controllerContext({ client: agents, log: nullLogger });
  if (load.run) loops.push(startNodeIpam(context), simNodes({ count: load.nodes, events })(ofNodes));
  const nodes = client.resource(NODES);
  const pods = client.resource(PODS);
  const placed = new Map<string, string>();
  const running = new Set<string>();
  const seen = (pod: KubeObject): void => {
    if (pod.spec?.nodeName) placed.set(pod.metadata.name ?? '', pod.spec.nodeName);
    if (pod.status?.phase === 'Running') running.add(pod.metadata.name ?? '');
  };
  context.informers.of(PODS).onChange({ add: seen, update: (_, pod) => seen(pod) });
  try {
    for (let i = 1; i <= load.nodes && !load.run; i++) await nodes.create('', bareNode(`node-${i}`));
    const informer = context.informers.of(NODES);
    await until(() => informer.list().length === load.nodes && informer.list().every(isReady));
    for (const node of informer.list()) {
      // In place of the loop that does so when a node is ready.
      await nodes.patch('', node.metadata.name ?? '', 'merge', { spec: { taints: null } });
    }
    await context.informers.allSynced();
    await until(() => informer.list().every((node) => (node.spec?.taints ?? []).length === 0));
    const began = performance.now();
    let next = 0;
    const create = async (): Promise<void> => {
      for (let i = next++; i < load.pods; i = next++) await pods.create('default', newPod(`pod-${i}`));
    };
    const creating = Promise.all(Array.from({ length: CREATORS }, create)).then(() => performance.now() - began);
    await until(() => placed.size === load.pods);
    const placedMs = performance.now() - began;
    if (load.run) await until(() => running.size === load.pods);
    const runningMs = load.run ? performance.now() - began : null;
    const counts = new Map<string, number>(informer.list().map((node) => [node.metadata.name ?? '', 0]));
    for (const node of placed.values()) counts.set(node, (counts.get(node) ?? 0) + 1);
    const spread = [Math.min(...counts.values()), Math.max(...counts.values())] as const;
    return { placedMs, runningMs, createdMs: await creating, spread };
  } finally {
    await Promise.all(loops.map((loop) => loop.stop()));
    context.informers.stop();
    ofNodes.informers.stop();
    for (const one of [client, agents, events]) one.close();
    await kube.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

const isReady = (node: KubeObject): boolean =>
  (node.status?.conditions ?? []).some(
    (one: { type: string; status: string }) => one.type === 'Ready' && one.status === 'True',
  );

function bareNode(name: string): KubeObject {
  const amounts = { cpu: '4', memory: '8Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    status: { capacity: amounts, allocatable: amounts, conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

function newPod(name: string): KubeObject {
  const resources = { requests: { cpu: '100m', memory: '128Mi' } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'load' } },
    spec: { containers: [{ name: 'c', image: 'x:1', resources }] },
  };
}

async function until(condition: () => boolean): Promise<void> {
  const late = performance.now() + GIVE_UP_MS;
  while (!condition()) {
    if (performance.now() > late) throw new Error('it takes longer than three minutes');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
