import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPersistentVolumes } from '../../../src/kube/controllers/persistent-volume/index.js';
import { bestMatch, misfit } from '../../../src/kube/controllers/persistent-volume/match.js';
import { EVENTS, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES } from '../../../src/kube/kit/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { KubeWorld } from '../../support/kube-world.js';

function volume(name: string, storage: string, spec: object = {}, labels: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, labels },
    spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' }, ...spec },
    status: { phase: 'Available' },
  };
}

function claim(name: string, storage: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'default', uid: `u-${name}` },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...spec },
  };
}

describe('matching', () => {
  const affinity = (zone: string) => ({
    nodeAffinity: {
      required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'z', operator: 'In', values: [zone] }] }] },
    },
  });
  const ref = (name: string, uid?: string) => ({ claimRef: { namespace: 'default', name, ...(uid ? { uid } : {}) } });
  const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', labels: { z: 'a' } } };
  test.each<[string, KubeObject[], KubeObject, string | undefined]>([
    [
      'the smallest that is large enough',
      [volume('l', '9Gi'), volume('m', '1024Mi'), volume('s', '1M')],
      claim('c', '1Gi'),
      'm',
    ],
    ['none is large enough', [volume('s', '1M')], claim('c', '1Gi'), undefined],
    ['its class', [volume('v', '1Gi', { storageClassName: 'x' })], claim('c', '1Gi'), undefined],
    ['its modes', [volume('v', '1Gi')], claim('c', '1Gi', { accessModes: ['ReadWriteMany'] }), undefined],
    ['its volume mode', [volume('v', '1Gi', { volumeMode: 'Block' })], claim('c', '1Gi'), undefined],
    ['taken', [volume('v', '1Gi', ref('other', 'u'))], claim('c', '1Gi'), undefined],
    ['kept for it by hand', [volume('v', '1Gi'), volume('w', '2Gi', ref('c'))], claim('c', '1Gi'), 'w'],
    ['its predecessor had it', [volume('w', '2Gi', ref('c', 'u-before'))], claim('c', '1Gi'), undefined],
    [
      'by labels',
      [volume('v', '1Gi'), volume('w', '2Gi', {}, { a: 'b' })],
      claim('c', '1Gi', { selector: { matchLabels: { a: 'b' } } }),
      'w',
    ],
    [
      'where it can be used',
      [volume('v', '1Gi', affinity('b')), volume('w', '2Gi', affinity('a'))],
      claim('c', '1Gi'),
      'w',
    ],
  ])('%s', (_, volumes, wanted, expected) => {
    expect(bestMatch(wanted, volumes, node)?.metadata.name).toBe(expected);
  });

  test('what is wrong with one that was asked for', () => {
    expect(misfit(volume('v', '1M'), claim('c', '1Gi'))).toBe('requested PV is too small');
    expect(misfit(volume('v', '1Gi'), claim('c', '1Gi'))).toBeUndefined();
  });
});

