import { beforeEach, describe, expect, it } from 'vitest';
import { AdmissionChain } from '../../../src/kube/admission/chain.js';
import { defaultIngressClass, defaultStorageClass } from '../../../src/kube/admission/default-class.js';
import { DefaultTolerationSeconds } from '../../../src/kube/admission/default-toleration-seconds.js';
import { NamespaceLifecycle } from '../../../src/kube/admission/namespace-lifecycle.js';
import { Priority } from '../../../src/kube/admission/priority.js';
import { ServiceAccountPlugin } from '../../../src/kube/admission/service-account.js';
import { StorageObjectInUseProtection } from '../../../src/kube/admission/storage-protection.js';
import { TaintNodesByCondition } from '../../../src/kube/admission/taint-nodes.js';
import { forbidden } from '../../../src/kube/machinery/api-error.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { AdmissionPlugin } from '../../../src/kube/rest/admission.js';
import { admissionRequest, FakeCluster, refused } from '../support/fake-cluster.js';

let cluster: FakeCluster;
beforeEach(() => {
  cluster = new FakeCluster();
});

function pod(spec: Record<string, unknown> = {}, metadata: KubeObject['metadata'] = {}): KubeObject {
  const containers = [{ name: 'c', image: 'x' }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', ...metadata }, spec: { containers, ...spec } };
}
const create = (object: KubeObject, namespace = 'default') =>
  admissionRequest({ kind: object.kind, object, namespace: object.kind === 'Node' ? '' : namespace });

describe('the chain', () => {
  const trace: string[] = [];
  const plugin = (name: string, refuse = false): AdmissionPlugin => ({
    name,
    admit: async (request) => {
      trace.push(name);
      request.warn(`${name} warns`);
      request.onFailure?.(async () => void trace.push(`${name} undone`));
      if (refuse) throw forbidden(request.kind, request.name, name);
    },
  });
  beforeEach(() => {
    trace.length = 0;
  });

  it('takes turns in order, and hands on what is to be undone', async () => {
    const request = create(pod());
    const chain = new AdmissionChain([plugin('a'), { name: 'none' }, plugin('b')]);
    await chain.admit(request);
    await chain.validate(request);
    expect(trace).toEqual(['a', 'b']);
    expect(request.warnings).toEqual(['a warns', 'b warns']);
    expect(request.undos).toHaveLength(2);
  });

  it('undoes backwards when one refuses, and asks no more', async () => {
    const request = create(pod());
    const chain = new AdmissionChain([plugin('a'), plugin('b', true), plugin('c')]);
    expect((await refused(chain.admit(request))).message).toBe('pods "p" is forbidden: b');
    expect(trace).toEqual(['a', 'b', 'b undone', 'a undone']);
    expect(request.undos).toEqual([]);
  });

  it('lets nobody in before it has its plug-ins', async () => {
    const chain = new AdmissionChain();
    expect((await refused(chain.admit(create(pod())))).code).toBe(503);
    chain.use([]);
    await chain.admit(create(pod()));
  });
});

describe('NamespaceLifecycle', () => {
  let cached: FakeCluster;
  let lifecycle: NamespaceLifecycle;
  let now = 0;
  const namespace = (name: string, phase = 'Active') => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
    status: { phase },
  });
  beforeEach(() => {
    now = 0;
    cached = new FakeCluster();
    lifecycle = new NamespaceLifecycle(cached, cluster, () => now);
  });

  it('needs the namespace, and asks live for one that the cache does not know', async () => {
    expect(await refused(lifecycle.admit(create(pod(), 'x')))).toMatchObject({
      code: 404,
      message: 'namespaces "x" not found',
      details: { kind: 'namespaces', name: 'x' },
    });
    cluster.seed(namespace('x'));
    await lifecycle.admit(create(pod(), 'x'));
    cached.seed(namespace('y'));
    cluster.reads.length = 0;
    await lifecycle.admit(create(pod(), 'y'));
    expect(cluster.reads).toEqual([]);
  });

  it('makes nothing in one that is going, but changes and deletes', async () => {
    cached.seed(namespace('tq', 'Terminating'));
    const configMap: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'q' } };
    expect((await refused(lifecycle.admit(create(configMap, 'tq')))).toStatus()).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message:
        'configmaps "q" is forbidden: unable to create new content in namespace tq because it is being terminated',
      details: {
        name: 'q',
        kind: 'configmaps',
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: 'namespace tq is being terminated',
            field: 'metadata.namespace',
          },
        ],
      },
    });
    for (const operation of ['UPDATE', 'DELETE'] as const) {
      await lifecycle.admit({ ...create(configMap, 'tq'), operation });
    }
  });

  it('does not believe the cache after a deletion went through', async () => {
    cached.seed(namespace('x'));
    cluster.seed(namespace('x', 'Terminating'));
    await lifecycle.admit(admissionRequest({ kind: 'Namespace', operation: 'DELETE', name: 'x' }));
    expect((await refused(lifecycle.admit(create(pod(), 'x')))).code).toBe(403);
    now = 30_001;
    await lifecycle.admit(create(pod(), 'x'));
  });

  it.each(['default', 'kube-system', 'kube-public'])('keeps %s', async (name) => {
    const request = admissionRequest({ kind: 'Namespace', operation: 'DELETE', name });
    expect(await refused(lifecycle.admit(request))).toMatchObject({
      code: 403,
      message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    });
  });

  it('has nothing to say of what is in no namespace', async () => {
    await lifecycle.admit(create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }));
    await lifecycle.admit(admissionRequest({ kind: 'Namespace', operation: 'DELETE', name: 'other' }));
  });
});

