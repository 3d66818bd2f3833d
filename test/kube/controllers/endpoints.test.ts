import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEndpointSlices } from '../../../src/kube/controllers/endpoint-slices/index.js';
import { startEndpointSliceMirroring } from '../../../src/kube/controllers/endpoint-slices/mirroring.js';
import type { SliceEndpoint } from '../../../src/kube/controllers/endpoint-slices/slice-plan.js';
import { planSlices } from '../../../src/kube/controllers/endpoint-slices/slice-plan.js';
import { startEndpoints } from '../../../src/kube/controllers/endpoints/index.js';
import { subsetsOf, truncate } from '../../../src/kube/controllers/endpoints/subsets.js';
import { ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES } from '../../../src/kube/kit/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { KubeWorld } from '../../support/kube-world.js';
import { kubectlBinary, rows } from '../support/kubectl.js';

function pod(name: string, ip: string, more: { ready?: boolean; phase?: string; spec?: object; meta?: object } = {}) {
  const { ready = true, phase = 'Running', spec = {}, meta = {} } = more;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: `u-${name}`, labels: { app: 'web' }, ...meta },
    spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }], nodeName: 'n1', ...spec },
    status: { phase, podIP: ip, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

function service(ports: object[], spec: object = {}): KubeObject {
  const metadata = { name: 'web', namespace: 'default' };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: 'web' }, ports, ...spec } };
}

/** `1.1.1.1,2.2.2.2 !3.3.3.3 :80,:81`, a subset a line. */
function told(subsets: ReturnType<typeof subsetsOf>): string[] {
  return subsets.map(({ addresses = [], notReadyAddresses = [], ports = [] }) =>
    [
      addresses.map(({ ip }) => ip).join(),
      notReadyAddresses.map(({ ip }) => `!${ip}`).join(),
      ports.map(({ port }) => `:${port}`).join(),
    ]
      .filter((part) => part !== '')
      .join(' '),
  );
}

describe('subsets', () => {
  const http = [{ name: 'http', port: 80, targetPort: 'http' }];
  test.each<[string, KubeObject, KubeObject[], string[]]>([
    [
      'ready and unready',
      service(http),
      [pod('b', '2'), pod('a', '1'), pod('c', '3', { ready: false })],
      ['1,2 !3 :8080'],
    ],
    ['no address yet, or over', service(http), [pod('a', ''), pod('b', '2', { phase: 'Failed' })], []],
    ['going', service(http), [pod('a', '1', { meta: { deletionTimestamp: 'now' } })], []],
    [
      'all are published',
      service(http, { publishNotReadyAddresses: true }),
      [pod('a', '1', { meta: { deletionTimestamp: 'now' } }), pod('b', '2', { ready: false })],
      ['1,2 :8080'],
    ],
    [
      'a number, or the port itself',
      service([{ port: 80 }, { name: 'x', port: 1, targetPort: 9 }]),
      [pod('a', '1')],
      ['1 :80,:9'],
    ],
    [
      'a name with another number in each pod',
      service(http),
      [pod('a', '1'), pod('b', '2', { spec: { containers: [{ ports: [{ name: 'http', containerPort: 9 }] }] } })],
      ['1 :8080', '2 :9'],
    ],
    ['a name that nobody has', service([{ port: 80, targetPort: 'no' }]), [pod('a', '1')], []],
    ['headless without ports', service([], { clusterIP: 'None' }), [pod('a', '1')], ['1']],
  ])('%s', (_, of, pods, expected) => {
    expect(told(subsetsOf(of, pods))).toEqual(expected);
  });

  test('the name of a pod below its Service', () => {
    const [subset] = subsetsOf(service(http), [pod('a', '1', { spec: { hostname: 'a', subdomain: 'web' } })]);
    expect(subset?.addresses?.[0]).toMatchObject({ ip: '1', nodeName: 'n1', targetRef: { kind: 'Pod', name: 'a' } });
  });

  test('too many: ready ones stay', () => {
    const pods = Array.from({ length: 5 }, (_, i) => pod(`p${i}`, `${i}`, { ready: i > 1 }));
    const subsets = subsetsOf(service([{ port: 80 }]), pods);
    expect(truncate(subsets, 4)).toBe(true);
    expect(told(subsets)).toEqual(['2,3,4 !0 :80']);
    expect(truncate(subsets, 4)).toBe(false);
  });
});

