import type { Kind, Kinds } from '../kinds/kind.js';
import type { Registry } from '../registry/index.js';
import type { Admission } from './admission.js';
import { GenericResource } from './generic-resource.js';
import { LiveReader } from './live-reader.js';
import { ObjectView, storeSpecOf } from './object-view.js';
import type { Resource, Resources } from './resource.js';

export interface ResourcesOptions {
  readonly registry: Registry;
  /** What hooks may read. */
  readonly kinds: Kinds;
  readonly admission: Admission;
  /** ms since the epoch. Default Date.now. */
  readonly now?: () => number;
}

/** The resources of all kinds over one registry, each made at the first call. */
export function openResources(options: ResourcesOptions): Resources {
  const { registry, admission, now = Date.now } = options;
  const made = new WeakMap<Kind, Resource>();
  const resources: Resources = {
    of(kind) {
      let resource = made.get(kind);
      if (resource === undefined) {
        const store = registry.store(storeSpecOf(kind));
        const tools = { kind, admission, objects, now };
        resource = new GenericResource(tools, store, new ObjectView(kind));
        made.set(kind, resource);
      }
      return resource;
    },
  };
  const objects = new LiveReader(options.kinds, resources);
  return resources;
}