describe('over the API', () => {
  let world: KubeWorld;
  beforeAll(async () => {
    world = await KubeWorld.start([startPersistentVolumes]);
    for (const [name, more] of [
      ['fast', { allowVolumeExpansion: true }],
      ['later', { volumeBindingMode: 'WaitForFirstConsumer' }],
      ['foreign', { provisioner: 'example.com/nfs' }],
    ] as const) {
      const provisioner = 'keel.dev/host-path';
      const head = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name } };
      await world.create(STORAGE_CLASSES, { ...head, provisioner, ...more });
    }
  });
  afterAll(() => world?.stop());

  const make = (object: KubeObject) => {
    const { uid: _, ...metadata } = object.metadata;
    const { status: __, ...rest } = { ...object, metadata };
    return world.create(object.kind === 'PersistentVolume' ? PERSISTENT_VOLUMES : PERSISTENT_VOLUME_CLAIMS, rest);
  };
  const claimOf = (name: string) => world.get(PERSISTENT_VOLUME_CLAIMS, 'default', name);
  const volumeOf = (name: string) => world.get(PERSISTENT_VOLUMES, '', name);
  const claimIs = (name: string, phase: string) =>
    world.until(`${name} ${phase}`, async () => (await claimOf(name))?.status?.phase === phase);
  const volumeIs = (name: string, phase: string) =>
    world.until(`${name} ${phase}`, async () => (await volumeOf(name))?.status?.phase === phase);
  const remove = (name: string) => world.client.resource(PERSISTENT_VOLUME_CLAIMS).delete('default', name);
  const said = (name: string, reason: string) =>
    world.until(reason, async () =>
      (await world.list(EVENTS, 'default')).find((e) => e.involvedObject.name === name && e.reason === reason),
    );

  test('made by hand: bound, kept when the claim goes; one that is too large waits', async () => {
    await make(volume('hand', '2Gi', { persistentVolumeReclaimPolicy: 'Retain' }));
    await volumeIs('hand', 'Available');
    await make(claim('big', '3Gi', { storageClassName: '' }));
    await make(claim('c', '1Gi', { storageClassName: '' }));
    await claimIs('c', 'Bound');
    const bound = (await claimOf('c'))!;
    expect(bound.spec.volumeName).toBe('hand');
    expect(bound.status).toMatchObject({ capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce'] });
    expect(bound.metadata.annotations).toMatchObject({ 'pv.kubernetes.io/bind-completed': 'yes' });
    await volumeIs('hand', 'Bound');
    expect((await volumeOf('hand'))?.spec.claimRef).toMatchObject({ name: 'c', uid: bound.metadata.uid });
    await said('big', 'FailedBinding');
    await remove('c');
    await volumeIs('hand', 'Released');
    await claimIs('big', 'Pending');
    await make(volume('large', '5Gi', { persistentVolumeReclaimPolicy: 'Recycle' }));
    await claimIs('big', 'Bound');
    await remove('big');
    await volumeIs('large', 'Available');
    expect((await volumeOf('large'))?.spec.claimRef).toBeUndefined();
  });

  test('made for the claim, grown with it, gone with it', async () => {
    const made = await make(claim('dyn', '1Gi', { storageClassName: 'fast' }));
    await claimIs('dyn', 'Bound');
    const name = `pvc-${made.metadata.uid}`;
    expect((await volumeOf(name))?.metadata.annotations?.['pv.kubernetes.io/provisioned-by']).toBe(
      'keel.dev/host-path',
    );
    expect((await said('dyn', 'ProvisioningSucceeded')).message).toBe(`Successfully provisioned volume ${name}`);
    const spec = { resources: { requests: { storage: '4Gi' } } };
    await world.client.resource(PERSISTENT_VOLUME_CLAIMS).patch('default', 'dyn', 'merge', { spec });
    await world.until('growth', async () => (await claimOf('dyn'))?.status.capacity.storage === '4Gi');
    await remove('dyn');
    await world.until('no volume', async () => (await volumeOf(name)) === undefined);
  });

  test('waits for its first consumer, for a foreign provisioner; is lost with its volume', async () => {
    await make(claim('late', '1Gi', { storageClassName: 'later' }));
    await make(claim('nfs', '1Gi', { storageClassName: 'foreign' }));
    await said('late', 'WaitForFirstConsumer');
    await said('nfs', 'ExternalProvisioning');
    expect((await claimOf('late'))?.status.phase).toBe('Pending');
    const metadata = { annotations: { 'volume.kubernetes.io/selected-node': 'n1' } };
    await world.client.resource(PERSISTENT_VOLUME_CLAIMS).patch('default', 'late', 'merge', { metadata });
    await claimIs('late', 'Bound');
    const name: string = (await claimOf('late'))!.spec.volumeName;
    await world.client.resource(PERSISTENT_VOLUMES).delete('', name);
    await world.client
      .resource(PERSISTENT_VOLUMES)
      .patch('', name, 'merge', { metadata: { finalizers: null } } as never);
    await claimIs('late', 'Lost');
    await said('late', 'ClaimLost');
  });
});
