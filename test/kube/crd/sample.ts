import type { Definition, Version } from '../../../src/kube/crd/definition.js';
import { setDefinitionDefaults } from '../../../src/kube/crd/definition-kind.js';

export const NETWORK_SCHEMA = {
  type: 'object',
  description: 'A network of the sample.',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['cidr'],
      properties: {
        cidr: { type: 'string', pattern: '^\\d+\\.' },
        gateway: { type: 'string', default: 'auto' },
        replicas: { type: 'integer', minimum: 0, maximum: 10, default: 1 },
        mode: { type: 'string', enum: ['bridge', 'host'] },
        target: { 'x-kubernetes-int-or-string': true },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        ports: {
          type: 'array',
          maxItems: 3,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, port: { type: 'integer', default: 80 } },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        maybe: { type: 'string', nullable: true },
      },
    },
    status: {
      type: 'object',
      properties: {
        replicas: { type: 'integer' },
        selector: { type: 'string' },
        conditions: {
          type: 'array',
          items: { type: 'object', properties: { type: { type: 'string' }, status: { type: 'string' } } },
        },
      },
    },
  },
};

export function definition(
  version: Partial<Version> | Partial<Version>[] = {},
  spec: Record<string, any> = {},
  metadata: Record<string, any> = {},
): Definition {
  const versions = (Array.isArray(version) ? version : [version]).map((given, i) => ({
    name: 'v1',
    served: true,
    storage: i === 0,
    schema: { openAPIV3Schema: NETWORK_SCHEMA },
    ...given,
  }));
  const names = { plural: 'networks', kind: 'Network', shortNames: ['net'], ...spec.names };
  const made = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.samplecrd.example.com`, ...metadata },
    spec: { group: 'samplecrd.example.com', scope: 'Namespaced', versions, ...spec, names },
  } as unknown as Definition;
  setDefinitionDefaults(made);
  return made;
}
