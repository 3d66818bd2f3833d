import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { claimOwners } from '../../../src/kube/controllers/stateful-set/identity.js';
import { startStatefulSets } from '../../../src/kube/controllers/stateful-set/index.js';
import { plan } from '../../../src/kube/controllers/stateful-set/plan.js';
import {
  CONTROLLER_REVISIONS,
  EVENTS,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  STATEFUL_SETS,
} from '../../../src/kube/kit/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { KubeWorld } from '../../support/kube-world.js';
import { TestKubelet } from '../../support/test-kubelet.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');

describe('the next steps', () => {
  const set = (spec: object): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'default', uid: 'u' },
    spec: { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }, ...spec },
  });
  /** `1` well, `1!` not ready, `1-` terminating, `1x` failed; a trailing `b` is of the new revision. */
  const pods = (text: string): KubeObject[] =>
    text.split(' ').flatMap((word) => {
      const match = /^(\d+)([!x-]?)(b?)$/.exec(word);
      if (match === null) return [];
      const [, ordinal, state, revision] = match;
      const ready = state === '' ? 'True' : 'False';
      return [
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            name: `db-${ordinal}`,
            labels: { 'controller-revision-hash': revision === 'b' ? 'b' : 'a' },
            ...(state === '-' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
          },
          status: {
            phase: state === 'x' ? 'Failed' : 'Running',
            conditions: [{ type: 'Ready', status: ready, lastTransitionTime: '2025-01-01T00:00:00Z' }],
          },
        },
      ];
    });
  const steps = (spec: object, text: string, update = 'a') =>
    plan({ set: set(spec), pods: pods(text), current: 'a', update, now: NOW })
      .filter((step) => step.do !== 'mend')
      .map((step) =>
        step.do === 'create'
          ? `+${step.ordinal}${step.revision[0]}`
          : `${step.do === 'delete' ? '-' : 'x'}${step.pod.metadata.name!.slice(3)}`,
      )
      .join(' ');
  const parallel = { podManagementPolicy: 'Parallel' };
  const partition = (n: number) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: n } } });

  test.each([
    ['nothing there', {}, '', 'a', '+0u'],
    ['the first is not ready', {}, '0!', 'a', ''],
    ['the first is well', {}, '0', 'a', '+1u'],
    ['the first is going', {}, '0- 1 2', 'a', ''],
    ['one in the middle is missing', {}, '0 2', 'a', '+1u'],
    ['one ended', {}, '0 1x 2', 'a', 'x1'],
    ['all are there', {}, '0 1 2', 'a', ''],
    ['too many', {}, '0 1 2 3 4', 'a', '-4'],
    ['too many, one going', {}, '0 1 2 3 4-', 'a', ''],
    ['too many, a kept one is ill', {}, '0 1! 2 3', 'a', ''],
    ['too many, the last one is ill', {}, '0 1 2 3!', 'a', '-3'],
    ['too many, two are ill: the higher waits for nobody but the lower', {}, '0 1 2 3! 4!', 'a', ''],
    ['parallel', parallel, '', 'a', '+0u +1u +2u'],
    ['parallel, too many', parallel, '0! 1 2 3 4!', 'a', '-4 -3'],
    ['parallel, one ended and is old', parallel, '0 1 2x', 'b', 'x2'],
    ['ordinals from 2', { ordinals: { start: 2 } }, '2 3', 'a', '+4u'],
    ['ordinals from 1: below goes', { ordinals: { start: 1 } }, '0 1 2 3', 'a', '-0'],
    ['a new revision begins at the end', {}, '0 1 2', 'b', '-2'],
    ['waits until the last is well', {}, '0 1 2!b', 'b', ''],
    ['and goes on', {}, '0 1 2b', 'b', '-1'],
    ['an old one that is ill is replaced all the same', parallel, '0 1 2!', 'b', '-2'],
    ['above the partition', partition(2), '0 1 2b', 'b', ''],
    ['missing below the partition', partition(2), '1 2b', 'b', '+0c'],
    ['missing above the partition', partition(1), '0', 'b', '+1u'],
    ['OnDelete', { updateStrategy: { type: 'OnDelete' } }, '0 1 2', 'b', ''],
    ['OnDelete, one was deleted', { updateStrategy: { type: 'OnDelete' } }, '0 1', 'b', '+2u'],
    ['after minReadySeconds', { minReadySeconds: 10 ** 9 }, '0', 'a', ''],
  ])('%s', (_, spec, text, update, expected) => {
    expect(steps(spec, text, update)).toBe(expected);
  });

  test('who owns a claim', () => {
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data-db-0' } };
    const [pod] = pods('0');
    pod!.metadata.uid = 'p';
    const kinds = (whenDeleted: string, whenScaled: string, scaled: boolean) =>
      claimOwners(set({ persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } }), claim, pod, scaled)?.map(
        (ref) => ref.kind,
      );
    expect(kinds('Retain', 'Retain', true)).toBeUndefined();
    expect(kinds('Delete', 'Retain', true)).toEqual(['StatefulSet']);
    expect(kinds('Retain', 'Delete', false)).toBeUndefined();
    expect(kinds('Retain', 'Delete', true)).toEqual(['Pod']);
    expect(kinds('Delete', 'Delete', false)).toEqual(['StatefulSet']);
    expect(kinds('Delete', 'Delete', true)).toEqual(['Pod']);
  });
});