describe('ServiceAccount', () => {
  const plugin = () =>
    new ServiceAccountPlugin({
      cached: cluster,
      live: cluster,
      suffix: () => 'abcde',
      sleep: async () => slept(),
    });
  let slept: () => void;
  const account = (name: string, more: Record<string, unknown> = {}) =>
    cluster.seed({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' }, ...more });
  beforeEach(() => {
    slept = () => {};
  });
  const admitted = async (object: KubeObject) => {
    await plugin().admit(create(object));
    return object.spec;
  };
  const mount = {
    name: 'kube-api-access-abcde',
    readOnly: true,
    mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
  };

  it('gives pods the default one and its token', async () => {
    account('default', { imagePullSecrets: [{ name: 'reg' }] });
    expect(await admitted(pod({ initContainers: [{ name: 'i' }] }))).toEqual({
      serviceAccountName: 'default',
      serviceAccount: 'default',
      imagePullSecrets: [{ name: 'reg' }],
      containers: [{ name: 'c', image: 'x', volumeMounts: [mount] }],
      initContainers: [{ name: 'i', volumeMounts: [mount] }],
      volumes: [
        {
          name: 'kube-api-access-abcde',
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
              {
                downwardAPI: {
                  items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
                },
              },
            ],
          },
        },
      ],
    });
  });

  it('mounts it once: a second run and a mount of their own change nothing', async () => {
    account('default');
    const twice = pod();
    await admitted(twice);
    const before = structuredClone(twice.spec);
    expect(await admitted(twice)).toEqual(before);
    const own = pod({ containers: [{ name: 'c', volumeMounts: [{ ...mount, name: 'mine' }] }] });
    expect(await admitted(own)).not.toHaveProperty('volumes');
    // One that came later (a sidecar of a webhook) gets the same volume.
    twice.spec.containers.push({ name: 'side' });
    expect((await admitted(twice)).containers[1].volumeMounts).toEqual([mount]);
    expect(twice.spec.volumes).toHaveLength(1);
  });

  it.each([
    ['the account', { automountServiceAccountToken: false }, {}, false],
    ['the pod', {}, { automountServiceAccountToken: false }, false],
    [
      'the account, but the pod wants one',
      { automountServiceAccountToken: false },
      { automountServiceAccountToken: true },
      true,
    ],
  ])('mounts none if %s says so', async (_name, ofAccount, ofPod, mounted) => {
    account('robot', ofAccount);
    const spec = await admitted(pod({ serviceAccountName: 'robot', ...ofPod }));
    expect('volumes' in spec).toBe(mounted);
    expect(spec.serviceAccount).toBe('robot');
  });

  it('needs the account; the default one is waited for', async () => {
    expect(await refused(admitted(pod({ serviceAccountName: 'x' })))).toMatchObject({
      code: 403,
      message: 'pods "p" is forbidden: error looking up service account default/x: serviceaccount "x" not found',
    });
    let naps = 0;
    slept = () => {
      if (++naps === 3) account('default');
    };
    expect((await admitted(pod())).serviceAccountName).toBe('default');
    expect(naps).toBe(3);
  });

  it('leaves pods of a kubelet as they are', async () => {
    const mirror = pod({}, { annotations: { 'kubernetes.io/config.mirror': 'x' } });
    expect(await admitted(mirror)).toEqual(pod().spec);
  });
});

