/**
 * Charges each new object to the quotas of its namespace before it is written, and refuses what goes over. The charge
 * is a compare-and-swap of the quota's status.used, so that servers do not overdraw together; it is taken back if the
 * write does not come about. Source: kubernetes resource quotas.
 */
import type { Kind, Kinds, ObjectReader } from '../kinds/kind.js';
import { ApiError, conflict, forbidden } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import { compareQuantities } from '../machinery/quantity.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import { serverContext } from '../rest/keeper.js';
import type { Resources } from '../rest/resource.js';
import type { PendingCharges } from './pending-charges.js';
import { isCounted, recount } from './quota-recount.js';
import { inScope, unspecified, usageOf } from './quota-usage.js';
import type { Amounts } from './resource-amounts.js';
import { add, amountsOf, amountsText, listOf, only, subtractToZero } from './resource-amounts.js';

const QUOTAS = { group: '', plural: 'resourcequotas' };
const ATTEMPTS = 10;

export interface ResourceQuotaOptions {
  readonly kinds: Kinds;
  readonly resources: Resources;
  readonly cached: ObjectReader;
  readonly live: ObjectReader;
  /** Shared with whoever recounts. */
  readonly pending: PendingCharges;
}

export class ResourceQuotaPlugin implements AdmissionPlugin {
  readonly name = 'ResourceQuota';
  readonly #options: ResourceQuotaOptions;
  readonly #context = serverContext('resource-quota');
  /** Charges of one namespace go one after another: those of this server never conflict among themselves. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** As we wrote them last: the cache hears of it later. By namespace and name. */
  readonly #written = new Map<string, KubeObject>();

  constructor(options: ResourceQuotaOptions) {
    this.#options = options;
  }

  async validate(request: AdmissionRequest): Promise<void> {
    const { kind, operation, object, oldObject, namespace, subresource } = request;
    if (object === null || !kind.namespaced || namespace === '' || subresource !== '') return;
    if ((operation !== 'CREATE' && operation !== 'UPDATE') || kind.plural === 'events') return;
    const quotas = await this.#options.cached.list(QUOTAS.group, QUOTAS.plural, namespace);
    if (quotas.length === 0) return;
    const usage = usageOf(kind, object);
    const more = oldObject === null ? usage : subtractToZero(usage, usageOf(kind, oldObject));
    const charge = only(more, (_name, amount) => amount.nanos > 0n);
    if (charge.size === 0) return;
    const concerned = quotas.filter((quota) => limits(quota, usage) && inScope(quota, kind, object));
    for (const quota of concerned) mustSpecify(quota, request, kind, object);
    if (concerned.length > 0) await this.#inTurn(namespace, () => this.#charge(request, concerned, charge));
  }

