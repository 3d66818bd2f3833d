/**
 * Every namespace has the account `default` and the ConfigMap `kube-root-ca.crt`; who deletes them gets them anew.
 * A keeper, until there are controllers.
 */
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { KeeperOptions } from '../rest/keeper.js';
import { Keeper } from '../rest/keeper.js';
import type { CachedReader } from './cached-reader.js';

const ACCOUNT = 'default';
const CA_CONFIG = 'kube-root-ca.crt';
const CA_DESCRIPTION = {
  'kubernetes.io/description':
    'The authority that signs the certificate of the API server; pods check the server by it and nothing else.',
};

export class NamespaceContent {
  readonly #objects: CachedReader;
  readonly #ca: string;
  readonly #keeper: Keeper;

  /** @param ca PEM of the authority of the server's certificate */
  constructor(objects: CachedReader, ca: string, options: KeeperOptions) {
    this.#objects = objects;
    this.#ca = ca;
    this.#keeper = new Keeper((namespace) => this.#fill(namespace), options);
  }

  start(): this {
    const named = (name: string) => (object: KubeObject) =>
      object.metadata.name === name ? [object.metadata.namespace ?? ''] : [];
    const keys: readonly (readonly [string, (object: KubeObject, gone: boolean) => string[]])[] = [
      ['namespaces', ({ metadata }, gone) => (gone ? [] : [metadata.name ?? ''])],
      ['serviceaccounts', named(ACCOUNT)],
      ['configmaps', named(CA_CONFIG)],
    ];
    for (const [plural, keysOf] of keys) {
      const watched = this.#objects.watched('', plural);
      if (watched === undefined) throw new TypeError(`no kind ${plural}`);
      this.#keeper.follow(watched, keysOf);
    }
    return this;
  }

  stop(): void {
    this.#keeper.stop();
  }

  async #fill(name: string): Promise<void> {
    const namespace = await this.#objects.get('', 'namespaces', '', name);
    if (namespace === null || namespace.metadata.deletionTimestamp !== undefined) return;
    await this.#ensure(name, 'serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: ACCOUNT },
    });
    const data = { 'ca.crt': this.#ca };
    const metadata = { name: CA_CONFIG, annotations: { ...CA_DESCRIPTION } };
    await this.#ensure(name, 'configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }, (actual) =>
      actual.data?.['ca.crt'] === this.#ca ? null : { ...actual, data },
    );
  }

  /** @param repair what the object should be instead, or null if it will do */
  async #ensure(
    namespace: string,
    plural: string,
    wanted: KubeObject,
    repair: (actual: KubeObject) => KubeObject | null = () => null,
  ): Promise<void> {
    const { resource } = this.#objects.watched('', plural)!;
    const name = wanted.metadata.name ?? '';
    const actual = await this.#objects.get('', plural, namespace, name);
    try {
      if (actual === null) {
        await resource.create(this.#keeper.context, namespace, wanted);
        return;
      }
      const repaired = repair(actual);
      if (repaired !== null) await resource.update(this.#keeper.context, namespace, name, repaired, '');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // Another server was first, or the namespace is going: the watch tells what is to be done then.
      const settled = error.reason === 'AlreadyExists' || error.code === 404 || error.code === 403;
      if (!settled) throw error;
    }
  }
}
