/** The real kubectl over one object of every kind: stored, shown, unchanged by a second apply, patched, deleted. */
import { expect, test } from 'vitest';
import { builtinKindList } from '../../../src/kube/kinds/index.js';
import type { Kind } from '../../../src/kube/kinds/kind.js';
import { apiVersionOf } from '../../../src/kube/machinery/object.js';
import * as samples from '../kinds/samples.js';
import { describeKubectl, rows } from '../support/kubectl.js';

const { CONTAINER, WORKLOAD } = samples;
const DEFAULTED = 'rbac.authorization.k8s.io';

const BODIES: Readonly<Record<string, Record<string, unknown>>> = {
  ConfigMap: { data: { a: 'b' } },
  Endpoints: { subsets: [{ addresses: [{ ip: '10.1.0.1' }], ports: [{ port: 80 }] }] },
  'v1 Event': {
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    reason: 'R',
    message: 'm',
    type: 'Normal',
  },
  'events.k8s.io/v1 Event': {
    regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
    eventTime: '2026-07-01T12:00:00.000000Z',
    reportingController: 'example.com/c',
    reportingInstance: 'i',
    action: 'A',
    reason: 'R',
    type: 'Normal',
  },
  LimitRange: { spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '10m' } }] } },
  Namespace: {},
  Node: { spec: { podCIDR: '10.1.0.0/24' } },
  PersistentVolumeClaim: samples.CLAIM,
  PersistentVolume: samples.VOLUME,
  Pod: samples.POD,
  PodTemplate: { template: WORKLOAD.spec.template },
  ReplicationController: { spec: { template: WORKLOAD.spec.template } },
  ResourceQuota: { spec: { hard: { configmaps: '100' } } },
  Secret: { stringData: { a: 'b' } },
  ServiceAccount: {},
  Service: samples.SERVICE,
  APIService: {
    metadata: { name: 'v1.sample.example.com' },
    spec: {
      group: 'sample.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 10,
      service: { name: 's', namespace: 'default' },
    },
  },
  ControllerRevision: { data: { a: 1 }, revision: 1 },
  DaemonSet: WORKLOAD,
  Deployment: WORKLOAD,
  ReplicaSet: WORKLOAD,
  StatefulSet: samples.STATEFUL,
  'autoscaling/v2 HorizontalPodAutoscaler': samples.HPA,
  'autoscaling/v1 HorizontalPodAutoscaler': samples.HPA,
  CronJob: samples.CRON_JOB,
  Job: samples.JOB,
  CertificateSigningRequest: samples.REQUEST,
  IngressClass: { spec: { controller: 'example.com/c' } },
  Ingress: samples.INGRESS,
  IPAddress: {
    metadata: { name: '192.168.7.7' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'x' } },
  },
  NetworkPolicy: { spec: { podSelector: {} } },
  ServiceCIDR: { spec: { cidrs: ['10.7.0.0/24'] } },
  PodDisruptionBudget: { spec: { minAvailable: 1, selector: samples.SELECTOR } },
  ClusterRoleBinding: { ...samples.BINDING, roleRef: { apiGroup: DEFAULTED, kind: 'ClusterRole', name: 'view' } },
  ClusterRole: samples.ROLE,
  RoleBinding: { ...samples.BINDING, roleRef: { apiGroup: DEFAULTED, kind: 'ClusterRole', name: 'view' } },
  Role: samples.ROLE,
  CSIDriver: { spec: {} },
  CSINode: { spec: { drivers: [{ name: 'd.example.com', nodeID: 'n', topologyKeys: [] }] } },
  StorageClass: { provisioner: 'example.com/p' },
  VolumeAttachment: { spec: { attacher: 'a.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
  MutatingWebhookConfiguration: harmless(samples.WEBHOOKS),
  ValidatingWebhookConfiguration: harmless(samples.WEBHOOKS),
  CustomResourceDefinition: {
    metadata: { name: 'widgets.sample.example.com' },
    spec: {
      group: 'sample.example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: 'v2', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  },
  PriorityClass: { value: 5 },
  Lease: { spec: { holderIdentity: 'me', leaseDurationSeconds: 10 } },
  RuntimeClass: { handler: 'runc' },
  EndpointSlice: { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.0.1'] }], ports: [{ port: 80 }] },
};

/** kubectl sends a list again when the server has filled in its items, and stringData always. */
const RESENT = new Set([
  'Endpoints',
  'EndpointSlice',
  'Secret',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
]);

/** A request that holds no real one, and two kinds that kubectl 1.32 describes in their beta version only. */
const UNDESCRIBED = new Set(['CertificateSigningRequest', 'IPAddress', 'ServiceCIDR']);

/** Nothing that this test does is what it asks about. */
function harmless(body: Record<string, any>): Record<string, unknown> {
  return samples.withMembers(body, { 'webhooks.0.rules.0.apiGroups': ['none.example.com'] });
}

const kinds = builtinKindList().filter(
  (kind) => (kind.verbs ?? ['create', 'get']).length > 2 || kind.verbs === undefined,
);

function nameOf(kind: Kind): string {
  return BODIES[kind.kind] === undefined ? `${apiVersionOf(kind)} ${kind.kind}` : kind.kind;
}

function manifest(kind: Kind): Record<string, any> {
  const { metadata, ...body } = BODIES[nameOf(kind)] as Record<string, any>;
  const name = `sample-${kind.version}`;
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name, ...metadata }, ...body };
}

describeKubectl('kubectl: every kind', (k) => {
  test('the table of samples has them all', () => {
    expect(kinds.filter((kind) => BODIES[nameOf(kind)] === undefined).map(nameOf)).toEqual([]);
    expect(CONTAINER.name).toBe('c');
  });

  const stored = kinds.filter((kind) => BODIES[nameOf(kind)] !== undefined);

  test.each(stored.map((kind) => [`${kind.kind} ${apiVersionOf(kind)}`, kind] as const))('%s', async (_name, kind) => {
    const object = manifest(kind);
    const stdin = JSON.stringify(object);
    const resource = `${kind.plural}.${kind.version}.${kind.group}`;
    const what = `${resource}/${object.metadata.name}`;
    expect(await k().run('apply -f -', { stdin })).toMatch(/ created\n$/);
    const once = await k().json(`get ${what}`);
    expect(once.apiVersion).toBe(object.apiVersion);
    expect(await k().run('apply -f -', { stdin })).toMatch(RESENT.has(kind.kind) ? / configured\n$/ : / unchanged\n$/);
    const again = await k().json(`get ${what}`);
    if (kind.kind !== 'APIService' && kind.kind !== 'CustomResourceDefinition') {
      expect(again.metadata.resourceVersion).toBe(once.metadata.resourceVersion);
    }
    const table = rows(await k().run(`get ${what} -o wide`));
    expect(table).toHaveLength(2);
    expect(await k().run(`label ${what} seen=yes`)).toMatch(/ labeled\n$/);
    expect(await k().run(`apply --server-side --force-conflicts -f -`, { stdin })).toMatch(/ serverside-applied\n$/);
    if (!UNDESCRIBED.has(kind.kind)) expect(await k().run(`describe ${what}`)).toContain(object.metadata.name);
    expect(await k().run('replace -f -', { stdin: JSON.stringify(await k().json(`get ${what}`)) })).toMatch(
      / replaced\n$/,
    );
    expect(await k().run(`delete ${what} --wait=false`)).toMatch(/ deleted\n$/);
  });
});