describe('the plan of slices', () => {
  const at = (ip: number, ready = true): SliceEndpoint => ({ addresses: [String(ip)], conditions: { ready } });
  const many = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => at(from + i));
  const slice = (name: string, endpoints: SliceEndpoint[], ports: object[] = []): KubeObject =>
    ({ apiVersion: '', kind: '', metadata: { name }, addressType: 'IPv4', ports, endpoints }) as KubeObject;
  const plan = (slices: KubeObject[], endpoints: SliceEndpoint[]) => {
    const made = planSlices(slices, [{ addressType: 'IPv4', ports: [], endpoints }], 3);
    return {
      create: made.create.map((each) => each.endpoints.map(({ addresses }) => addresses[0]).join()),
      update: made.update.map(
        (each) => `${each.slice.metadata.name} ${each.endpoints.map((e) => e.addresses[0]).join()}`,
      ),
      remove: made.remove.map(({ metadata }) => metadata.name),
    };
  };

  test('tables', () => {
    expect(plan([], many(0, 7))).toEqual({ create: ['0,1,2', '3,4,5', '6'], update: [], remove: [] });
    expect(plan([], [])).toEqual({ create: [''], update: [], remove: [] });
    expect(plan([slice('a', [])], [])).toEqual({ create: [], update: [], remove: [] });
    // The fullest with room takes the new one; the others are left alone.
    const two = [slice('a', many(0, 1)), slice('b', many(1, 3))];
    expect(plan(two, many(0, 4))).toEqual({ create: [], update: ['b 1,2,3'], remove: [] });
    // One that is written anyway is preferred.
    expect(plan(two, [at(0, false), ...many(1, 4)])).toEqual({ create: [], update: ['a 0,3'], remove: [] });
    expect(plan(two, many(1, 3))).toEqual({ create: [], update: [], remove: ['a'] });
    expect(plan(two, [])).toEqual({ create: [], update: ['a '], remove: ['b'] });
    expect(plan([slice('old', many(0, 2), [{ port: 1 }])], many(0, 2))).toEqual({
      create: ['0,1'],
      update: [],
      remove: ['old'],
    });
  });
});

