import { equalJson } from '../machinery/json-value.js';
import type { KubeObject, ObjectMeta } from '../machinery/object.js';

/** JSON texts that were made once, by the identity of their object: events and lists of a cache are sent many times. */
const remembered = new WeakMap<object, Buffer>();

/** The object as JSON, made once. Only for objects that nobody changes any more (all that come out of a store). */
export function jsonOf(object: object): Buffer {
  let json = remembered.get(object);
  if (json === undefined) {
    json = Buffer.from(JSON.stringify(object));
    remembered.set(object, json);
  }
  return json;
}

/** What is written into the store: JSON with apiVersion and kind in front, without what the store itself knows. */
export function encodeStored(object: KubeObject): Buffer {
  const { apiVersion, kind, metadata, ...rest } = object;
  const { resourceVersion: _, selfLink: __, ...kept } = metadata as ObjectMeta & { selfLink?: string };
  return Buffer.from(JSON.stringify({ apiVersion, kind, metadata: kept, ...rest }));
}

/**
 * @param revision the key's mod revision: it becomes the resourceVersion
 * @throws SyntaxError or TypeError for bytes that are no stored object
 */
export function decodeStored(value: Buffer, revision: number): KubeObject {
  const object = JSON.parse(value.toString('utf8')) as KubeObject;
  if (
    typeof object !== 'object' ||
    object === null ||
    typeof object.metadata !== 'object' ||
    object.metadata === null
  ) {
    throw new TypeError('not an object with metadata');
  }
  object.metadata.resourceVersion = String(revision);
  return object;
}

/** The same object as of another revision; the given one stays as it is. */
export function withResourceVersion(object: KubeObject, revision: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

/** Equal but for the revision: writing the one over the other would change nothing. */
export function sameStored(a: KubeObject, b: KubeObject): boolean {
  const without = (object: KubeObject) => {
    const { metadata, ...rest } = object;
    const { resourceVersion: _, selfLink: __, ...kept } = metadata as ObjectMeta & { selfLink?: string };
    return { ...rest, metadata: kept };
  };
  return equalJson(without(a), without(b));
}
