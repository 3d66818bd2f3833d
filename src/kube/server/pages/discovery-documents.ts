/** What is served, as documents: per group and version, and the whole in one (apidiscovery.k8s.io). */
import type { Kind, Kinds } from '../../kinds/kind.js';
import { ALL_VERBS } from '../../kinds/kind.js';
import { apiVersionOf } from '../../machinery/object.js';

interface VersionEntry {
  readonly groupVersion: string;
  readonly version: string;
}

/** Groups in discovery's order, each with its versions, preferred first. */
export function groupsOf(kinds: Kinds): Map<string, Map<string, Kind[]>> {
  const groups = new Map<string, Map<string, Kind[]>>();
  for (const kind of kinds.all()) {
    let versions = groups.get(kind.group);
    if (versions === undefined) groups.set(kind.group, (versions = new Map()));
    const resources = versions.get(kind.version);
    if (resources === undefined) versions.set(kind.version, [kind]);
    else resources.push(kind);
  }
  return groups;
}

export function apiVersions(address: string): unknown {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  };
}

export function apiGroupList(kinds: Kinds): unknown {
  const groups = [...groupsOf(kinds)].filter(([name]) => name !== '');
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map(([name, versions]) => groupEntry(name, [...versions.keys()])),
  };
}

/** Undefined if the group is not served. */
export function apiGroup(kinds: Kinds, group: string): unknown {
  const versions = groupsOf(kinds).get(group);
  if (versions === undefined || group === '') return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group, [...versions.keys()]) };
}

function groupEntry(name: string, versions: readonly string[]) {
  const entries: VersionEntry[] = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

/** Undefined if there is no such group and version. */
export function apiResourceList(kinds: Kinds, group: string, version: string): unknown {
  const resources = groupsOf(kinds).get(group)?.get(version);
  if (resources === undefined) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.flatMap(resourceEntries),
  };
}

function resourceEntries(kind: Kind): unknown[] {
  const main = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: [...(kind.verbs ?? ALL_VERBS)].sort(),
    ...(kind.shortNames === undefined ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories === undefined ? {} : { categories: kind.categories }),
    ...(kind.verbs === undefined ? { storageVersionHash: storageHash(kind) } : {}),
  };
  const below = (kind.subresources ?? []).map(({ name, exchanges, verbs }) => ({
    name: `${kind.plural}/${name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(exchanges === undefined ? {} : { group: exchanges.group, version: exchanges.version }),
    kind: exchanges?.kind ?? kind.kind,
    verbs: [...verbs].sort(),
  }));
  return [main, ...below];
}

/** Tells clients whether two versions are stored alike; any text that stays the same will do. */
function storageHash(kind: Kind): string {
  return Buffer.from(`${kind.storedApiVersion ?? apiVersionOf(kind)}/${kind.kind}`)
    .toString('base64')
    .slice(0, 11);
}

/** @param core of /api; else all the others @param version of apidiscovery.k8s.io */
export function aggregatedDiscovery(kinds: Kinds, core: boolean, version: string): unknown {
  const groups = [...groupsOf(kinds)].filter(([name]) => (name === '') === core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(([name, versions]) => ({
      metadata: name === '' ? {} : { name },
      versions: [...versions].map(([v, resources]) => ({
        version: v,
        resources: resources.map(discoveredResource),
        freshness: 'Current',
      })),
    })),
  };
}

function discoveredResource(kind: Kind): unknown {
  const subresources = (kind.subresources ?? []).map(({ name, exchanges, verbs }) => ({
    subresource: name,
    responseKind: exchanges ?? { group: kind.group, version: kind.version, kind: kind.kind },
    verbs: [...verbs].sort(),
  }));
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: [...(kind.verbs ?? ALL_VERBS)].sort(),
    ...(kind.shortNames === undefined ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories === undefined ? {} : { categories: kind.categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}