describe('over the API', () => {
  let world: KubeWorld;
  beforeAll(async () => {
    world = await KubeWorld.start([startEndpoints, startEndpointSlices, startEndpointSliceMirroring]);
  });
  afterAll(() => world?.stop());

  const makePod = async (name: string, ip: string, ready = true, app = 'web') => {
    const spec = { containers: [{ name: 'c', image: 'x', ports: [{ name: 'http', containerPort: 8080 }] }] };
    const metadata = { name, namespace: 'default', labels: { app } };
    await world.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata, spec });
    await setReady(name, ready, ip);
  };
  const setReady = (name: string, ready: boolean, ip: string) =>
    world.setStatus(PODS, 'default', name, {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    });
  const addresses = async (name: string) =>
    told(((await world.get(ENDPOINTS, 'default', name))?.subsets ?? []) as never).join(' | ');
  const slicesOf = async (name: string) => {
    const found = await world.list(ENDPOINT_SLICES, 'default', `kubernetes.io/service-name=${name}`);
    return found
      .flatMap((slice) => (slice.endpoints ?? []).map((e: SliceEndpoint) => `${e.addresses[0]} ${e.conditions.ready}`))
      .sort();
  };

  test('both follow the pods', async () => {
    const ports = [{ port: 80, targetPort: 'http' }];
    await world.create(SERVICES, service(ports));
    await world.until('an empty object', async () => (await world.get(ENDPOINTS, 'default', 'web')) !== undefined);
    await makePod('a', '10.0.0.1');
    await makePod('b', '10.0.0.2', false);
    await world.until('endpoints', async () => (await addresses('web')) === '10.0.0.1 !10.0.0.2 :8080');
    await world.until('slices', async () => (await slicesOf('web')).join() === '10.0.0.1 true,10.0.0.2 false');
    await setReady('b', true, '10.0.0.2');
    await world.until('both ready', async () => (await addresses('web')) === '10.0.0.1,10.0.0.2 :8080');
    const metadata = { labels: { app: 'other' } };
    await world.client.resource(PODS).patch('default', 'a', 'merge', { metadata });
    await world.until('one left', async () => (await addresses('web')) === '10.0.0.2 :8080');
    await world.until('slices', async () => (await slicesOf('web')).join() === '10.0.0.2 true');
    const [slice] = await world.list(ENDPOINT_SLICES, 'default', 'kubernetes.io/service-name=web');
    expect(slice?.metadata.ownerReferences).toMatchObject([{ kind: 'Service', name: 'web', controller: true }]);
    expect(slice?.metadata.labels).toMatchObject({
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    await world.until('one slice', async () => {
      return (await world.list(ENDPOINT_SLICES, 'default', 'kubernetes.io/service-name=web')).length === 1;
    });
    if (kubectlBinary !== undefined) {
      const [, row] = rows(await world.kubectl().run('get endpoints web'));
      expect(row?.slice(0, 2)).toEqual(['web', '10.0.0.2:8080']);
    }
    await world.client.resource(SERVICES).delete('default', 'web');
    await world.until('endpoints to go', async () => (await world.get(ENDPOINTS, 'default', 'web')) === undefined);
    await world.until('slices to go', async () => (await slicesOf('web')).length === 0);
    expect((await world.get(ENDPOINTS, 'default', 'kubernetes'))?.subsets).toHaveLength(1);
  });

  test('who changes them gets them back as they were', async () => {
    await makePod('m', '10.0.0.7', true, 'mend');
    await world.create(SERVICES, {
      ...service([{ port: 80 }], { selector: { app: 'mend' } }),
      metadata: { name: 'mend', namespace: 'default', labels: { team: 'x' } },
    });
    await world.until('endpoints', async () => (await addresses('mend')) === '10.0.0.7 :80');
    await world.client.resource(ENDPOINTS).patch('default', 'mend', 'merge', { subsets: [] });
    await world.until('endpoints', async () => (await addresses('mend')) === '10.0.0.7 :80');
    await world.client.resource(ENDPOINTS).delete('default', 'mend');
    await world.until('endpoints', async () => (await addresses('mend')) === '10.0.0.7 :80');
    expect((await world.get(ENDPOINTS, 'default', 'mend'))?.metadata.labels).toEqual({ team: 'x' });
    await world.client.resource(ENDPOINT_SLICES).deleteCollection('default', { labelSelector: 'team=x' });
    await world.until('slices', async () => (await slicesOf('mend')).join() === '10.0.0.7 true');
  });

  test('hand-made Endpoints are mirrored', async () => {
    const metadata = { name: 'hand', namespace: 'default' };
    await world.create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } });
    const subsets = [
      { addresses: [{ ip: '10.9.0.1' }], notReadyAddresses: [{ ip: '10.9.0.2' }], ports: [{ port: 9 }] },
    ];
    await world.create(ENDPOINTS, { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets });
    await world.until('slices', async () => (await slicesOf('hand')).join() === '10.9.0.1 true,10.9.0.2 false');
    await world.client.resource(ENDPOINTS).patch('default', 'hand', 'merge', { subsets: null } as never);
    await world.until('no slices', async () => (await slicesOf('hand')).length === 0);
  });
});
