/** Fills in what containers leave out and refuses what the LimitRanges of a namespace do not allow. */
import type { ObjectReader } from '../kinds/kind.js';
import { forbidden } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import { aboveMaximum, aboveMaximumRequest, aboveRatio, belowMinimum } from './limit-check.js';
import type { Container } from './pod.js';
import { containersOf, initContainersOf, isPod } from './pod.js';
import { podLimits, podRequests } from './pod-resources.js';
import type { Amounts } from './resource-amounts.js';
import { amountsOf, NONE } from './resource-amounts.js';

type Resources = Record<string, string | number>;

interface LimitItem {
  type: string;
  max?: Resources;
  min?: Resources;
  default?: Resources;
  defaultRequest?: Resources;
  maxLimitRequestRatio?: Resources;
}

const ANNOTATION = 'kubernetes.io/limit-ranger';

export class LimitRanger implements AdmissionPlugin {
  readonly name = 'LimitRanger';
  readonly #cached: ObjectReader;

  constructor(cached: ObjectReader) {
    this.#cached = cached;
  }

  async admit(request: AdmissionRequest): Promise<void> {
    const { object: pod, operation } = request;
    // The resources of containers do not change once they are there.
    if (!isPod(request) || operation !== 'CREATE' || pod === null) return;
    for (const item of await this.#items(request.namespace)) if (item.type === 'Container') fill(pod, item);
  }

  async validate(request: AdmissionRequest): Promise<void> {
    const { kind, object, operation, namespace, subresource, name } = request;
    if (object === null || kind.group !== '' || subresource !== '') return;
    const check = kind.plural === 'pods' ? checkPod : kind.plural === 'persistentvolumeclaims' ? checkClaim : null;
    if (check === null || !(operation === 'CREATE' || (operation === 'UPDATE' && check === checkClaim))) return;
    const wrong = (await this.#items(namespace)).flatMap((item) => check(object, item));
    if (wrong.length === 0) return;
    const distinct = [...new Set(wrong)];
    throw forbidden(kind, name, distinct.length === 1 ? distinct[0]! : `[${distinct.join(', ')}]`);
  }

  async #items(namespace: string): Promise<LimitItem[]> {
    const ranges = await this.#cached.list('', 'limitranges', namespace);
    return ranges.flatMap((range) => (range.spec?.limits ?? []) as LimitItem[]);
  }
}

/** Says in an annotation what it filled in: nobody asked for it. */
function fill(pod: KubeObject, { default: limits = {}, defaultRequest: requests = {} }: LimitItem): void {
  const notes: string[] = [];
  const each = (containers: readonly Container[], called: string) => {
    for (const container of containers) {
      const resources = (container.resources ??= {});
      const filled: readonly (readonly [string, string[]])[] = [
        ['request', fillList(resources, 'requests', requests)],
        ['limit', fillList(resources, 'limits', limits)],
      ];
      for (const [what, names] of filled) {
        if (names.length > 0) notes.push(`${names.join(', ')} ${what} for ${called} ${container.name}`);
      }
    }
  };
  each(containersOf(pod), 'container');
  each(initContainersOf(pod), 'init container');
  if (notes.length === 0) return;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}`,
  };
}

function fillList(resources: NonNullable<Container['resources']>, member: 'requests' | 'limits', given: Resources) {
  const names = Object.keys(given).filter((name) => resources[member]?.[name] === undefined);
  if (names.length === 0) return [];
  const more = Object.fromEntries(names.map((name) => [name, given[name]!]));
  resources[member] = { ...resources[member], ...more };
  return names.sort();
}

function checkPod(pod: KubeObject, item: LimitItem): string[] {
  if (item.type === 'Pod') return checkUsage(item, podRequests(pod), podLimits(pod));
  if (item.type !== 'Container') return [];
  return [...containersOf(pod), ...initContainersOf(pod)].flatMap(({ resources }) =>
    checkUsage(item, amountsOf(resources?.requests), amountsOf(resources?.limits)),
  );
}

function checkUsage(item: LimitItem, requests: Amounts, limits: Amounts): string[] {
  const { type } = item;
  return [
    ...each(item.min, (resource, enforced) => belowMinimum({ type, resource, enforced }, requests, limits)),
    ...each(item.max, (resource, enforced) => aboveMaximum({ type, resource, enforced }, requests, limits)),
    ...each(item.maxLimitRequestRatio, (resource, enforced) =>
      aboveRatio({ type, resource, enforced }, requests, limits),
    ),
  ];
}

function checkClaim(claim: KubeObject, item: LimitItem): string[] {
  const { type } = item;
  if (type !== 'PersistentVolumeClaim') return [];
  const requests = amountsOf(claim.spec?.resources?.requests);
  return [
    ...each(item.min, (resource, enforced) => belowMinimum({ type, resource, enforced }, requests, NONE)),
    ...each(item.max, (resource, enforced) => aboveMaximumRequest({ type, resource, enforced }, requests)),
  ];
}

function each(
  bounds: Resources | undefined,
  check: (resource: string, enforced: ReturnType<Amounts['get']> & object) => string | null,
): string[] {
  const wrong: string[] = [];
  for (const [resource, enforced] of [...amountsOf(bounds)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = check(resource, enforced);
    if (text !== null) wrong.push(text);
  }
  return wrong;
}
