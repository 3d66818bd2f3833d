import { beforeEach, describe, expect, it } from 'vitest';
import { LimitRanger } from '../../../src/kube/admission/limit-ranger.js';
import { podLimits, podRequests } from '../../../src/kube/admission/pod-resources.js';
import { listOf } from '../../../src/kube/admission/resource-amounts.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { admissionRequest, FakeCluster, refused } from '../support/fake-cluster.js';

let cluster: FakeCluster;
let ranger: LimitRanger;
beforeEach(() => {
  cluster = new FakeCluster();
  ranger = new LimitRanger(cluster);
});

type Lists = { requests?: Record<string, string>; limits?: Record<string, string>; restartPolicy?: string };
function pod(containers: Record<string, Lists>, init: Record<string, Lists> = {}): KubeObject {
  const list = (of: Record<string, Lists>) =>
    Object.entries(of).map(([name, { restartPolicy, ...resources }]) => ({
      name,
      resources,
      ...(restartPolicy && { restartPolicy }),
    }));
  const initContainers = Object.keys(init).length > 0 ? { initContainers: list(init) } : {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: list(containers), ...initContainers },
  };
}
function range(...limits: object[]): void {
  cluster.seed({
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: `l${limits.length}`, namespace: 'default' },
    spec: { limits },
  });
}
const create = (object: KubeObject) => admissionRequest({ kind: object.kind, object });

describe('defaults of a LimitRange', () => {
  it('fill what is left out, and say so', async () => {
    range({
      type: 'Container',
      default: { cpu: '500m', memory: '256Mi' },
      defaultRequest: { cpu: '100m', memory: '128Mi' },
    });
    const object = pod({ a: {}, b: { requests: { cpu: '200m' }, limits: { memory: '1Gi' } } }, { i: {} });
    await ranger.admit(create(object));
    expect(object.spec).toEqual(
      pod(
        {
          a: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '256Mi' } },
          b: { requests: { cpu: '200m', memory: '128Mi' }, limits: { memory: '1Gi', cpu: '500m' } },
        },
        { i: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '256Mi' } } },
      ).spec,
    );
    expect(object.metadata.annotations).toEqual({
      'kubernetes.io/limit-ranger':
        'LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a; ' +
        'memory request for container b; cpu limit for container b; ' +
        'cpu, memory request for init container i; cpu, memory limit for init container i',
    });
  });

  it('touch nothing that says everything, and no update', async () => {
    range({ type: 'Container', default: { cpu: '1' } });
    const full = pod({ a: { limits: { cpu: '2' } } });
    await ranger.admit(create(full));
    expect(full).toEqual(pod({ a: { limits: { cpu: '2' } } }));
    const update = pod({ a: {} });
    await ranger.admit({ ...create(update), operation: 'UPDATE' });
    expect(update).toEqual(pod({ a: {} }));
  });
});

