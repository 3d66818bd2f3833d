/** The same object in another version of its kind: what a webhook with matchPolicy Equivalent may be shown. */
import type { Kind, Kinds } from '../kinds/kind.js';
import { copyJson } from '../machinery/json-value.js';
import type { KubeObject } from '../machinery/object.js';
import { apiVersionOf } from '../machinery/object.js';

/** Kinds that store the same objects, but for the one that is asked for. */
export function equivalents(kinds: Kinds, kind: Kind): Kind[] {
  return kinds.all().filter((other) => other !== kind && other.storageDir === kind.storageDir);
}

/** By way of the stored form. The argument stays as it is; with the same kind it is the argument itself. */
export function converted(object: KubeObject, from: Kind, to: Kind): KubeObject {
  if (from === to) return object;
  const copy = copyJson(object);
  const stored = from.toStored?.(copy) ?? copy;
  const shown = copyJson(to.fromStored?.(stored) ?? stored);
  shown.apiVersion = apiVersionOf(to);
  shown.kind = to.kind;
  to.setDefaults?.(shown);
  return shown;
}

/** Members of `object` become those of `other`: whoever holds the object itself sees the change. */
export function replaceMembers(object: KubeObject, other: KubeObject): void {
  for (const member of Object.keys(object)) delete object[member];
  Object.assign(object, other);
}
