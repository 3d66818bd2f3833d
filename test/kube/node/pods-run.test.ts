import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startNodeIpam } from '../../../src/kube/controllers/node-ipam.js';
import { EVENTS, LEASES, NODES, PODS } from '../../../src/kube/kit/index.js';
import { simNodes } from '../../../src/kube/node/index.js';
import { startScheduler } from '../../../src/kube/scheduler/index.js';
import { KubeWorld } from '../../support/kube-world.js';
import { readyNodes } from './ready-nodes.js';

describe('pods on simulated nodes', () => {
  let world: KubeWorld;
  beforeAll(async () => {
    const nodes = simNodes({ count: 2, backoff: { firstMs: 300, maxMs: 2000 } });
    world = await KubeWorld.start([startNodeIpam, readyNodes, startScheduler, nodes]);
  });
  afterAll(() => world?.stop());

  const pod = (name: string, more: { metadata?: object; spec?: object; container?: object } = {}) =>
    world.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', ...more.metadata },
      spec: { containers: [{ name: 'c', image: 'x:1', ...more.container }], ...more.spec },
    });
  const until = (name: string, what: (pod: any) => boolean, ms?: number) =>
    world.until(
      `pod ${name}: ${what}`,
      async () => {
        const found = await world.get(PODS, 'default', name);
        return found !== undefined && what(found) ? found : undefined;
      },
      ms,
    );
  const ready = (one: any): boolean =>
    one.status?.conditions?.some((c: any) => c.type === 'Ready' && c.status === 'True');
  const eventsOf = async (name: string): Promise<any[]> =>
    (await world.list(EVENTS, 'default')).filter((one) => one.involvedObject.name === name);

  /** Events are told a little later than statuses. */
  const told = (name: string, message: string): Promise<boolean> =>
    world.until(`event ${message}`, async () => (await eventsOf(name)).some((one) => one.message === message));

  test('a pod gets a node and an address, becomes Running, and is told of by events', async () => {
    await pod('p');
    const p = await until('p', ready);
    expect(p.status.phase).toBe('Running');
    expect(p.spec.nodeName).toMatch(/^node-[12]$/);
    const node = (await world.get(NODES, '', p.spec.nodeName))!;
    expect(p.status.podIP.startsWith(node.spec.podCIDR.replace(/0\/24$/, ''))).toBe(true);
    expect(p.status.hostIP).toBe(node.status.addresses[0].address);
    expect(p.status.containerStatuses[0]).toMatchObject({ name: 'c', ready: true, started: true, restartCount: 0 });
    expect(p.status.containerStatuses[0].containerID).toMatch(/^sim:\/\/[0-9a-f]{64}$/);
    const reasons = await world.until('events', async () => {
      const found = (await eventsOf('p')).map((one) => one.reason);
      return found.length >= 5 && found;
    });
    expect(reasons.sort()).toEqual(['Created', 'Pulled', 'Pulling', 'Scheduled', 'Started']);
    const scheduled = (await eventsOf('p')).find((one) => one.reason === 'Scheduled');
    expect(scheduled.message).toBe(`Successfully assigned default/p to ${p.spec.nodeName}`);
    expect(scheduled.source.component).toBe('default-scheduler');
  });

  test('a deleted pod ends within its grace and is gone', async () => {
    await pod('gone', { metadata: { annotations: { 'sim.keel/stop-delay': '300ms' } } });
    await until('gone', ready);
    await world.client.resource(PODS).delete('default', 'gone');
    const ending = (await world.get(PODS, 'default', 'gone'))!;
    expect(ending.metadata.deletionGracePeriodSeconds).toBe(30);
    await world.until('its end', async () => (await world.get(PODS, 'default', 'gone')) === undefined);
    await told('gone', 'Stopping container c');
  });

  test('nodes are registered with what they have, and renew a Lease', async () => {
    const nodes = await world.list(NODES);
    expect(nodes.map((one) => one.metadata.name)).toEqual(['node-1', 'node-2']);
    expect(new Set(nodes.map((one) => one.spec.podCIDR)).size).toBe(2);
    const [node] = nodes as any[];
    expect(node.status.allocatable).toMatchObject({ cpu: '4', memory: '8Gi', pods: '110' });
    expect(node.status.nodeInfo.containerRuntimeVersion).toBe('sim://1');
    const lease: any = await world.get(LEASES, 'kube-node-lease', 'node-1');
    expect(lease.spec).toMatchObject({ holderIdentity: 'node-1', leaseDurationSeconds: 40 });
    expect(lease.metadata.ownerReferences[0]).toMatchObject({ kind: 'Node', uid: node.metadata.uid });
  });

  const rules = (all: Record<string, string>) => ({
    annotations: Object.fromEntries(Object.entries(all).map(([rule, value]) => [`sim.keel/${rule}`, value])),
  });
  const sh = (name: string, script: string, more: object = {}) => ({
    name,
    image: 'x:1',
    command: ['sh', '-c', script],
    ...more,
  });

  test('init containers run one by one, a sidecar goes on beside the others and ends behind them', async () => {
    await pod('init', {
      spec: {
        restartPolicy: 'Never',
        initContainers: [
          sh('one', 'sleep 0.3'),
          { ...sh('side', 'sleep 1000'), restartPolicy: 'Always' },
          sh('two', 'true'),
        ],
        containers: [sh('main', 'sleep 0.3; exit 0')],
      },
    });
    const first = await until('init', (p) => p.status?.initContainerStatuses?.[0].state.running !== undefined);
    expect(first.status.phase).toBe('Pending');
    expect(first.status.containerStatuses[0].state.waiting.reason).toBe('PodInitializing');
    expect(first.status.initContainerStatuses[1].state.waiting.reason).toBe('PodInitializing');
    const condition = (p: any, type: string) => p.status.conditions.find((c: any) => c.type === type);
    expect(condition(first, 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [one side two]',
    });
    const running = await until('init', (p) => p.status?.phase === 'Running');
    expect(running.status.initContainerStatuses[1]).toMatchObject({ started: true, ready: true });
    const over = await until('init', (p) => p.status?.phase === 'Succeeded');
    expect(over.status.initContainerStatuses.map((c: any) => c.state.terminated.reason)).toEqual([
      'Completed',
      'Completed',
      'Completed',
    ]);
    expect(condition(over, 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' });
  });

  test('a failing init container: again by OnFailure, the end by Never', async () => {
    await pod('init-never', {
      spec: { restartPolicy: 'Never', initContainers: [sh('one', 'exit 7')] },
    });
    const failed = await until('init-never', (p) => p.status?.phase === 'Failed');
    expect(failed.status.initContainerStatuses[0].state.terminated).toMatchObject({ exitCode: 7, reason: 'Error' });
    await pod('init-again', {
      metadata: rules({ 'exit-code.one': '1', 'failures.one': '2' }),
      spec: { restartPolicy: 'OnFailure', initContainers: [{ name: 'one', image: 'x:1' }] },
    });
    const running = await until('init-again', (p) => p.status?.phase === 'Running');
    expect(running.status.initContainerStatuses[0].restartCount).toBe(2);
  });

  test('restart policies', async () => {
    await pod('never', { spec: { restartPolicy: 'Never', containers: [sh('c', 'exit 3')] } });
    await pod('done', { spec: { restartPolicy: 'OnFailure', containers: [sh('c', 'exit 0')] } });
    await pod('again', { spec: { restartPolicy: 'OnFailure', containers: [sh('c', 'exit 1')] } });
    await pod('always', { spec: { containers: [sh('c', 'exit 0')] } });
    expect((await until('never', (p) => p.status?.phase === 'Failed')).status.containerStatuses[0].restartCount).toBe(
      0,
    );
    expect((await until('done', (p) => p.status?.phase === 'Succeeded')).status.containerStatuses[0].restartCount).toBe(
      0,
    );
    for (const name of ['again', 'always']) {
      const found = await until(name, (p) => p.status?.containerStatuses?.[0].restartCount >= 2);
      expect(found.status.phase).toBe('Running');
      const waiting = await until(name, (p) => p.status.containerStatuses[0].state.waiting !== undefined);
      expect(waiting.status.containerStatuses[0].state.waiting.reason).toBe('CrashLoopBackOff');
      expect(waiting.status.containerStatuses[0].lastState.terminated.exitCode).toBe(name === 'again' ? 1 : 0);
    }
  });

  test('probes: not ready until it says so, taken back by an annotation, dead and started again', async () => {
    const probe = { httpGet: { port: 80 }, periodSeconds: 1 };
    await pod('probed', {
      metadata: rules({ 'ready-delay': '200ms' }),
      container: {
        readinessProbe: { ...probe, failureThreshold: 1 },
        startupProbe: { ...probe, failureThreshold: 30 },
      },
    });
    const unready = await until('probed', (p) => p.status?.phase === 'Running');
    expect(unready.status.containerStatuses[0]).toMatchObject({ ready: false, started: false });
    await until('probed', ready);
    const annotations = { 'sim.keel/ready': 'false' };
    await world.client.resource(PODS).patch('default', 'probed', 'merge', { metadata: { annotations } });
    const back = await until('probed', (p) => !ready(p));
    expect(back.status.conditions.find((c: any) => c.type === 'Ready')).toMatchObject({
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [c]',
    });
    await pod('dying', {
      metadata: rules({ 'live-for': '300ms' }),
      container: { livenessProbe: { ...probe, failureThreshold: 1 } },
    });
    const again = await until('dying', (p) => p.status?.containerStatuses?.[0].restartCount >= 1);
    expect(again.status.containerStatuses[0].lastState.terminated).toBeDefined();
    await told('dying', 'Container c failed liveness probe, will be restarted');
  });

  test('the grace: one that does not end is killed at its end; a second deletion shortens it', async () => {
    await pod('stubborn', { metadata: rules({ 'stop-delay': 'never' }), spec: { terminationGracePeriodSeconds: 1 } });
    await pod('stopped', { metadata: rules({ 'stop-delay': 'never' }) });
    await until('stubborn', ready);
    await until('stopped', ready);
    const pods = world.client.resource(PODS);
    await pods.delete('default', 'stubborn');
    const ended = await until(
      'stubborn',
      (p) => p.status.containerStatuses[0].state.terminated !== undefined,
      3000,
    ).catch(() => undefined);
    if (ended !== undefined) expect(ended.status.containerStatuses[0].state.terminated.exitCode).toBe(137);
    await world.until('stubborn to go', async () => (await world.get(PODS, 'default', 'stubborn')) === undefined);
    await pods.delete('default', 'stopped');
    await pods.delete('default', 'stopped', { gracePeriodSeconds: 1 });
    await world.until('stopped to go', async () => (await world.get(PODS, 'default', 'stopped')) === undefined, 4000);
  });

  test('a pod past its deadline fails and says so', async () => {
    await pod('late', { spec: { restartPolicy: 'Never', activeDeadlineSeconds: 1 } });
    const late = await until('late', (p) => p.status?.phase === 'Failed');
    expect(late.status).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
  });

  test('an image that cannot be pulled', async () => {
    await pod('imageless', { container: { image: 'y:missing' } });
    const found = await until(
      'imageless',
      (p) => p.status?.containerStatuses?.[0].state.waiting?.reason === 'ImagePullBackOff',
    );
    expect(found.status.phase).toBe('Pending');
    await told('imageless', 'Failed to pull image "y:missing": y:missing: not found');
    await told('imageless', 'Back-off pulling image "y:missing"');
  });

  test('kubelets that begin anew find their pods as they were', async () => {
    await pod('kept');
    const before = await until('kept', ready);
    await world.stopLoops();
    world.startLoops([startNodeIpam, readyNodes, startScheduler, simNodes({ count: 2 })]);
    await pod('later');
    const later = await until('later', ready);
    const after = (await world.get(PODS, 'default', 'kept'))!;
    expect(after.status.podIP).toBe(before.status.podIP);
    expect(later.status.podIP).not.toBe(after.status.podIP);
    expect(after.status.containerStatuses[0]).toMatchObject({
      restartCount: 0,
      containerID: before.status.containerStatuses[0].containerID,
    });
    await world.client.resource(PODS).delete('default', 'kept');
    await world.until('its end', async () => (await world.get(PODS, 'default', 'kept')) === undefined);
  });
});
