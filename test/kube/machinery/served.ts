/** Some served kinds, for documents made of them. */
import type { Schema } from '../../../src/kube/machinery/schema.js';
import type { ServedKind } from '../../../src/kube/machinery/served-kind.js';
import { schemaOf } from '../../../src/kube/machinery/types/index.js';

const SCALE = {
  name: 'scale',
  exchanges: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  verbs: ['get', 'patch', 'update'],
};
const STATUS = { name: 'status', verbs: ['get', 'patch', 'update'] };

export const pods: ServedKind = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  schema: schemaOf('core.v1/Pod'),
  subresources: [
    { name: 'eviction', exchanges: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
    { name: 'log', verbs: ['get'] },
    STATUS,
  ],
};
export const namespaces: ServedKind = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  namespaced: false,
  schema: schemaOf('core.v1/Namespace'),
  subresources: [STATUS],
};
export const configMaps: ServedKind = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  namespaced: true,
  schema: schemaOf('core.v1/ConfigMap'),
};
export const deployments: ServedKind = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  schema: schemaOf('apps.v1/Deployment'),
  subresources: [SCALE, STATUS],
};
export const services: ServedKind = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  namespaced: true,
  schema: schemaOf('core.v1/Service'),
};
export const crds: ServedKind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  namespaced: false,
  schema: schemaOf('apiextensions.v1/CustomResourceDefinition'),
  subresources: [STATUS],
};

export function hpa(version: 'v1' | 'v2'): ServedKind {
  return {
    group: 'autoscaling',
    version,
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
    singular: 'horizontalpodautoscaler',
    shortNames: ['hpa'],
    namespaced: true,
    schema: schemaOf(`autoscaling.${version}/HorizontalPodAutoscaler`),
  };
}

/** A custom resource. @param source its openAPIV3Schema */
export function widgets(source: Record<string, unknown>, group = 'example.com', version = 'v1'): ServedKind {
  const schema: Schema = { type: 'object', properties: () => new Map(), source };
  return {
    group,
    version,
    kind: 'Widget',
    plural: 'widgets',
    singular: 'widget',
    namespaced: true,
    schema,
    noStrategicPatch: true,
  };
}
