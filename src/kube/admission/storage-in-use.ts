/**
 * Takes the finalizers of StorageObjectInUseProtection off claims that no pod uses and volumes that are not bound, once
 * they are being deleted. A keeper, until there are controllers.
 */
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { KeeperOptions } from '../rest/keeper.js';
import { Keeper } from '../rest/keeper.js';
import type { CachedReader } from './cached-reader.js';
import { STORAGE_FINALIZERS } from './storage-protection.js';

export class StorageInUse {
  readonly #objects: CachedReader;
  readonly #keeper: Keeper;

  constructor(objects: CachedReader, options: KeeperOptions) {
    this.#objects = objects;
    this.#keeper = new Keeper((key) => this.#release(key), options);
  }

  start(): this {
    for (const plural of Object.keys(STORAGE_FINALIZERS)) {
      const watched = this.#objects.watched('', plural);
      if (watched === undefined) continue;
      this.#keeper.follow(watched, ({ metadata }, gone) =>
        gone || metadata.deletionTimestamp === undefined
          ? []
          : [`${plural}/${metadata.namespace ?? ''}/${metadata.name}`],
      );
    }
    const pods = this.#objects.watched('', 'pods');
    if (pods !== undefined) this.#keeper.follow(pods, (pod, gone) => (gone ? claimsOf(pod) : []));
    return this;
  }

  stop(): void {
    this.#keeper.stop();
  }

  async #release(key: string): Promise<void> {
    const [plural = '', namespace = '', name = ''] = key.split('/');
    const finalizer = STORAGE_FINALIZERS[plural]!;
    const object = await this.#objects.get('', plural, namespace, name);
    if (object?.metadata.deletionTimestamp === undefined) return;
    const { finalizers = [] } = object.metadata;
    if (!finalizers.includes(finalizer) || (await this.#isInUse(object, key))) return;
    const metadata = { ...object.metadata, finalizers: finalizers.filter((other) => other !== finalizer) };
    const { resource } = this.#objects.watched('', plural)!;
    try {
      await resource.update(this.#keeper.context, namespace, name, { ...object, metadata }, '');
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 404)) throw error;
    }
  }

  async #isInUse(object: KubeObject, key: string): Promise<boolean> {
    if (key.startsWith('persistentvolumes/')) return object.status?.phase === 'Bound';
    const pods = await this.#objects.list('', 'pods', object.metadata.namespace ?? '');
    return pods.some((pod) => Boolean(pod.spec?.nodeName) && claimsOf(pod).includes(key));
  }
}

/** Keys of the claims that a pod mounts. */
function claimsOf(pod: KubeObject): string[] {
  const { namespace = '', name: podName = '' } = pod.metadata;
  const volumes: { name: string; persistentVolumeClaim?: { claimName: string }; ephemeral?: unknown }[] =
    pod.spec?.volumes ?? [];
  return volumes.flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    const claim = persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? undefined : `${podName}-${name}`);
    return claim === undefined ? [] : [`persistentvolumeclaims/${namespace}/${claim}`];
  });
}
