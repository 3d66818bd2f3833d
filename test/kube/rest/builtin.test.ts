import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtinKinds } from '../../../src/kube/kinds/index.js';
import type { Kind } from '../../../src/kube/kinds/kind.js';
import { acceptObject } from '../../../src/kube/machinery/accept.js';
import type { JsonObject, JsonValue, KubeObject } from '../../../src/kube/machinery/object.js';
import { openResources } from '../../../src/kube/rest/open-resources.js';
import type { Resource, WriteContext } from '../../../src/kube/rest/resource.js';
import { ALICE } from '../support/fake-cluster.js';
import type { TestStore } from '../support/store.js';
import { startStore, TestRegistry } from '../support/store.js';

const selector = { matchLabels: { app: 'a' } };
const podSpec = { containers: [{ name: 'c', image: 'nginx:1' }] };
const template = { metadata: { labels: { app: 'a' } }, spec: podSpec };
const never = { spec: { ...podSpec, restartPolicy: 'Never' } };
const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' };

/** Of each kind what a person would write. */
const SAMPLES: Readonly<Record<string, JsonObject>> = {
  ConfigMap: { data: { a: 'b' } },
  Secret: { stringData: { a: 'b' } },
  Pod: { spec: podSpec },
  Service: { spec: { type: 'ExternalName', externalName: 'example.com' } },
  Endpoints: { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
  Namespace: {},
  Node: {},
  ServiceAccount: {},
  LimitRange: { spec: { limits: [{ type: 'Container', default: { cpu: '0.5' } }] } },
  ResourceQuota: { spec: { hard: { pods: '10', 'requests.memory': '1024Mi' } } },
  PersistentVolumeClaim: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  PersistentVolume: {
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/x' } },
  },
  ReplicationController: { spec: { selector: { app: 'a' }, template } },
  Deployment: { spec: { selector, template } },
  ReplicaSet: { spec: { selector, template } },
  StatefulSet: { spec: { selector, template, serviceName: 's' } },
  DaemonSet: { spec: { selector, template } },
  Job: { spec: { template: never } },
  CronJob: { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: never } } } },
  HorizontalPodAutoscaler: {
    spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' } },
  },
  Ingress: { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
  NetworkPolicy: { spec: { podSelector: {} } },
  PodDisruptionBudget: { spec: { minAvailable: 1, selector } },
  Role: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  RoleBinding: { roleRef: role, subjects: [{ kind: 'User', name: 'u' }] },
  StorageClass: { provisioner: 'example.com/p' },
  PriorityClass: { value: 5 },
  Lease: { spec: { holderIdentity: 'me', renewTime: '2026-01-01T00:00:00.000000Z' } },
};

describe('built-in kinds over a store', () => {
  const kinds = builtinKinds();
  let backend: TestStore;
  let t: TestRegistry;
  let of: (kind: Kind) => Resource;
  const context: WriteContext = {
    user: ALICE,
    dryRun: false,
    fieldManager: 'test',
    fieldValidation: 'Strict',
    warn: () => {},
  };

  beforeAll(async () => {
    backend = await startStore('keel');
    t = new TestRegistry(backend.endpoint);
    const admission = { admit: async () => {}, validate: async () => {} };
    const resources = openResources({ registry: t.registry, kinds, admission });
    of = (kind) => resources.of(kind);
  });
  afterAll(async () => {
    await t?.stop();
    await backend?.stop();
  });

  /** As the body of a request. */
  function sent(kind: Kind, value: unknown): KubeObject {
    const copy = JSON.parse(JSON.stringify(value)) as JsonValue;
    return acceptObject({ value: copy, duplicates: [] }, kind, 'Strict', () => {});
  }

  const known = kinds.all().filter((kind) => SAMPLES[kind.kind] !== undefined && kind.group !== 'events.k8s.io');

  it.each(known.map((kind) => [`${kind.plural}.${kind.version}.${kind.group}`, kind] as const))(
    '%s: what changes nothing is not written',
    async (id, kind) => {
      const namespace = kind.namespaced ? 'default' : '';
      const name = id.replaceAll('.', '-').replace(/-$/, '');
      const object = sent(kind, { metadata: { name }, ...SAMPLES[kind.kind] });
      const { object: made } = await of(kind).create(context, namespace, object);
      const version = made.metadata.resourceVersion;
      expect(await of(kind).get(namespace, name)).toEqual(made);
      const put = await of(kind).update(context, namespace, name, sent(kind, made), '');
      expect(put.object, 'put').toEqual(made);
      for (const type of ['merge', 'strategic', 'json'] as const) {
        const body = type === 'json' ? [] : {};
        const patched = await of(kind).patch(context, namespace, name, { type, body, force: false }, '');
        expect(patched.object, type).toEqual(made);
        if (!kind.hasStatus) continue;
        const status = await of(kind).patch(context, namespace, name, { type, body, force: false }, 'status');
        expect(status.object, `${type} of status`).toEqual(made);
      }
      const config = { apiVersion: made.apiVersion, kind: made.kind, metadata: { name }, ...SAMPLES[kind.kind] };
      const apply = { type: 'apply', body: config, force: true } as const;
      const first = await of(kind).patch(context, namespace, name, apply, '');
      const again = await of(kind).patch(context, namespace, name, apply, '');
      expect(again.object, 'apply').toEqual(first.object);
      expect(Number(version)).toBeLessThanOrEqual(Number(first.object.metadata.resourceVersion));
    },
  );
});
