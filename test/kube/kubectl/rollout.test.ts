import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDaemonSets } from '../../../src/kube/controllers/daemon-set/index.js';
import { startDeployments } from '../../../src/kube/controllers/deployment/index.js';
import { startReplicaSets, startReplicationControllers } from '../../../src/kube/controllers/replica-set/index.js';
import { startStatefulSets } from '../../../src/kube/controllers/stateful-set/index.js';
import { KubeWorld } from '../../support/kube-world.js';
import { TestKubelet } from '../../support/test-kubelet.js';
import type { Kubectl } from '../support/kubectl.js';
import { kubectlBinary, rows } from '../support/kubectl.js';

const reason = kubectlBinary === undefined ? ': no kubectl: set KEEL_TEST_KUBECTL_BIN or put kubectl on PATH' : '';

describe.skipIf(reason !== '')(`kubectl: rollouts that come about${reason}`, () => {
  let world: KubeWorld;
  let kubelet: TestKubelet;
  let k: Kubectl;
  beforeAll(async () => {
    world = await KubeWorld.start([
      startDeployments,
      startReplicaSets,
      startReplicationControllers,
      startStatefulSets,
      startDaemonSets,
    ]);
    kubelet = new TestKubelet(world.context);
    k = world.kubectl();
  });
  afterAll(async () => {
    await kubelet?.stop();
    await world?.stop();
  });
  const status = (what: string) => k.run(`rollout status ${what} --timeout=30s`);
  const image = (what: string) => k.field(what, 'spec.template.spec.containers[0].image');

  test('deployment: create, status, set image, history, undo, scale, pause, resume, restart', async () => {
    await k.run('create deployment web --image=nginx:1 --replicas=3');
    expect(await status('deploy/web')).toContain('deployment "web" successfully rolled out\n');
    expect(rows(await k.run('get deploy web'))[1]?.slice(0, 4)).toEqual(['web', '3/3', '3', '3']);
    const [, set] = rows(await k.run('get rs -l app=web'));
    expect(set?.slice(1, 4)).toEqual(['3', '3', '3']);

    kubelet.most = 0;
    await k.run('set image deploy/web nginx=nginx:2');
    await k.run('annotate deploy/web kubernetes.io/change-cause=second');
    expect(await status('deploy/web')).toContain('successfully rolled out');
    expect(kubelet.most).toBeLessThanOrEqual(4);
    await world.until('the cause in the history', async () =>
      rows(await k.run('rollout history deploy/web'))
        .slice(2)
        .some(([revision, cause]) => revision === '2' && cause === 'second'),
    );
    const history = rows(await k.run('rollout history deploy/web'));
    expect(history.slice(1).map(([revision]) => revision)).toEqual(['REVISION', '1', '2']);
    expect(await k.run('rollout history deploy/web --revision=1')).toContain('nginx:1');

    expect(await k.run('rollout undo deploy/web --to-revision=1')).toBe('deployment.apps/web rolled back\n');
    await status('deploy/web');
    expect(await image('deploy web')).toBe('nginx:1');
    await world.until('revision 3', async () => {
      const list = rows(await k.run('rollout history deploy/web')).slice(2);
      return list.map(([revision]) => revision).join() === '2,3';
    });
    expect((await k.run('get rs -l app=web -o name')).trim().split('\n')).toHaveLength(2);

    await k.run('scale deploy/web --replicas=5');
    await status('deploy/web');
    expect(rows(await k.run('get deploy web'))[1]?.slice(1, 4)).toEqual(['5/5', '5', '5']);

    await k.run('rollout pause deploy/web');
    await k.run('set image deploy/web nginx=nginx:3');
    await world.until('the pause to be noted', async () =>
      (await k.run('get deploy web -o yaml')).includes('DeploymentPaused'),
    );
    expect((await k.run('get rs -l app=web -o name')).trim().split('\n')).toHaveLength(2);
    await k.run('rollout resume deploy/web');
    await status('deploy/web');
    expect((await k.run('get rs -l app=web -o name')).trim().split('\n')).toHaveLength(3);

    await k.run('rollout restart deploy/web');
    await status('deploy/web');
    expect((await k.run('get rs -l app=web -o name')).trim().split('\n')).toHaveLength(4);
    const described = await k.run('describe deploy web');
    expect(described).toMatch(/Replicas: +5 desired \| 5 updated \| 5 total \| 5 available \| 0 unavailable/);
    expect(described).toMatch(/Available +True +MinimumReplicasAvailable\n +Progressing +True +NewReplicaSetAvailable/);
    expect(described).toMatch(
      /ScalingReplicaSet .*deployment-controller +(\(combined .*: )?Scaled up replica set web-/,
    );
    await k.run('wait --for=condition=Available deploy/web --timeout=5s');
  });

  test('replicaset and replicationcontroller: a pod is replaced, scale', async () => {
    await k.run('apply -f -', {
      stdin: JSON.stringify({
        apiVersion: 'v1',
        kind: 'ReplicationController',
        metadata: { name: 'old' },
        spec: {
          replicas: 2,
          selector: { app: 'old' },
          template: { metadata: { labels: { app: 'old' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
        },
      }),
    });
    await k.run('wait --for=jsonpath={.status.readyReplicas}=2 rc/old --timeout=20s');
    expect(rows(await k.run('get rc'))[1]?.slice(0, 4)).toEqual(['old', '2', '2', '2']);
    const [pod] = (await k.run('get pods -l app=old -o name')).split('\n');
    await k.run(`delete ${pod}`);
    await world.until('another', async () => {
      const names = (await k.run('get pods -l app=old -o name')).trim().split('\n');
      return names.length === 2 && !names.includes(pod as string);
    });
    await k.run('scale rc old --replicas=1');
    await k.run('wait --for=jsonpath={.status.replicas}=1 rc/old --timeout=20s');
  });

  const manifest = (kind: string, name: string, more: object) =>
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind,
      metadata: { name },
      spec: {
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } },
        ...more,
      },
    });

  test('statefulset: order, a claim each, partition, undo', async () => {
    const claim = {
      metadata: { name: 'www' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    const spec = { replicas: 3, serviceName: 'db', volumeClaimTemplates: [claim] };
    kubelet.started.length = 0;
    await k.run('apply -f -', { stdin: manifest('StatefulSet', 'db', spec) });
    expect(await status('sts/db')).toContain('partitioned roll out complete: 3 new pods have been updated');
    expect(kubelet.started.filter((name) => name.startsWith('db-'))).toEqual(['db-0', 'db-1', 'db-2']);
    expect(rows(await k.run('get sts db'))[1]?.slice(0, 2)).toEqual(['db', '3/3']);
    expect((await k.run('get pvc -o name')).trim().split('\n')).toEqual(
      ['0', '1', '2'].map((n) => `persistentvolumeclaim/www-db-${n}`),
    );
    await k.run(`patch sts db -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}}'`);
    await k.run('set image sts/db c=x:2');
    expect(await status('sts/db')).toContain('partitioned roll out complete: 1 new pods have been updated');
    expect(await k.run(`get pods -l app=db -o 'jsonpath={.items[*].spec.containers[0].image}'`)).toBe('x:1 x:1 x:2');
    await k.run(`patch sts db -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'`);
    expect(await status('sts/db')).toMatch(/roll(ing update|.out) complete/);
    expect(
      rows(await k.run('rollout history sts/db'))
        .slice(2)
        .map(([revision]) => revision),
    ).toEqual(['1', '2']);
    await k.run('rollout undo sts/db');
    await status('sts/db');
    expect(await image('sts db')).toBe('x:1');
    expect(
      rows(await k.run('rollout history sts/db'))
        .slice(2)
        .map(([revision]) => revision),
    ).toEqual(['2', '3']);
    await k.run('scale sts db --replicas=1');
    await k.run('wait --for=jsonpath={.status.replicas}=1 sts/db --timeout=20s');
    expect(kubelet.ended.slice(-2)).toEqual(['db-2', 'db-1']);
  });

  test('daemonset: a pod on each node, an update, its history, undo', async () => {
    for (const name of ['n1', 'n2']) {
      await k.run('create -f -', { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name } }) });
      await k.run(`taint node ${name} node.kubernetes.io/not-ready-`);
    }
    await k.run('apply -f -', { stdin: manifest('DaemonSet', 'agent', {}) });
    expect(await status('ds/agent')).toContain('daemon set "agent" successfully rolled out');
    expect(rows(await k.run('get ds'))[1]?.slice(0, 6)).toEqual(['agent', '2', '2', '2', '2', '2']);
    await k.run('set image ds/agent c=x:2');
    await status('ds/agent');
    expect(
      rows(await k.run('rollout history ds/agent'))
        .slice(2)
        .map(([revision]) => revision),
    ).toEqual(['1', '2']);
    await k.run('rollout undo ds/agent');
    await status('ds/agent');
    expect(await image('ds agent')).toBe('x:1');
    await k.run('rollout restart ds/agent');
    await status('ds/agent');
    await k.run('delete node n2');
    await world.until(
      'one is wanted',
      async () => (await k.field('ds agent', 'status.desiredNumberScheduled')) === '1',
    );
  });
});
