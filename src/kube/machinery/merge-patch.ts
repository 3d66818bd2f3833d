/** JSON merge patch. Source: RFC 7386. */
import { getMember, isJsonObject, setMember } from './json-value.js';
import type { JsonObject, JsonValue } from './object.js';

/**
 * The target with the patch merged in: objects merge member by member, null removes, everything else replaces.
 * Neither argument is changed; the result shares what it can with both.
 */
export function applyMergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const result: JsonObject = { ...target };
  for (const name of Object.keys(patch)) {
    const wanted = patch[name];
    if (wanted === undefined) continue;
    if (wanted === null) {
      delete result[name];
      continue;
    }
    const current = getMember(result, name);
    if (isJsonObject(wanted)) {
      setMember(result, name, applyMergePatch(isJsonObject(current) ? current : {}, wanted));
    } else setMember(result, name, Array.isArray(wanted) ? wanted.map(withoutNulls) : wanted);
  }
  return result;
}

/** Upstream's library drops null members also from the objects of a list that replaces another; null items stay. */
function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  return isJsonObject(value) ? applyMergePatch({}, value) : value;
}
