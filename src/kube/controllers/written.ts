/** What a loop has written itself, in front of an informer that may not have heard of it yet. */
import type { Informer } from '../kit/api.js';
import { keyOf } from '../kit/informer.js';
import type { KubeObject } from '../machinery/object.js';

export class Written {
  readonly #informer: Informer;
  /** By key; null: deleted by us, with the uid that it had. */
  readonly #notes = new Map<string, { object: KubeObject | null; uid: string }>();
  readonly #unfollow: () => void;

  constructor(informer: Informer) {
    this.#informer = informer;
    const seen = (object: KubeObject) => this.#seen(object, false);
    this.#unfollow = informer.onChange({
      add: seen,
      update: (_, object) => seen(object),
      delete: (object) => this.#seen(object, true),
    });
  }

  stop(): void {
    this.#unfollow();
  }

  /** As the server answered. */
  put(object: KubeObject): void {
    this.#notes.set(keyOf(object), { object, uid: object.metadata.uid ?? '' });
    const known = this.#informer.get(object.metadata.namespace ?? '', object.metadata.name ?? '');
    if (known !== undefined) this.#seen(known, false);
  }

  removed(object: KubeObject): void {
    const key = keyOf(object);
    const known = this.#informer.get(object.metadata.namespace ?? '', object.metadata.name ?? '');
    if (known === undefined) this.#notes.delete(key);
    else this.#notes.set(key, { object: null, uid: object.metadata.uid ?? '' });
  }

  /** The informer's objects of a namespace that `belongs` takes, with ours in their place. */
  list(namespace: string, belongs: (object: KubeObject) => boolean): KubeObject[] {
    const objects = this.#informer.list(namespace).filter((object) => !this.#notes.has(keyOf(object)));
    for (const { object } of this.#notes.values()) {
      if (object !== null && object.metadata.namespace === namespace) objects.push(object);
    }
    return objects.filter(belongs);
  }

  #seen(object: KubeObject, isDeleted: boolean): void {
    const key = keyOf(object);
    const note = this.#notes.get(key);
    if (note === undefined) return;
    const { uid = '', resourceVersion = '0' } = object.metadata;
    if (isDeleted) {
      if (uid === note.uid) this.#notes.delete(key);
      return;
    }
    const isNewer =
      Number(resourceVersion) >= Number(note.object?.metadata.resourceVersion ?? Number.POSITIVE_INFINITY);
    if (isNewer || uid !== note.uid) this.#notes.delete(key);
  }
}
