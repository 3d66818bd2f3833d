/** What a server serves, as a client finds out: one entry a resource, in its group's preferred version. */
import { parseApiVersion } from '../machinery/object.js';
import type { ApiClient, Gvr } from './api.js';

export interface ServedResource {
  readonly gvr: Gvr;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

export interface DiscoveredResources {
  readonly resources: readonly ServedResource[];
  /** `<group version>: why`, of those that did not answer; their resources are missing. */
  readonly failures: readonly string[];
}

interface GroupList {
  readonly groups?: readonly {
    readonly versions: readonly { readonly groupVersion: string }[];
    readonly preferredVersion?: { readonly groupVersion: string };
  }[];
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

/** @throws when not even the groups can be read */
export async function discoverResources(client: ApiClient): Promise<DiscoveredResources> {
  const groups = await client.raw('GET', '/apis');
  if (groups.status !== 200) throw new Error(`GET /apis: status ${groups.status}`);
  const failures: string[] = [];
  const found = new Map<string, ServedResource>();
  const read = async (groupVersion: string): Promise<void> => {
    const path = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
    try {
      const { status, body } = await client.raw('GET', path);
      if (status !== 200) throw new Error(`status ${status}`);
      const { group, version } = parseApiVersion(groupVersion);
      for (const { name, kind, namespaced, verbs } of (body as ResourceList).resources ?? []) {
        const at = `${group}/${name}`;
        if (name.includes('/') || found.has(at)) continue;
        found.set(at, { gvr: { group, version, plural: name }, kind, namespaced, verbs });
      }
    } catch (err) {
      failures.push(`${groupVersion}: ${(err as Error).message}`);
    }
  };
  const preferred: string[] = ['v1'];
  const others: string[] = [];
  for (const { versions, preferredVersion } of (groups.body as GroupList).groups ?? []) {
    const first = preferredVersion?.groupVersion ?? versions[0]?.groupVersion;
    if (first !== undefined) preferred.push(first);
    for (const { groupVersion } of versions) if (groupVersion !== first) others.push(groupVersion);
  }
  await Promise.all(preferred.map(read));
  // One by one: what is served in several of them counts in the first.
  for (const groupVersion of others) await read(groupVersion);
  return { resources: [...found.values()], failures };
}