  #inTurn<T>(namespace: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(namespace) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(namespace) === settled) this.#turns.delete(namespace);
      });
    this.#turns.set(namespace, settled);
    return turn;
  }

  /** All or nothing. */
  async #charge(request: AdmissionRequest, quotas: readonly KubeObject[], charge: Amounts): Promise<void> {
    const charged: KubeObject[] = [];
    try {
      for (const quota of quotas) {
        await this.#chargeOne(request, quota, charge);
        charged.push(quota);
      }
    } catch (error) {
      if (!request.dryRun) for (const quota of charged) await this.#giveBack(quota, charge);
      throw error;
    }
    if (request.dryRun) return;
    const { namespace, object, operation } = request;
    const { pending } = this.#options;
    const uid = object?.metadata.uid;
    if (operation === 'CREATE' && uid !== undefined) pending.add(uid, charged.map(keyOf), charge);
    const undo = async () => {
      if (object !== null) pending.settle(object);
      await this.#inTurn(namespace, async () => {
        for (const quota of charged) await this.#giveBack(quota, charge);
      });
    };
    request.onFailure?.(undo);
  }

  async #chargeOne(request: AdmissionRequest, cached: KubeObject, charge: Amounts): Promise<void> {
    let quota: KubeObject | null = this.#newest(cached);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (quota === null) return; // deleted meanwhile: it limits nothing
      const status = isCounted(quota) ? quota.status : await this.#recounted(quota);
      const hard = amountsOf(quota.spec?.hard);
      const used = amountsOf(status.used);
      const mine = only(charge, (name) => hard.has(name));
      const after = add(used, mine);
      const over = only(mine, (name) => compareQuantities(after.get(name)!, hard.get(name)!) > 0);
      if (over.size > 0) {
        // Something may have been given back that we have not heard of: the last word has the store.
        const latest: KubeObject | null = attempt === 0 ? await this.#latest(quota) : quota;
        if (latest?.metadata.resourceVersion === quota.metadata.resourceVersion) {
          throw exceeded(request, quota, over, used, hard);
        }
        quota = latest;
        continue;
      }
      if (request.dryRun || (await this.#write(quota, { hard: listOf(hard), used: listOf(after) }))) return;
      quota = await this.#latest(quota);
    }
    throw conflict(QUOTAS, cached.metadata.name ?? '');
  }

  /** Never fails: what could not be given back is found by the next recount. */
  async #giveBack(cached: KubeObject, charge: Amounts): Promise<void> {
    try {
      let quota: KubeObject | null = this.#newest(cached);
      for (let attempt = 0; attempt < ATTEMPTS && quota !== null; attempt++) {
        const used = amountsOf(quota.status?.used);
        const left = subtractToZero(
          used,
          only(charge, (name) => used.has(name)),
        );
        if (await this.#write(quota, { ...quota.status, used: listOf(left) })) return;
        quota = await this.#latest(quota);
      }
    } catch {
      // As said: a recount puts it right.
    }
  }

  async #recounted(quota: KubeObject) {
    return recount(quota, this.#options.kinds, this.#options.live, this.#options.pending);
  }

  #newest(cached: KubeObject): KubeObject {
    const written = this.#written.get(keyOf(cached));
    if (written === undefined || written.metadata.uid !== cached.metadata.uid) return cached;
    return Number(written.metadata.resourceVersion) > Number(cached.metadata.resourceVersion) ? written : cached;
  }

  #latest({ metadata }: KubeObject): Promise<KubeObject | null> {
    return this.#options.live.get(QUOTAS.group, QUOTAS.plural, metadata.namespace ?? '', metadata.name ?? '');
  }

  /** @returns false if the quota is another by now */
  async #write(quota: KubeObject, status: unknown): Promise<boolean> {
    const kind = this.#options.kinds.findResource(QUOTAS.group, QUOTAS.plural)!;
    const { namespace = '', name = '' } = quota.metadata;
    try {
      const resource = this.#options.resources.of(kind);
      const { object } = await resource.update(this.#context, namespace, name, { ...quota, status }, 'status');
      this.#written.set(keyOf(quota), object);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || (error.code !== 409 && error.code !== 404)) throw error;
      this.#written.delete(keyOf(quota));
      return false;
    }
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function limits(quota: KubeObject, usage: Amounts): boolean {
  return Object.keys(quota.spec?.hard ?? {}).some((name) => usage.has(name) || isCompute(name));
}

/** Of these an object may use nothing and the quota is still about it: it has to say so. */
function isCompute(name: string): boolean {
  return /^((requests|limits)\.)?(cpu|memory)$/.test(name);
}

function mustSpecify(quota: KubeObject, request: AdmissionRequest, kind: Kind, object: KubeObject): void {
  if (kind.group !== '' || kind.plural !== 'pods' || request.operation !== 'CREATE') return;
  const missing = unspecified(object, Object.keys(quota.spec?.hard ?? {}));
  if (missing.length === 0) return;
  throw forbidden(kind, request.name, `failed quota: ${quota.metadata.name}: must specify ${missing.join(',')}`);
}

function exceeded({ kind, name }: AdmissionRequest, quota: KubeObject, over: Amounts, used: Amounts, hard: Amounts) {
  const those = (amounts: Amounts) => amountsText(only(amounts, (resource) => over.has(resource)));
  const why = `exceeded quota: ${quota.metadata.name}, requested: ${those(over)}, used: ${those(used)}, limited: ${those(hard)}`;
  return forbidden(kind, name, why);
}
