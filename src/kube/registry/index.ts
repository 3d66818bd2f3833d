/** Kube objects in an etcd v3 store: `openRegistry(client).store(spec)`. */
export { decodeStored, encodeStored, jsonOf, withResourceVersion } from './codec.js';
export { COMPACT_KEY } from './compactor.js';
export type {
  EventType,
  ListOptions,
  ObjectFilter,
  ObjectList,
  ObjectStore,
  Preconditions,
  Registry,
  StoreEvent,
  StoreSpec,
  StoreWatch,
  Updated,
  UpdateOptions,
  VersionMatch,
  WatchOptions,
  WatchSink,
} from './object-store.js';
export { checkListQuery, checkWatchQuery, type ListQuery, parseResourceVersion } from './read-point.js';
export { openRegistry, type RegistryOptions } from './registry.js';
export { storeError } from './store-error.js';
export { realTimers, type Timers } from './timers.js';
