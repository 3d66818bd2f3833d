/** Nothing is made in a namespace that is not there or is going; some namespaces stay. */
import type { ObjectReader } from '../kinds/kind.js';
import { forbidden, notFound } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';

const IMMORTAL = ['default', 'kube-system', 'kube-public'];
/** After a deletion went through here the cache may be behind: for so long it is not believed. */
const DOUBT_MS = 30_000;

export class NamespaceLifecycle implements AdmissionPlugin {
  readonly name = 'NamespaceLifecycle';
  readonly #cached: ObjectReader;
  readonly #live: ObjectReader;
  readonly #now: () => number;
  /** Namespaces whose deletion was asked here, and until when they are in doubt. */
  readonly #doubts = new Map<string, number>();

  /** @param now ms */
  constructor(cached: ObjectReader, live: ObjectReader, now: () => number = Date.now) {
    this.#cached = cached;
    this.#live = live;
    this.#now = now;
  }

  async admit(request: AdmissionRequest): Promise<void> {
    const { kind, operation, name, namespace } = request;
    const resource = { group: kind.group, plural: kind.plural };
    if (kind.group === '' && kind.plural === 'namespaces') {
      if (operation !== 'DELETE') return;
      if (IMMORTAL.includes(name)) throw forbidden(resource, name, 'this namespace may not be deleted');
      this.#doubt(name);
      return;
    }
    // Access reviews ask about a namespace that need not be there.
    if (!kind.namespaced || namespace === '' || operation === 'DELETE') return;
    if (kind.plural === 'localsubjectaccessreviews') return;
    const object = await this.#find(namespace);
    if (object === null) throw notFound({ group: '', plural: 'namespaces' }, namespace);
    if (operation !== 'CREATE' || !isTerminating(object)) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw forbidden(resource, name, why, [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ]);
  }

  /** What the cache has, unless it lacks it (just made?) or may not have heard of its deletion yet. */
  async #find(namespace: string): Promise<KubeObject | null> {
    if (!this.#isInDoubt(namespace)) {
      const cached = await this.#cached.get('', 'namespaces', '', namespace);
      if (cached !== null) return cached;
    }
    return this.#live.get('', 'namespaces', '', namespace);
  }

  #doubt(name: string): void {
    const now = this.#now();
    for (const [other, until] of this.#doubts) if (until <= now) this.#doubts.delete(other);
    this.#doubts.set(name, now + DOUBT_MS);
  }

  #isInDoubt(name: string): boolean {
    const until = this.#doubts.get(name);
    return until !== undefined && until > this.#now();
  }
}

function isTerminating(namespace: KubeObject): boolean {
  return namespace.status?.phase === 'Terminating' || namespace.metadata.deletionTimestamp !== undefined;
}
