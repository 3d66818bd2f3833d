/** Objects that every cluster has from its first moment on. Idempotent. Source: kubernetes storage layout and defaults. */
import { randomUUID } from 'node:crypto';
import type { Kind, Kinds } from '../kinds/kind.js';
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { ObjectStore } from '../registry/index.js';
import { serverContext } from '../rest/keeper.js';
import type { Resources } from '../rest/resource.js';

export interface BootstrapOptions {
  readonly kinds: Kinds;
  readonly resources: Resources;
  storeOf(kind: Kind): ObjectStore;
  now(): number;
  /** First address of the service range: that of default/kubernetes. */
  readonly serviceIp: string;
  /** Where the server is reached. */
  readonly address: string;
  readonly port: number;
  /** PEM. */
  readonly clientCa: string;
  readonly frontProxyCa: string;
}

const CONTEXT = serverContext('keel-bootstrap');
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const PRIORITIES = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 };
const CRITICAL: Readonly<Record<string, string>> = {
  'system-cluster-critical':
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  'system-node-critical': 'Used for system critical pods that must not be moved from their current node.',
};

export async function bootstrap(options: BootstrapOptions): Promise<void> {
  await Promise.all(
    NAMESPACES.map((name) =>
      ensure(options, '', 'namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
    ),
  );
  await Promise.all([
    ...Object.entries(PRIORITIES).map(([name, value]) =>
      ensure(options, 'scheduling.k8s.io', 'priorityclasses', {
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name },
        value,
        description: CRITICAL[name],
      }),
    ),
    ensure(options, '', 'configmaps', authenticationConfig(options)),
    ensureKubernetesService(options),
  ]);
}

/** Where servers behind the aggregation layer learn whom to believe. */
function authenticationConfig({ clientCa, frontProxyCa }: BootstrapOptions): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: {
      'client-ca-file': clientCa,
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-client-ca-file': frontProxyCa,
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-username-headers': '["X-Remote-User"]',
    },
  };
}

async function ensureKubernetesService(options: BootstrapOptions): Promise<void> {
  const metadata = {
    name: 'kubernetes',
    namespace: 'default',
    labels: { component: 'apiserver', provider: 'kubernetes' },
  };
  await ensure(options, '', 'services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      type: 'ClusterIP',
      clusterIP: options.serviceIp,
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: options.port }],
    },
  });
  const ports = [{ name: 'https', port: options.port, protocol: 'TCP' }];
  await publish(options, '', 'endpoints', {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: [{ ip: options.address }], ports }],
  });
  await publish(options, 'discovery.k8s.io', 'endpointslices', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: options.address.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [options.address], conditions: { ready: true } }],
    ports,
  });
}

/** Made if it is not there; left alone if it is. */
async function ensure(options: BootstrapOptions, group: string, plural: string, object: KubeObject): Promise<void> {
  const kind = options.kinds.findResource(group, plural);
  if (kind === undefined) return;
  const resource = options.resources.of(kind);
  const namespace = object.metadata.namespace ?? '';
  try {
    await resource.get(namespace, object.metadata.name as string);
    return;
  } catch (err) {
    if (!(err instanceof ApiError) || err.code !== 404) throw err;
  }
  try {
    await resource.create(CONTEXT, namespace, object);
  } catch (err) {
    // Another server on the same store was first.
    if (!(err instanceof ApiError) || err.reason !== 'AlreadyExists') throw err;
  }
}

/**
 * Made, or brought up to date: the port may be another one than last time. Written beside the rules for Endpoints, which
 * allow no loopback address: a server for one machine is reached by nothing else.
 */
async function publish(options: BootstrapOptions, group: string, plural: string, object: KubeObject): Promise<void> {
  const kind = options.kinds.findResource(group, plural);
  if (kind === undefined) return;
  const { namespace = '', name = '' } = object.metadata;
  await options.storeOf(kind).update(
    namespace,
    name,
    (old) => {
      const { uid = randomUUID(), creationTimestamp = timeText(options.now()) } = old?.metadata ?? {};
      return { object: { ...object, metadata: { ...old?.metadata, ...object.metadata, uid, creationTimestamp } } };
    },
    { allowMissing: true },
  );
}

function timeText(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}