describe('bounds of a LimitRange', () => {
  it.each<[string, object, Lists, string]>([
    [
      'a limit above',
      { max: { cpu: '1' } },
      { requests: { cpu: '1' }, limits: { cpu: '2' } },
      'maximum cpu usage per Container is 1, but limit is 2',
    ],
    ['no limit', { max: { cpu: '1' } }, {}, 'maximum cpu usage per Container is 1.  No limit is specified'],
    [
      'a request above',
      { max: { cpu: '1' } },
      { requests: { cpu: '1500m' }, limits: { cpu: '1' } },
      'maximum cpu usage per Container is 1, but request is 1500m',
    ],
    [
      'a request below',
      { min: { memory: '1Gi' } },
      { requests: { memory: '512Mi' } },
      'minimum memory usage per Container is 1Gi, but request is 512Mi',
    ],
    ['no request', { min: { cpu: '100m' } }, {}, 'minimum cpu usage per Container is 100m.  No request is specified'],
    [
      'a limit below',
      { min: { cpu: '1' } },
      { requests: { cpu: '1' }, limits: { cpu: '500m' } },
      'minimum cpu usage per Container is 1, but limit is 500m',
    ],
    [
      'a ratio',
      { maxLimitRequestRatio: { cpu: '2' } },
      { requests: { cpu: '100m' }, limits: { cpu: '250m' } },
      'cpu max limit to request ratio per Container is 2, but provided ratio is 2.500000',
    ],
    [
      'a ratio to nothing',
      { maxLimitRequestRatio: { cpu: '2' } },
      { limits: { cpu: '1' } },
      'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0',
    ],
    [
      'a ratio of nothing',
      { maxLimitRequestRatio: { cpu: '2' } },
      { requests: { cpu: '1' } },
      'cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0',
    ],
    [
      'several at once',
      { max: { cpu: '1', memory: '1Gi' } },
      { limits: { cpu: '2', memory: '2Gi' } },
      '[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]',
    ],
  ])('%s', async (_name, bounds, lists, why) => {
    range({ type: 'Container', ...bounds });
    expect(await refused(ranger.validate(create(pod({ c: lists }))))).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: `pods "p" is forbidden: ${why}`,
    });
  });

  it('let in what keeps to them', async () => {
    range(
      { type: 'Container', min: { cpu: '100m' }, max: { cpu: '1' }, maxLimitRequestRatio: { cpu: '2' } },
      { type: 'Pod', max: { cpu: '2' } },
    );
    const lists = { requests: { cpu: '500m' }, limits: { cpu: '1' } };
    await ranger.validate(create(pod({ a: lists, b: lists }, { i: lists })));
    expect((await refused(ranger.validate(create(pod({ a: lists, b: lists, c: lists }))))).message).toBe(
      'pods "p" is forbidden: maximum cpu usage per Pod is 2, but limit is 3',
    );
    await ranger.validate({ ...create(pod({})), operation: 'UPDATE' });
  });

  it('also bound claims', async () => {
    range({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '5Gi' } });
    const claim = (storage: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'c' },
      spec: { resources: { requests: { storage } } },
    });
    const message = async (storage: string, operation: 'CREATE' | 'UPDATE') =>
      (await refused(ranger.validate({ ...create(claim(storage)), operation }))).message;
    const forbidden = 'persistentvolumeclaims "c" is forbidden: ';
    await ranger.validate(create(claim('2Gi')));
    expect(await message('6Gi', 'UPDATE')).toBe(
      `${forbidden}maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi`,
    );
    expect(await message('1Mi', 'CREATE')).toBe(
      `${forbidden}minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi`,
    );
  });
});

describe('what a pod asks for', () => {
  const cpu = (text: string): Lists => ({ requests: { cpu: text }, limits: { cpu: text } });

  it.each<[string, KubeObject, string]>([
    ['the sum of its containers', pod({ a: cpu('1'), b: cpu('500m') }), '1500m'],
    ['an init container that needs more', pod({ a: cpu('1') }, { i: cpu('3'), j: cpu('2') }), '3'],
    ['a sidecar beside its containers', pod({ a: cpu('1') }, { s: { ...cpu('1'), restartPolicy: 'Always' } }), '2'],
    [
      'an init container beside the sidecars before it',
      pod({ a: cpu('1') }, { s: { ...cpu('1'), restartPolicy: 'Always' }, i: cpu('3') }),
      '4',
    ],
    [
      'an init container before the sidecars',
      pod({ a: cpu('1') }, { i: cpu('3'), s: { ...cpu('1'), restartPolicy: 'Always' } }),
      '3',
    ],
  ])('%s', (_name, object, total) => {
    expect(listOf(podRequests(object))).toEqual({ cpu: total });
    expect(listOf(podLimits(object))).toEqual({ cpu: total });
  });

  it('and its overhead; a limit only where there is one', () => {
    const object = pod({ a: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1' } } });
    object.spec.overhead = { cpu: '250m', memory: '64Mi' };
    expect(listOf(podRequests(object))).toEqual({ cpu: '1250m', memory: '1088Mi' });
    expect(listOf(podLimits(object))).toEqual({ cpu: '1250m' });
  });
});
