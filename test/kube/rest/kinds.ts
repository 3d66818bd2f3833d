import type { Kind, Kinds } from '../../../src/kube/kinds/kind.js';
import { required } from '../../../src/kube/machinery/field-error.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { Schema } from '../../../src/kube/machinery/schema.js';
import { schemaOf } from '../../../src/kube/machinery/types/index.js';

const STRING: Schema = { type: 'string' };
const STRINGS: Schema = { type: 'object', additionalProperties: STRING };
const METADATA: Schema = schemaOf('meta.v1/ObjectMeta');

function schema(members: Record<string, Schema>): Schema {
  const properties = new Map<string, Schema>([
    ['apiVersion', STRING],
    ['kind', STRING],
    ['metadata', METADATA],
  ]);
  for (const [name, member] of Object.entries(members)) properties.set(name, member);
  return { type: 'object', properties: () => properties };
}

const ANY: Schema = { type: 'object', preserveUnknown: true };

function kind(given: Partial<Kind> & { kind: string; plural: string }): Kind {
  return {
    group: '',
    version: 'v1',
    singular: given.kind.toLowerCase(),
    namespaced: true,
    schema: schema({ data: STRINGS, spec: ANY, status: ANY }),
    storageDir: given.plural,
    hasStatus: false,
    hasGeneration: false,
    ...given,
  };
}

export const CONFIG_MAP = kind({ kind: 'ConfigMap', plural: 'configmaps' });

/** A kind with everything: spec and status, defaults, validation, its own stored version. */
export const DEPLOYMENT = kind({
  group: 'apps',
  kind: 'Deployment',
  plural: 'deployments',
  hasStatus: true,
  hasGeneration: true,
  setDefaults: (object) => {
    object.spec ??= {};
    object.spec.replicas ??= 1;
  },
  validate: (object) => (object.spec.image === undefined ? [required('spec.image')] : []),
  warnings: (object) => (object.spec.image === 'old' ? ['spec.image: old is deprecated'] : []),
});

export const POD = kind({
  kind: 'Pod',
  plural: 'pods',
  hasStatus: true,
  prepareForCreate: (object) => {
    object.status = { phase: 'Pending' };
  },
  graceSeconds: (object, asked) => (object.spec?.nodeName === undefined ? 0 : (asked ?? 30)),
});

export const NAMESPACE = kind({
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  hasStatus: true,
  nameRule: 'dns-label',
  prepareForCreate: (object) => {
    object.spec = { finalizers: ['kubernetes'] };
    object.status = { phase: 'Active' };
  },
});

export const LEASE = kind({
  group: 'coordination.k8s.io',
  kind: 'Lease',
  plural: 'leases',
  allowCreateOnUpdate: true,
});

/** A custom resource, whose stored version is another one. */
export const WIDGET = kind({
  group: 'example.com',
  version: 'v2',
  kind: 'Widget',
  plural: 'widgets',
  storageDir: 'example.com/widgets',
  storedApiVersion: 'example.com/v1',
  noStrategicPatch: true,
  allowUnconditionalUpdate: false,
  hasGeneration: true,
  toStored: (object) => ({ ...object, apiVersion: 'example.com/v1', spec: { colour: object.spec?.color } }),
  fromStored: (object) => ({ ...object, apiVersion: 'example.com/v2', spec: { color: object.spec?.colour } }),
});

export const KINDS: readonly Kind[] = [CONFIG_MAP, DEPLOYMENT, POD, NAMESPACE, LEASE, WIDGET];

export const kinds: Kinds = {
  find: (group, version, plural) =>
    KINDS.find((k) => k.group === group && k.version === version && k.plural === plural),
  findResource: (group, plural) => KINDS.find((k) => k.group === group && k.plural === plural),
  findKind: (group, version, name) => KINDS.find((k) => k.group === group && k.version === version && k.kind === name),
  all: () => KINDS,
  generation: 0,
};

export function object(of: Kind, name: string, more: Partial<KubeObject> = {}): KubeObject {
  const apiVersion = of.group === '' ? of.version : `${of.group}/${of.version}`;
  const { metadata, ...rest } = more;
  return { apiVersion, kind: of.kind, metadata: { name, ...metadata }, ...rest };
}
