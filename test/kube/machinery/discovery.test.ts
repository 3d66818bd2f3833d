import { describe, expect, test } from 'vitest';
import { Discovery } from '../../../src/kube/machinery/discovery.js';
import type { KubeDocument } from '../../../src/kube/machinery/document.js';
import { compareVersions } from '../../../src/kube/machinery/served-kind.js';
import { crds, deployments, hpa, namespaces, pods, widgets } from './served.js';

const read = (document: KubeDocument | undefined): any =>
  document === undefined ? undefined : JSON.parse(document.body.toString());

const kinds = [
  widgets({}, 'zoo.example.com', 'v1beta1'),
  widgets({}, 'zoo.example.com', 'v1'),
  widgets({}, 'a.example.com'),
  crds,
  hpa('v1'),
  deployments,
  hpa('v2'),
  pods,
  namespaces,
];
const discovery = new Discovery(kinds);

describe('legacy discovery', () => {
  test('lists the core group at /api and the others at /apis in their order', () => {
    expect(read(discovery.coreVersions('localhost:6443'))).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: 'localhost:6443' }],
    });
    const { groups, ...rest } = read(discovery.groupList());
    expect(rest).toEqual({ kind: 'APIGroupList', apiVersion: 'v1' });
    expect(groups.map((group: { name: string }) => group.name)).toEqual([
      'apps',
      'autoscaling',
      'apiextensions.k8s.io',
      'a.example.com',
      'zoo.example.com',
    ]);
    expect(groups[1]).toEqual({
      name: 'autoscaling',
      versions: [
        { groupVersion: 'autoscaling/v2', version: 'v2' },
        { groupVersion: 'autoscaling/v1', version: 'v1' },
      ],
      preferredVersion: { groupVersion: 'autoscaling/v2', version: 'v2' },
    });
    expect(read(discovery.group('zoo.example.com'))).toMatchObject({
      kind: 'APIGroup',
      name: 'zoo.example.com',
      preferredVersion: { version: 'v1' },
    });
    expect(discovery.group('')).toBeUndefined();
    expect(discovery.group('none.example.com')).toBeUndefined();
  });

  test('lists resources with all that kubectl looks for', () => {
    const { resources, ...rest } = read(discovery.resourceList('', 'v1'));
    expect(rest).toEqual({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'v1' });
    expect(resources[0]).toEqual({
      name: 'pods',
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['po'],
      categories: ['all'],
    });
    // kubectl drain evicts only if both group and version stand here.
    expect(resources[1]).toEqual({
      name: 'pods/eviction',
      singularName: '',
      namespaced: true,
      group: 'policy',
      version: 'v1',
      kind: 'Eviction',
      verbs: ['create'],
    });
    expect(resources[3]).toEqual({
      name: 'pods/status',
      singularName: '',
      namespaced: true,
      kind: 'Pod',
      verbs: ['get', 'patch', 'update'],
    });
    expect(discovery.resourceList('apps', 'v2')).toBeUndefined();
  });
});

describe('aggregated discovery', () => {
  test('is one document for /api and one for /apis', () => {
    const core = read(discovery.aggregated(true, 'v2'));
    expect(core).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {} });
    expect(core.items).toHaveLength(1);
    expect(core.items[0].metadata).toEqual({});
    expect(core.items[0].versions[0].resources[1]).toMatchObject({ resource: 'namespaces', scope: 'Cluster' });
    const rest = read(discovery.aggregated(false, 'v2beta1'));
    expect(rest.apiVersion).toBe('apidiscovery.k8s.io/v2beta1');
    expect(rest.items[0]).toEqual({
      metadata: { name: 'apps' },
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [
            {
              resource: 'deployments',
              responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
              scope: 'Namespaced',
              singularResource: 'deployment',
              verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
              shortNames: ['deploy'],
              categories: ['all'],
              subresources: [
                {
                  subresource: 'scale',
                  responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
                  verbs: ['get', 'patch', 'update'],
                },
                {
                  subresource: 'status',
                  responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
                  verbs: ['get', 'patch', 'update'],
                },
              ],
            },
          ],
        },
      ],
    });
  });

  test('has the versions of other servers, stale or not', () => {
    const nodes = { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] };
    const remote = { group: 'metrics.k8s.io', version: 'v1beta1', stale: true, resources: [nodes] };
    const more = new Discovery([...kinds], [remote]);
    const items = read(more.aggregated(false, 'v2')).items;
    expect(items[3].metadata.name).toBe('metrics.k8s.io');
    expect(items[3].versions[0]).toMatchObject({ freshness: 'Stale', resources: [{ resource: 'nodes' }] });
    expect(read(more.resourceList('metrics.k8s.io', 'v1beta1')).resources).toEqual([nodes]);
  });

  test('has a hash that changes with its content alone', () => {
    const again = new Discovery([...kinds]);
    expect(again.aggregated(false, 'v2').hash).toBe(discovery.aggregated(false, 'v2').hash);
    const less = new Discovery(kinds.slice(1));
    expect(less.aggregated(false, 'v2').hash).not.toBe(discovery.aggregated(false, 'v2').hash);
    expect(less.aggregated(true, 'v2').hash).toBe(discovery.aggregated(true, 'v2').hash);
  });
});

test('versions are in the order of their promise', () => {
  const versions = ['foo', 'v1alpha1', 'v2beta1', 'v10', 'v1', 'v2', 'v1beta2', 'bar', 'v11alpha2', 'v1beta1'];
  expect(versions.sort(compareVersions)).toEqual([
    'v10',
    'v2',
    'v1',
    'v2beta1',
    'v1beta2',
    'v1beta1',
    'v11alpha2',
    'v1alpha1',
    'bar',
    'foo',
  ]);
});
