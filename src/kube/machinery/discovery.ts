/**
 * Discovery: what is served, in the legacy form (a document a group version) and the aggregated one (one document for
 * all of `/api` or `/apis`). Made once for a list of kinds; when the list changes, make another.
 */
import type { KubeDocument } from './document.js';
import { jsonDocument } from './document.js';
import type { GroupVersion } from './object.js';
import { apiVersionOf } from './object.js';
import type { ServedKind, ServedSubresource } from './served-kind.js';
import { compareGroups, compareVersions, verbsOf } from './served-kind.js';

/** A line of an APIResourceList. */
export interface ApiResource {
  /** `pods`, `pods/log`. */
  readonly name: string;
  /** Empty for a subresource. */
  readonly singularName: string;
  readonly namespaced: boolean;
  /** Of what is exchanged, when it differs from the list's. */
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** A group version that another server serves, as its own discovery tells. */
export interface RemoteVersion extends GroupVersion {
  /** That server does not answer; the resources are those it had, or none. */
  readonly stale: boolean;
  readonly resources: readonly ApiResource[];
}

interface VersionEntry {
  readonly version: string;
  readonly stale: boolean;
  readonly resources: ApiResource[];
}

export class Discovery {
  /** By group, in their order; versions of each with the preferred one first. */
  readonly #groups: ReadonlyMap<string, readonly VersionEntry[]>;
  readonly #made = new Map<string, KubeDocument>();

  /** @param kinds in the order that the resources of each version shall have */
  constructor(kinds: readonly ServedKind[], remote: readonly RemoteVersion[] = []) {
    this.#groups = grouped(kinds, remote);
  }

  /** `/api`. @param address host:port at which clients reach the server */
  coreVersions(address: string): KubeDocument {
    return this.#once(`/api ${address}`, () => ({
      kind: 'APIVersions',
      versions: (this.#groups.get('') ?? []).map((entry) => entry.version),
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
    })) as KubeDocument;
  }

  /** `/apis`. */
  groupList(): KubeDocument {
    const names = [...this.#groups.keys()].filter((name) => name !== '');
    return this.#once('/apis', () => ({
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: names.map((name) => this.#group(name)),
    })) as KubeDocument;
  }

  /** `/apis/{group}`, or undefined if the group is not served. */
  group(name: string): KubeDocument | undefined {
    if (name === '' || !this.#groups.has(name)) return undefined;
    return this.#once(`/apis/${name}`, () => ({ kind: 'APIGroup', apiVersion: 'v1', ...this.#group(name) }));
  }

  /** `/api/v1`, `/apis/{group}/{version}`, or undefined if it is not served. */
  resourceList(group: string, version: string): KubeDocument | undefined {
    const entry = this.#groups.get(group)?.find((v) => v.version === version);
    if (entry === undefined) return undefined;
    const groupVersion = apiVersionOf({ group, version });
    return this.#once(`list ${groupVersion}`, () => ({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion,
      resources: entry.resources,
    }));
  }

  /**
   * An APIGroupDiscoveryList.
   * @param core `/api` rather than `/apis`
   * @param version of apidiscovery.k8s.io
   */
  aggregated(core: boolean, version: 'v2' | 'v2beta1'): KubeDocument {
    const names = [...this.#groups.keys()].filter((name) => (name === '') === core);
    return this.#once(`aggregated ${core} ${version}`, () => ({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: names.map((name) => this.#aggregatedGroup(name)),
    })) as KubeDocument;
  }

  #once(key: string, make: () => unknown): KubeDocument {
    let made = this.#made.get(key);
    if (made === undefined) this.#made.set(key, (made = jsonDocument(make())));
    return made;
  }

  #group(name: string): object {
    const versions = (this.#groups.get(name) ?? []).map(({ version }) => ({
      groupVersion: apiVersionOf({ group: name, version }),
      version,
    }));
    return { name, versions, preferredVersion: versions[0] };
  }

  #aggregatedGroup(name: string): object {
    const versions = (this.#groups.get(name) ?? []).map((entry) => ({
      version: entry.version,
      resources: aggregatedResources(entry.resources, { group: name, version: entry.version }),
      freshness: entry.stale ? 'Stale' : 'Current',
    }));
    return { metadata: name === '' ? {} : { name }, versions };
  }
}

function grouped(kinds: readonly ServedKind[], remote: readonly RemoteVersion[]): Map<string, VersionEntry[]> {
  const groups = new Map<string, VersionEntry[]>();
  const entryOf = ({ group, version }: GroupVersion, stale: boolean): VersionEntry => {
    const versions = groups.get(group) ?? [];
    groups.set(group, versions);
    let entry = versions.find((v) => v.version === version);
    if (entry === undefined) versions.push((entry = { version, stale, resources: [] }));
    return entry;
  };
  for (const kind of kinds) entryOf(kind, false).resources.push(...resourcesOf(kind));
  for (const version of remote) entryOf(version, version.stale).resources.push(...version.resources);
  for (const versions of groups.values()) versions.sort((a, b) => compareVersions(a.version, b.version));
  return new Map([...groups].sort(([a], [b]) => compareGroups(a, b)));
}

function resourcesOf(kind: ServedKind): ApiResource[] {
  const { shortNames, categories } = kind;
  return [
    {
      name: kind.plural,
      singularName: kind.singular,
      namespaced: kind.namespaced,
      kind: kind.kind,
      verbs: [...verbsOf(kind)].sort(),
      ...(shortNames === undefined ? {} : { shortNames }),
      ...(categories === undefined ? {} : { categories }),
    },
    ...(kind.subresources ?? []).map((subresource) => subresourceOf(kind, subresource)),
  ];
}

function subresourceOf(kind: ServedKind, { name, exchanges, verbs }: ServedSubresource): ApiResource {
  const foreign = exchanges !== undefined && (exchanges.group !== kind.group || exchanges.version !== kind.version);
  return {
    name: `${kind.plural}/${name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(foreign ? { group: exchanges.group, version: exchanges.version } : {}),
    kind: exchanges?.kind ?? kind.kind,
    verbs: [...verbs].sort(),
  };
}

/** Subresources move into their resources. */
function aggregatedResources(resources: readonly ApiResource[], of: GroupVersion): object[] {
  const found = new Map<string, { subresources?: object[] }>();
  for (const { name, singularName, namespaced, group, version, kind, verbs, ...names } of resources) {
    const [resource = name, subresource] = name.split('/', 2);
    const responseKind = { group: group ?? of.group, version: version ?? of.version, kind };
    if (subresource === undefined) {
      const scope = namespaced ? 'Namespaced' : 'Cluster';
      found.set(name, { resource, responseKind, scope, singularResource: singularName, verbs, ...names } as object);
    } else {
      const owner = found.get(resource);
      if (owner !== undefined) (owner.subresources ??= []).push({ subresource, responseKind, verbs });
    }
  }
  return [...found.values()];
}
