/**
 * Keeps the status of ResourceQuotas: counts when a quota is new or changed, when something it counts went or shrank,
 * and every few minutes. A keeper, until there are controllers.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Kinds, ObjectReader } from '../kinds/kind.js';
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { KeeperOptions } from '../rest/keeper.js';
import { Keeper } from '../rest/keeper.js';
import type { CachedReader } from './cached-reader.js';
import type { PendingCharges } from './pending-charges.js';
import { countedKinds, isCounted, recount } from './quota-recount.js';
import { usageOf } from './quota-usage.js';

const RESYNC_MS = 5 * 60_000;
/** Things often go together: they are counted once. */
const GATHER_MS = 50;

export class QuotaKeeper {
  readonly #kinds: Kinds;
  readonly #cached: CachedReader;
  readonly #live: ObjectReader;
  readonly #pending: PendingCharges;
  readonly #keeper: Keeper;
  readonly #followed = new Set<string>();
  readonly #unfollow: (() => void)[] = [];

  /** @param pending shared with the plug-in that charges */
  constructor(kinds: Kinds, cached: CachedReader, live: ObjectReader, pending: PendingCharges, options: KeeperOptions) {
    this.#pending = pending;
    this.#kinds = kinds;
    this.#cached = cached;
    this.#live = live;
    this.#keeper = new Keeper((key) => this.#count(key), options);
  }

  start(): this {
    const quotas = this.#cached.watched('', 'resourcequotas');
    if (quotas === undefined) throw new TypeError('no kind resourcequotas');
    this.#keeper.follow(quotas, (quota, gone) => {
      if (gone) return [];
      for (const key of countedKinds(quota)) this.#follow(key);
      return isCounted(quota) ? [] : [keyOf(quota)];
    });
    return this;
  }

  stop(): void {
    this.#keeper.stop();
    for (const unfollow of this.#unfollow.splice(0)) unfollow();
  }

  #follow(key: string): void {
    const slash = key.indexOf('/');
    const [group, plural] = [key.slice(0, slash), key.slice(slash + 1)];
    const kind = this.#kinds.findResource(group, plural);
    const watched = this.#cached.watched(group, plural);
    if (kind === undefined || watched === undefined || this.#followed.has(key)) return;
    this.#followed.add(key);
    this.#unfollow.push(
      watched.onChange((object, old) => {
        if (object !== null) this.#pending.settle(object);
        if (old === null) return; // charged by the plug-in
        if (object !== null && isDeepStrictEqual(usageOf(kind, object), usageOf(kind, old))) return;
        this.#countNamespace(old.metadata.namespace ?? '', key);
      }),
    );
  }

  #countNamespace(namespace: string, kind: string): void {
    const quotas = this.#cached.watched('', 'resourcequotas');
    for (const quota of quotas?.list(namespace) ?? []) {
      if (countedKinds(quota).has(kind)) this.#keeper.addLater(keyOf(quota), GATHER_MS);
    }
  }

  async #count(key: string): Promise<number | undefined> {
    const [namespace = '', name = ''] = key.split('/');
    const quota = await this.#live.get('', 'resourcequotas', namespace, name);
    if (quota === null) return undefined;
    const status = await recount(quota, this.#kinds, this.#live, this.#pending);
    if (isDeepStrictEqual(status, quota.status)) return RESYNC_MS;
    const { resource } = this.#cached.watched('', 'resourcequotas')!;
    try {
      // Compares the resourceVersion that was read before counting: a charge in between makes this a conflict.
      await resource.update(this.#keeper.context, namespace, name, { ...quota, status }, 'status');
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 404)) throw error;
    }
    return RESYNC_MS;
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