describe('StatefulSets', () => {
  let world: KubeWorld;
  let kubelet: TestKubelet;
  beforeAll(async () => {
    world = await KubeWorld.start([startStatefulSets]);
    kubelet = new TestKubelet(world.context);
  });
  afterAll(async () => {
    await kubelet?.stop();
    await world?.stop();
  });
  afterEach(async () => {
    await world.client.resource(STATEFUL_SETS).deleteCollection('default');
    await world.client.resource(PODS).deleteCollection('default');
    await world.until('nothing', async () => (await world.list(PODS)).length === 0);
    kubelet.started.length = 0;
    kubelet.ended.length = 0;
  });

  const set = (name: string, replicas: number, more: object = {}, image = 'db:1'): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      serviceName: 'nginx',
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image }] } },
      ...more,
    },
  });
  const claims = (...names: string[]) => ({
    volumeClaimTemplates: names.map((name) => ({
      metadata: { name },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })),
  });
  const patch = (name: string, spec: object) =>
    world.client.resource(STATEFUL_SETS).patch('default', name, 'strategic', { spec } as never);
  const image = (name: string, to: string) =>
    patch(name, { template: { spec: { containers: [{ name: 'c', image: to }] } } });
  const settled = (name: string, replicas: number, updated = replicas) =>
    world.until(`${name} to have ${replicas}, ${updated} updated`, async () => {
      const found = await world.get(STATEFUL_SETS, 'default', name);
      const { observedGeneration, readyReplicas = 0, updatedReplicas = 0 } = found?.status ?? {};
      const seen = observedGeneration === found?.metadata.generation;
      return seen && found!.status.replicas === replicas && readyReplicas === replicas && updatedReplicas === updated
        ? found!
        : false;
    });
  const images = async (name: string) =>
    (await world.list(PODS, 'default', `app=${name}`))
      .sort((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1))
      .map((pod) => pod.spec.containers[0].image);

  test('starts in order, each with its claim; stops from the end; comes back with the same claim', async () => {
    await world.create(STATEFUL_SETS, set('web', 3, claims('www')));
    const { status } = await settled('web', 3);
    expect(status.currentRevision).toBe(status.updateRevision);
    expect(status.currentRevision).toMatch(/^web-[a-z0-9]+$/);
    expect(status).toMatchObject({ currentReplicas: 3, updatedReplicas: 3, availableReplicas: 3 });
    expect(kubelet.started).toEqual(['web-0', 'web-1', 'web-2']);
    const pod = (await world.get(PODS, 'default', 'web-1'))!;
    expect(pod.metadata.labels).toEqual({
      app: 'web',
      'statefulset.kubernetes.io/pod-name': 'web-1',
      'apps.kubernetes.io/pod-index': '1',
      'controller-revision-hash': status.currentRevision,
    });
    expect(pod.spec).toMatchObject({ hostname: 'web-1', subdomain: 'nginx' });
    expect(pod.spec.volumes[0]).toEqual({ name: 'www', persistentVolumeClaim: { claimName: 'www-web-1' } });
    const claim = (await world.get(PERSISTENT_VOLUME_CLAIMS, 'default', 'www-web-1'))!;
    expect(claim.metadata.labels).toEqual({ app: 'web' });
    expect(claim.metadata.ownerReferences).toBeUndefined();

    await world.client.resource(PODS).delete('default', 'web-1');
    await world.until('another web-1', async () => {
      const now = await world.get(PODS, 'default', 'web-1');
      return now !== undefined && now.metadata.uid !== pod.metadata.uid;
    });
    await settled('web', 3);
    const again = (await world.get(PODS, 'default', 'web-1'))!;
    expect(again.spec.volumes[0].persistentVolumeClaim.claimName).toBe('www-web-1');
    expect((await world.get(PERSISTENT_VOLUME_CLAIMS, 'default', 'www-web-1'))!.metadata.uid).toBe(claim.metadata.uid);

    kubelet.ended.length = 0;
    await patch('web', { replicas: 0 });
    await settled('web', 0);
    await world.until('the last one is gone', () => kubelet.ended.length === 3);
    expect(kubelet.ended).toEqual(['web-2', 'web-1', 'web-0']);
    expect(await world.list(PERSISTENT_VOLUME_CLAIMS, 'default')).toHaveLength(3);
    const messages = (await world.list(EVENTS, 'default')).map((event) => `${event.reason}: ${event.message}`);
    expect(messages).toEqual(
      expect.arrayContaining([
        'SuccessfulCreate: create Claim www-web-0 Pod web-0 in StatefulSet web success',
        'SuccessfulCreate: create Pod web-0 in StatefulSet web successful',
        'SuccessfulDelete: delete Pod web-2 in StatefulSet web successful',
      ]),
    );
  });

  test('updates from the end to the partition, then the rest; revisions; back', async () => {
    await world.create(STATEFUL_SETS, set('roll', 3));
    const first = (await settled('roll', 3)).status.currentRevision;
    await patch('roll', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } });
    kubelet.ended.length = 0;
    await image('roll', 'db:2');
    const part = await settled('roll', 3, 1);
    expect(await images('roll')).toEqual(['db:1', 'db:1', 'db:2']);
    expect(part.status).toMatchObject({ currentRevision: first, currentReplicas: 2, updatedReplicas: 1 });
    expect(part.status.updateRevision).not.toBe(first);
    // One below the partition that dies comes back as it was.
    const { uid } = await world.client
      .resource(PODS)
      .delete('default', 'roll-0')
      .then((pod) => pod.metadata);
    await world.until('another one', async () => {
      const now = await world.get(PODS, 'default', 'roll-0');
      return now !== undefined && now.metadata.uid !== uid;
    });
    await settled('roll', 3, 1);
    expect(await images('roll')).toEqual(['db:1', 'db:1', 'db:2']);
    await patch('roll', { updateStrategy: { rollingUpdate: { partition: 0 } } });
    const done = await world.until('the end', async () => {
      const found = await settled('roll', 3);
      return found.status.currentRevision === part.status.updateRevision && found;
    });
    expect(done.status.currentReplicas).toBe(3);
    expect(kubelet.ended).toEqual(['roll-2', 'roll-0', 'roll-1', 'roll-0']);
    const revisions = async () =>
      (await world.list(CONTROLLER_REVISIONS, 'default', 'app=roll'))
        .sort((a, b) => a.revision - b.revision)
        .map((revision) => [revision.metadata.name, revision.revision]);
    expect(await revisions()).toEqual([
      [first, 1],
      [part.status.updateRevision, 2],
    ]);
    // Back: the old revision is used again, with a new number.
    await image('roll', 'db:1');
    await world.until('back', async () => (await settled('roll', 3)).status.currentRevision === first);
    expect(await revisions()).toEqual([
      [part.status.updateRevision, 2],
      [first, 3],
    ]);
    const stored = (await world.get(CONTROLLER_REVISIONS, 'default', first))!;
    expect(stored.data.spec.template).toMatchObject({ $patch: 'replace', metadata: { labels: { app: 'roll' } } });
  });

  test('OnDelete waits for somebody to delete', async () => {
    await world.create(STATEFUL_SETS, set('on', 2, { updateStrategy: { type: 'OnDelete' } }));
    await settled('on', 2);
    await image('on', 'db:2');
    await settled('on', 2, 0);
    expect(await images('on')).toEqual(['db:1', 'db:1']);
    await world.client.resource(PODS).delete('default', 'on-0');
    await settled('on', 2, 1);
    expect(await images('on')).toEqual(['db:2', 'db:1']);
  });

  test('Parallel waits for nobody; claims go where the policy says', async () => {
    const more = {
      podManagementPolicy: 'Parallel',
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
      ...claims('data'),
    };
    await world.create(STATEFUL_SETS, set('par', 3, more, 'stuck:1'));
    await world.until('three that are not ready', async () => (await images('par')).length === 3);
    const owner = async (name: string) =>
      (await world.get(PERSISTENT_VOLUME_CLAIMS, 'default', name))?.metadata.ownerReferences?.map((ref) => ref.kind);
    await world.until('the set owns them', async () => (await owner('data-par-2'))?.join() === 'StatefulSet');
    await patch('par', { replicas: 2 });
    await world.until('the pod owns it', async () => (await owner('data-par-2'))?.join() === 'Pod');
    expect(await owner('data-par-1')).toEqual(['StatefulSet']);
  });

  test('a claim that is being deleted is waited for', async () => {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'www-wait-0', namespace: 'default', finalizers: ['example.com/wait'] },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    await world.create(PERSISTENT_VOLUME_CLAIMS, claim);
    await world.client.resource(PERSISTENT_VOLUME_CLAIMS).delete('default', 'www-wait-0');
    await world.create(STATEFUL_SETS, set('wait', 1, claims('www')));
    await world.until('the event', async () =>
      (await world.list(EVENTS, 'default')).some(
        (e) => e.message === 'create Pod wait-0 in StatefulSet wait failed error: pvc www-wait-0 is being deleted',
      ),
    );
    expect(await world.list(PODS, 'default')).toEqual([]);
    const body = { metadata: { finalizers: null } };
    await world.client.resource(PERSISTENT_VOLUME_CLAIMS).patch('default', 'www-wait-0', 'merge', body);
    await settled('wait', 1);
  });

  test('one that failed is made anew', async () => {
    await world.create(STATEFUL_SETS, set('fail', 1));
    await settled('fail', 1);
    const before = (await world.get(PODS, 'default', 'fail-0'))!;
    await world.setStatus(PODS, 'default', 'fail-0', { phase: 'Failed' });
    await world.until('another', async () => {
      const now = await world.get(PODS, 'default', 'fail-0');
      return now !== undefined && now.metadata.uid !== before.metadata.uid;
    });
    await settled('fail', 1);
    await world.until('the event', async () =>
      (await world.list(EVENTS, 'default')).some(
        (e) => e.message === 'StatefulSet default/fail is recreating failed Pod fail-0',
      ),
    );
  });
});
