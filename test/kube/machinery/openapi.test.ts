import { describe, expect, test } from 'vitest';
import type { KubeDocument } from '../../../src/kube/machinery/document.js';
import { OpenApi } from '../../../src/kube/machinery/openapi.js';
import { configMaps, crds, deployments, hpa, namespaces, pods, services, widgets } from './served.js';

const read = (document: KubeDocument | undefined): any =>
  document === undefined ? undefined : JSON.parse(document.body.toString());

const KINDS = [pods, configMaps, namespaces, services, deployments, hpa('v2'), hpa('v1'), crds];

function served(kinds = KINDS): OpenApi {
  const openapi = new OpenApi('v1.36.0');
  openapi.serve(kinds);
  return openapi;
}

describe('OpenAPI v3', () => {
  const openapi = served();
  const apps = read(openapi.document('apis/apps/v1'));

  test('indexes a document a group version by its hash', () => {
    const { paths } = read(openapi.index());
    expect(Object.keys(paths)).toEqual([
      'api/v1',
      'apis/apps/v1',
      'apis/autoscaling/v2',
      'apis/autoscaling/v1',
      'apis/apiextensions.k8s.io/v1',
    ]);
    const hash = openapi.document('apis/apps/v1')?.hash;
    expect(paths['apis/apps/v1']).toEqual({ serverRelativeURL: `/openapi/v3/apis/apps/v1?hash=${hash}` });
    expect(openapi.document('apis/apps/v2')).toBeUndefined();
    const remote = { 'apis/metrics.k8s.io/v1beta1': '/openapi/v3/apis/metrics.k8s.io/v1beta1?hash=1' };
    expect(Object.keys(read(openapi.index(remote)).paths)).toHaveLength(6);
  });

  test('has the operations that kubectl asks about', () => {
    const item = apps.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'];
    expect(item.patch['x-kubernetes-group-version-kind']).toEqual({ group: 'apps', version: 'v1', kind: 'Deployment' });
    expect(item.patch['x-kubernetes-action']).toBe('patch');
    const names = item.patch.parameters.map((parameter: { name: string }) => parameter.name);
    expect(names).toEqual(['dryRun', 'fieldManager', 'fieldValidation', 'force']);
    expect(Object.keys(item.patch.requestBody.content)).toContain('application/strategic-merge-patch+json');
    const collection = apps.paths['/apis/apps/v1/namespaces/{namespace}/deployments'];
    expect(Object.keys(collection)).toEqual(['get', 'post', 'delete', 'parameters']);
    expect(apps.paths['/apis/apps/v1/deployments'].get['x-kubernetes-action']).toBe('list');
    const scale = apps.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale'];
    expect(scale.put['x-kubernetes-group-version-kind'].kind).toBe('Scale');
    const core = read(openapi.document('api/v1'));
    expect(core.paths['/api/v1/namespaces/{name}'].get).toBeDefined();
    expect(core.paths['/api/v1/namespaces/{namespace}/pods/{name}/eviction'].post).toBeDefined();
  });

  test('has schemas with the marks that patches need', () => {
    const { schemas } = apps.components;
    expect(schemas['io.k8s.api.apps.v1.Deployment']).toMatchObject({
      type: 'object',
      'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'Deployment' }],
    });
    expect(schemas['io.k8s.api.apps.v1.DeploymentList']['x-kubernetes-group-version-kind'][0].kind).toBe(
      'DeploymentList',
    );
    expect(schemas['io.k8s.api.core.v1.PodSpec'].properties.volumes).toMatchObject({
      type: 'array',
      items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Volume' }], default: {} },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge,retainKeys',
    });
    expect(schemas['io.k8s.api.apps.v1.DeploymentSpec'].required).toEqual(['selector', 'template']);
    expect(schemas['io.k8s.api.apps.v1.DeploymentSpec'].properties.strategy).toMatchObject({
      'x-kubernetes-patch-strategy': 'retainKeys',
      default: {},
    });
    expect(schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'].properties.creationTimestamp).toMatchObject({
      type: 'string',
      format: 'date-time',
    });
  });

  test.each(['api/v1', 'apis/apps/v1', 'apis/autoscaling/v2', 'apis/apiextensions.k8s.io/v1'])(
    '%s names no component that is not there',
    (path) => {
      const document = openapi.document(path)?.body.toString() ?? '';
      const { schemas } = JSON.parse(document).components;
      const refs = new Set(
        [...document.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]),
      );
      expect(refs.size).toBeGreaterThan(5);
      expect([...refs].filter((ref) => schemas[ref as string] === undefined)).toEqual([]);
    },
  );
});

describe('a custom resource in OpenAPI v3', () => {
  const source = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
  };

  test('is described by its definition', () => {
    const openapi = served([...KINDS, widgets(source)]);
    const document = read(openapi.document('apis/example.com/v1'));
    expect(document.components.schemas['com.example.v1.Widget']).toMatchObject({
      properties: {
        kind: { type: 'string' },
        metadata: { allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }] },
        spec: source.properties.spec,
      },
      'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'Widget' }],
    });
    expect(document.components.schemas['com.example.v1.WidgetList']).toBeDefined();
    const item = document.paths['/apis/example.com/v1/namespaces/{namespace}/widgets/{name}'];
    expect(Object.keys(item.patch.requestBody.content)).not.toContain('application/strategic-merge-patch+json');
  });

  test('costs one new document when it comes or changes', () => {
    const openapi = served();
    const before = openapi.document('api/v1');
    const index = openapi.index();
    openapi.serve([...KINDS, widgets(source)]);
    expect(openapi.document('api/v1')).toBe(before);
    const first = openapi.document('apis/example.com/v1')?.hash;
    expect(openapi.index().hash).not.toBe(index.hash);
    openapi.serve([...KINDS, widgets({ type: 'object' })]);
    expect(openapi.document('apis/example.com/v1')?.hash).not.toBe(first);
    openapi.serve(KINDS);
    expect(openapi.document('apis/example.com/v1')).toBeUndefined();
    expect(openapi.index().hash).toBe(index.hash);
  });
});
