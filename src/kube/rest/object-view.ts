import type { Kind } from '../kinds/kind.js';
import { copyJson, equalJson } from '../machinery/json-value.js';
import type { KubeObject } from '../machinery/object.js';
import { apiVersionOf } from '../machinery/object.js';
import type { StoreEvent, StoreSpec } from '../registry/index.js';

/** What the registry must know of a kind. */
export function storeSpecOf(kind: Kind): StoreSpec {
  return {
    dir: kind.storageDir,
    apiVersion: kind.storedApiVersion ?? apiVersionOf(kind),
    kind: kind.kind,
    group: kind.group,
    plural: kind.plural,
    namespaced: kind.namespaced,
    ...(kind.ttlSeconds === undefined ? {} : { ttlSeconds: kind.ttlSeconds }),
  };
}

/**
 * Stored objects as one kind shows them: in its version, with its defaults. Objects of the store are shared, so what
 * is made of one is made once and shared, too; where nothing differs it is the stored object itself.
 */
export class ObjectView {
  readonly #kind: Kind;
  readonly #apiVersion: string;
  readonly #storedApiVersion: string;
  readonly #shown = new WeakMap<KubeObject, KubeObject>();
  readonly #events = new WeakMap<StoreEvent, StoreEvent>();

  constructor(kind: Kind) {
    this.#kind = kind;
    this.#apiVersion = apiVersionOf(kind);
    this.#storedApiVersion = kind.storedApiVersion ?? this.#apiVersion;
  }

  /** Shared, as its argument is. */
  of(stored: KubeObject): KubeObject {
    let shown = this.#shown.get(stored);
    if (shown === undefined) {
      shown = this.#show(stored);
      this.#shown.set(stored, shown);
    }
    return shown;
  }

  event(event: StoreEvent): StoreEvent {
    if (event.type === 'BOOKMARK') return this.#bookmark(event);
    const object = this.of(event.object);
    if (object === event.object) return event;
    let shown = this.#events.get(event);
    if (shown === undefined) {
      shown = { ...event, object };
      this.#events.set(event, shown);
    }
    return shown;
  }

  /** What is to be stored; shares with its argument. */
  stored(object: KubeObject): KubeObject {
    const stored = this.#kind.toStored?.(object) ?? object;
    return stored.apiVersion === this.#storedApiVersion ? stored : { ...stored, apiVersion: this.#storedApiVersion };
  }

  #show(stored: KubeObject): KubeObject {
    const { fromStored, setDefaults, kind } = this.#kind;
    let object = fromStored?.(stored) ?? stored;
    if (object.apiVersion !== this.#apiVersion || object.kind !== kind) {
      object = { ...object, apiVersion: this.#apiVersion, kind };
    }
    if (setDefaults === undefined) return object;
    const full = copyJson(object);
    setDefaults(full);
    return equalJson(full, object) ? object : full;
  }

  #bookmark(event: StoreEvent): StoreEvent {
    const { metadata } = event.object;
    return { ...event, object: { kind: this.#kind.kind, apiVersion: this.#apiVersion, metadata } };
  }
}