describe('Priority', () => {
  const plugin = () => new Priority(cluster, cluster);
  const priorityClass = (name: string, value: number, more: Record<string, unknown> = {}) =>
    cluster.seed({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, ...more });
  const admitted = async (object: KubeObject) => {
    await plugin().admit(create(object));
    const { priority, preemptionPolicy, priorityClassName } = object.spec;
    return [priority, preemptionPolicy, priorityClassName];
  };

  it('is that of the class, of the default class, or nothing', async () => {
    expect(await admitted(pod())).toEqual([0, 'PreemptLowerPriority', undefined]);
    priorityClass('high', 1000, { preemptionPolicy: 'Never' });
    expect(await admitted(pod({ priorityClassName: 'high' }))).toEqual([1000, 'Never', 'high']);
    priorityClass('usual', 10, { globalDefault: true });
    expect(await admitted(pod())).toEqual([10, 'PreemptLowerPriority', 'usual']);
    expect(await admitted(pod({ priorityClassName: 'high', priority: 1000 }))).toEqual([1000, 'Never', 'high']);
  });

  it.each([
    [{ priorityClassName: 'x' }, 'no PriorityClass with name x was found'],
    [
      { priority: 7 },
      'the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    ],
    [
      { preemptionPolicy: 'Never' },
      'the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name',
    ],
  ])('%j is refused', async (spec, why) => {
    expect(await refused(admitted(pod(spec)))).toMatchObject({ code: 403, message: `pods "p" is forbidden: ${why}` });
  });

  it('stays when an update leaves it out', async () => {
    const object = pod();
    const oldObject = pod({ priority: 5, preemptionPolicy: 'Never' });
    await plugin().admit(admissionRequest({ kind: 'Pod', operation: 'UPDATE', object, oldObject }));
    expect(object.spec).toMatchObject({ priority: 5, preemptionPolicy: 'Never' });
  });

  it('has one default class', async () => {
    priorityClass('a', 1, { globalDefault: true });
    const object = {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'b' },
      value: 2,
      globalDefault: true,
    };
    expect(await refused(plugin().validate(create(object)))).toMatchObject({
      code: 403,
      message:
        'priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass a is already marked as default. Only one default can exist',
    });
    await plugin().validate(create({ ...object, globalDefault: false }));
  });
});

describe('DefaultTolerationSeconds', () => {
  const auto = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
  const [notReady, unreachable] = [auto('node.kubernetes.io/not-ready'), auto('node.kubernetes.io/unreachable')];

  it.each([
    [[], [notReady, unreachable]],
    [[{ key: notReady!.key, effect: 'NoExecute', tolerationSeconds: 5 }], [unreachable]],
    [[{ key: notReady!.key, effect: 'NoSchedule' }], [notReady, unreachable]],
    [[{ operator: 'Exists' }], []],
    [[notReady, unreachable], []],
  ])('%j', async (given, added) => {
    const object = pod(given.length === 0 ? {} : { tolerations: given });
    await new DefaultTolerationSeconds().admit(create(object));
    expect(object.spec.tolerations).toEqual([...given, ...added]);
  });
});

describe('TaintNodesByCondition', () => {
  it('taints new nodes once', async () => {
    const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } };
    const plugin = new TaintNodesByCondition();
    await plugin.admit(create(node));
    await plugin.admit(create(node));
    expect(node.spec).toEqual({ taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] });
  });
});

describe('default classes', () => {
  const storageClass = (name: string, mark: string, creationTimestamp: string) => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': mark };
    cluster.seed({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name, annotations, creationTimestamp },
    });
  };
  const claim = (spec: Record<string, unknown> = {}, annotations: Record<string, string> = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c', annotations },
    spec,
  });
  const classOf = async (object: KubeObject) => {
    await defaultStorageClass(cluster).admit!(create(object));
    return object.spec.storageClassName;
  };

  it('of storage: the newest that is marked, for claims that name none', async () => {
    expect(await classOf(claim())).toBeUndefined();
    storageClass('old', 'true', '2026-01-01T00:00:00Z');
    storageClass('new', 'true', '2026-02-01T00:00:00Z');
    storageClass('other', 'false', '2026-03-01T00:00:00Z');
    expect(await classOf(claim())).toBe('new');
    expect(await classOf(claim({ storageClassName: '' }))).toBe('');
    expect(await classOf(claim({ storageClassName: 'x' }))).toBe('x');
    expect(await classOf(claim({}, { 'volume.beta.kubernetes.io/storage-class': 'y' }))).toBeUndefined();
  });

  it('of ingresses', async () => {
    const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
    cluster.seed({ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'web', annotations } });
    const ingress: KubeObject = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'i' } };
    await defaultIngressClass(cluster).admit!(create(ingress));
    expect(ingress.spec).toEqual({ ingressClassName: 'web' });
  });

  it('claims and volumes get their finalizers', async () => {
    const object = claim();
    object.metadata.finalizers = ['mine'];
    const plugin = new StorageObjectInUseProtection();
    await plugin.admit(create(object));
    await plugin.admit(create(object));
    expect(object.metadata.finalizers).toEqual(['mine', 'kubernetes.io/pvc-protection']);
    const volume: KubeObject = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'v' } };
    await plugin.admit(create(volume, ''));
    expect(volume.metadata.finalizers).toEqual(['kubernetes.io/pv-protection']);
  });
});
