/** Counts anew what a quota's namespace uses. */
import type { Kinds, ObjectReader } from '../kinds/kind.js';
import type { KubeObject } from '../machinery/object.js';
import type { PendingCharges } from './pending-charges.js';
import { inScope, kindsCountedBy, usageOf } from './quota-usage.js';
import type { Amounts } from './resource-amounts.js';
import { add, amountsOf, listOf, only, whole } from './resource-amounts.js';

export interface QuotaStatus {
  hard: Record<string, string>;
  used: Record<string, string>;
}

/** Kinds, as `group/plural`, that the quota counts objects of. */
export function countedKinds(quota: KubeObject): Set<string> {
  const names = Object.keys(quota.spec?.hard ?? {});
  return new Set(names.flatMap(kindsCountedBy).map(({ group, plural }) => `${group}/${plural}`));
}

/**
 * @param objects live ones: what was just made has to be seen
 * @param pending what is charged and not written yet
 */
export async function recount(
  quota: KubeObject,
  kinds: Kinds,
  objects: ObjectReader,
  pending: PendingCharges,
): Promise<QuotaStatus> {
  const hard = amountsOf(quota.spec?.hard);
  let used: Amounts = new Map([...hard.keys()].map((name) => [name, whole(0)]));
  const counted = new Set<string>();
  const { namespace = '', name = '' } = quota.metadata;
  for (const key of countedKinds(quota)) {
    const slash = key.indexOf('/');
    const kind = kinds.findResource(key.slice(0, slash), key.slice(slash + 1));
    if (kind === undefined) continue;
    for (const object of await objects.list(kind.group, kind.plural, namespace)) {
      counted.add(object.metadata.uid ?? '');
      if (inScope(quota, kind, object))
        used = add(
          used,
          only(usageOf(kind, object), (name) => hard.has(name)),
        );
    }
  }
  used = add(
    used,
    only(pending.of(`${namespace}/${name}`, counted), (resource) => hard.has(resource)),
  );
  return { hard: listOf(hard), used: listOf(used) };
}

/** Has somebody counted for the limits of now? */
export function isCounted({ spec, status }: KubeObject): boolean {
  const hard = amountsOf(spec?.hard);
  const known = amountsOf(status?.hard);
  return [...hard].every(
    ([name, amount]) => known.get(name)?.nanos === amount.nanos && status?.used?.[name] !== undefined,
  );
}
