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

/** A copy that shares nothing with it. */
export function cloneObject<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneObject) as T;
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    if (name === '__proto__')
      Object.defineProperty(copy, name, {
        value: cloneObject(member),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    else copy[name] = cloneObject(member);
  }
  return copy as T;
}

/** Equal as JSON, whatever the order of members; a member that is undefined is not there. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((value, i) => sameJson(value, b[i]));
  }
  if (Array.isArray(b)) return false;
  let members = 0;
  for (const name of Object.keys(a)) {
    const value = (a as Record<string, unknown>)[name];
    if (value === undefined) continue;
    if (!sameJson(value, (b as Record<string, unknown>)[name])) return false;
    members++;
  }
  for (const name of Object.keys(b)) if ((b as Record<string, unknown>)[name] !== undefined) members--;
  return members === 0;
}

/** Equal but for the revision: writing the one over the other would change nothing. */
export function sameStored(a: KubeObject, b: KubeObject): boolean {
  const without = (object: KubeObject) => {
    const { metadata, ...rest } = object;
    const { resourceVersion: _, selfLink: __, ...kept } = metadata as ObjectMeta & { selfLink?: string };
    return { ...rest, metadata: kept };
  };
  return sameJson(without(a), without(b));
}
