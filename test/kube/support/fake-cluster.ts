/** Kinds and objects in memory behind the interfaces of rest and kinds: what authz, admission and keepers are tested on. */
import type { Kind, Kinds, ObjectReader } from '../../../src/kube/kinds/kind.js';
import { ApiError, alreadyExists, conflict, notFound } from '../../../src/kube/machinery/api-error.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { StoreEvent, WatchSink } from '../../../src/kube/registry/object-store.js';
import type { AdmissionRequest } from '../../../src/kube/rest/admission.js';
import type { DeleteOptions, Resource, Resources, WriteContext } from '../../../src/kube/rest/resource.js';

export function fakeKind(group: string, plural: string, kind: string, namespaced = true): Kind {
  return {
    group,
    version: 'v1',
    kind,
    plural,
    singular: kind.toLowerCase(),
    namespaced,
    schema: { type: 'object' },
    storageDir: plural,
    hasStatus: true,
    hasGeneration: false,
  };
}

const RBAC = 'rbac.authorization.k8s.io';
export const FAKE_KINDS: readonly Kind[] = [
  fakeKind('', 'namespaces', 'Namespace', false),
  fakeKind('', 'nodes', 'Node', false),
  fakeKind('', 'pods', 'Pod'),
  fakeKind('', 'secrets', 'Secret'),
  fakeKind('', 'configmaps', 'ConfigMap'),
  fakeKind('', 'services', 'Service'),
  fakeKind('', 'serviceaccounts', 'ServiceAccount'),
  fakeKind('', 'limitranges', 'LimitRange'),
  fakeKind('', 'resourcequotas', 'ResourceQuota'),
  fakeKind('', 'persistentvolumeclaims', 'PersistentVolumeClaim'),
  fakeKind('', 'persistentvolumes', 'PersistentVolume', false),
  fakeKind('apps', 'deployments', 'Deployment'),
  fakeKind('networking.k8s.io', 'ingresses', 'Ingress'),
  fakeKind('networking.k8s.io', 'ingressclasses', 'IngressClass', false),
  fakeKind('storage.k8s.io', 'storageclasses', 'StorageClass', false),
  fakeKind('scheduling.k8s.io', 'priorityclasses', 'PriorityClass', false),
  fakeKind('admissionregistration.k8s.io', 'mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', false),
  fakeKind('admissionregistration.k8s.io', 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', false),
  fakeKind(RBAC, 'roles', 'Role'),
  fakeKind(RBAC, 'clusterroles', 'ClusterRole', false),
  fakeKind(RBAC, 'rolebindings', 'RoleBinding'),
  fakeKind(RBAC, 'clusterrolebindings', 'ClusterRoleBinding', false),
];

export class FakeCluster implements Kinds, Resources, ObjectReader {
  readonly generation = 1;
  readonly #kinds: readonly Kind[];
  readonly #resources = new Map<string, FakeResource>();
  #revision = 100;
  /** Reads that went to `get` and `list` of this reader, as `pods/ns/name`. */
  readonly reads: string[] = [];

  constructor(kinds: readonly Kind[] = FAKE_KINDS) {
    this.#kinds = kinds;
  }

  nextRevision(): string {
    return String(++this.#revision);
  }

  find(group: string, version: string, plural: string): Kind | undefined {
    return this.#kinds.find((k) => k.group === group && k.version === version && k.plural === plural);
  }
  findResource(group: string, plural: string): Kind | undefined {
    return this.#kinds.find((k) => k.group === group && k.plural === plural);
  }
  findKind(group: string, version: string, kind: string): Kind | undefined {
    return this.#kinds.find((k) => k.group === group && k.version === version && k.kind === kind);
  }
  all(): readonly Kind[] {
    return this.#kinds;
  }

  of(kind: Kind): FakeResource {
    const key = `${kind.group}/${kind.plural}`;
    let resource = this.#resources.get(key);
    if (resource === undefined) this.#resources.set(key, (resource = new FakeResource(kind, this)));
    return resource;
  }
  resource(group: string, plural: string): FakeResource {
    return this.of(this.findResource(group, plural)!);
  }

  async get(group: string, plural: string, namespace: string, name: string): Promise<KubeObject | null> {
    this.reads.push(`${plural}/${namespace}/${name}`);
    return this.resource(group, plural).find(namespace, name) ?? null;
  }
  async list(group: string, plural: string, namespace: string): Promise<KubeObject[]> {
    this.reads.push(`${plural}/${namespace}/`);
    return this.resource(group, plural).all(namespace);
  }

  /** Puts objects there, past everything. The group is read from apiVersion, namespaces from metadata. */
  seed(...objects: readonly Partial<KubeObject>[]): void {
    for (const object of objects) {
      const [group, version] = object.apiVersion!.includes('/')
        ? object.apiVersion!.split('/')
        : ['', object.apiVersion!];
      this.of(this.findKind(group!, version!, object.kind!)!).put(structuredClone(object) as KubeObject);
    }
  }
}

/** Resource in memory. Updates take status too unless `strict`; deletes honour finalizers. */
export class FakeResource implements Resource {
  readonly kind: Kind;
  readonly #cluster: FakeCluster;
  readonly #objects = new Map<string, KubeObject>();
  readonly #sinks = new Set<WatchSink>();
  /** Writes so far: `create ns/name`, `update ns/name status` ... */
  readonly writes: string[] = [];
  /** Watches refuse to start as long as it is set. */
  watchError: Error | null = null;
  /** Initial events are held back while set. */
  holdWatch = false;
  #held: (() => void)[] = [];
  /** Called before each write; may throw. */
  beforeWrite: (verb: string, name: string) => void = () => {};

  constructor(kind: Kind, cluster: FakeCluster) {
    this.kind = kind;
    this.#cluster = cluster;
  }

  find(namespace: string, name: string): KubeObject | undefined {
    const object = this.#objects.get(`${namespace}/${name}`);
    return object === undefined ? undefined : structuredClone(object);
  }
  all(namespace = ''): KubeObject[] {
    const all = [...this.#objects.values()].filter((o) => namespace === '' || o.metadata.namespace === namespace);
    return structuredClone(all);
  }
  put(object: KubeObject): KubeObject {
    const { namespace = '', name = '' } = object.metadata;
    const key = `${namespace}/${name}`;
    const old = this.#objects.get(key);
    object.metadata.uid ??= old?.metadata.uid ?? `uid-${this.kind.plural}-${name}`;
    object.metadata.creationTimestamp ??= '2026-01-01T00:00:00Z';
    object.metadata.resourceVersion = this.#cluster.nextRevision();
    this.#objects.set(key, object);
    this.#emit({
      type: old === undefined ? 'ADDED' : 'MODIFIED',
      object,
      resourceVersion: object.metadata.resourceVersion,
    });
    return structuredClone(object);
  }
  remove(namespace: string, name: string): void {
    const object = this.#objects.get(`${namespace}/${name}`)!;
    this.#objects.delete(`${namespace}/${name}`);
    this.#emit({ type: 'DELETED', object, resourceVersion: this.#cluster.nextRevision() });
  }
  /** Ends all watches, as a compaction or a lost connection does. */
  cutWatches(): void {
    for (const sink of [...this.#sinks]) {
      this.#sinks.delete(sink);
      sink.end(new Error('cut'));
    }
  }
  release(): void {
    this.holdWatch = false;
    for (const go of this.#held.splice(0)) go();
  }
  get watchers(): number {
    return this.#sinks.size;
  }

  async create(_context: WriteContext, namespace: string, given: KubeObject) {
    const object = structuredClone(given);
    if (namespace !== '') object.metadata.namespace = namespace;
    const name = object.metadata.name!;
    this.beforeWrite('create', name);
    if (this.#objects.has(`${namespace}/${name}`)) throw alreadyExists(this.kind, name);
    this.writes.push(`create ${namespace}/${name}`);
    return { object: this.put(object), created: true };
  }
  async get(namespace: string, name: string): Promise<KubeObject> {
    const object = this.find(namespace, name);
    if (object === undefined) throw notFound(this.kind, name);
    return object;
  }
  async list({ namespace }: { namespace: string }) {
    return { items: this.all(namespace), resourceVersion: this.#cluster.nextRevision() };
  }
  async watch(_options: unknown, sink: WatchSink) {
    if (this.watchError !== null) throw this.watchError;
    const begin = () => {
      for (const object of this.#objects.values()) {
        sink.event({ type: 'ADDED', object, resourceVersion: object.metadata.resourceVersion! });
      }
      const object = { apiVersion: 'v1', kind: this.kind.kind, metadata: {} };
      sink.event({ type: 'BOOKMARK', object, resourceVersion: '1', initialEventsEnd: true });
      this.#sinks.add(sink);
    };
    if (this.holdWatch) this.#held.push(begin);
    else begin();
    return { resume: () => {}, bookmark: () => {}, stop: () => void this.#sinks.delete(sink) };
  }
  async update(_context: WriteContext, namespace: string, name: string, given: KubeObject, subresource: string) {
    const old = this.find(namespace, name);
    if (old === undefined) throw notFound(this.kind, name);
    this.beforeWrite('update', name);
    const wanted = given.metadata.resourceVersion;
    if (wanted !== undefined && wanted !== old.metadata.resourceVersion) throw conflict(this.kind, name);
    const object = structuredClone(given);
    object.metadata.namespace ??= namespace === '' ? (undefined as never) : namespace;
    if (object.metadata.namespace === undefined) delete object.metadata.namespace;
    this.writes.push(`update ${namespace}/${name}${subresource === '' ? '' : ` ${subresource}`}`);
    const leaving = object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0;
    const kept = this.kind.plural === 'namespaces' && (object.spec?.finalizers ?? []).length > 0;
    const stored = this.put(object);
    if (leaving && !kept) this.remove(namespace, name);
    return { object: stored, created: false };
  }
  async modify(): Promise<never> {
    throw new ApiError(405, 'MethodNotAllowed', 'the fake does not modify');
  }
  async patch(): Promise<never> {
    throw new ApiError(405, 'MethodNotAllowed', 'the fake does not patch');
  }
  async delete(_context: WriteContext, namespace: string, name: string, _options: DeleteOptions) {
    const object = this.find(namespace, name);
    if (object === undefined) throw notFound(this.kind, name);
    this.beforeWrite('delete', name);
    this.writes.push(`delete ${namespace}/${name}`);
    if ((object.metadata.finalizers ?? []).length > 0 || this.kind.plural === 'namespaces') {
      object.metadata.deletionTimestamp ??= '2026-01-01T00:00:00Z';
      if (this.kind.plural === 'namespaces') object.status = { ...object.status, phase: 'Terminating' };
      return { object: this.put(object), done: false };
    }
    this.remove(namespace, name);
    return { object, done: true };
  }
  async deleteCollection(context: WriteContext, options: DeleteOptions, { namespace }: { namespace: string }) {
    const items = this.all(namespace);
    for (const { metadata } of items) await this.delete(context, metadata.namespace ?? '', metadata.name!, options);
    return { items, resourceVersion: this.#cluster.nextRevision() };
  }

  #emit(event: StoreEvent): void {
    for (const sink of this.#sinks) sink.event(event);
  }
}

export const ALICE = { username: 'alice', uid: '', groups: ['system:authenticated'], extra: {} };

/** A request to a plug-in, of a kind among FAKE_KINDS. Warnings and undos are gathered. */
export function admissionRequest(
  given: Partial<Omit<AdmissionRequest, 'kind'>> & { kind: string },
): AdmissionRequest & { warnings: string[]; undos: (() => Promise<void>)[] } {
  const kind = FAKE_KINDS.find((k) => k.kind === given.kind)!;
  const object = given.object ?? null;
  const warnings: string[] = [];
  const undos: (() => Promise<void>)[] = [];
  return {
    operation: 'CREATE',
    subresource: '',
    namespace: kind.namespaced ? 'default' : '',
    name: (object ?? given.oldObject)?.metadata.name ?? '',
    user: ALICE,
    dryRun: false,
    options: {},
    oldObject: null,
    ...given,
    object,
    kind,
    warnings,
    undos,
    warn: (text: string) => void warnings.push(text),
    onFailure: (undo) => void undos.push(undo),
  };
}

/** Waits for a rejection with an ApiError, which it answers. */
export async function refused(promise: Promise<unknown>): Promise<ApiError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
