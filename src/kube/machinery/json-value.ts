/** Small helpers for values that came out of JSON. Members named `__proto__` are members like any other. */
import type { JsonObject, JsonValue } from './object.js';

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets a member, whatever its name: a plain assignment to `__proto__` would change the prototype instead. */
export function setMember(object: JsonObject, name: string, value: JsonValue | undefined): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else object[name] = value;
}

/** A member of the object itself; nothing inherited. */
export function getMember(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** A copy that shares nothing with the original. Members that are undefined are left out. */
export function copyJson<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const list = new Array<unknown>(value.length);
    for (let i = 0; i < value.length; i++) list[i] = copy(value[i]);
    return list;
  }
  const from = value as JsonObject;
  const to: JsonObject = {};
  for (const name in from) {
    const member = from[name];
    if (member !== undefined) setMember(to, name, copy(member) as JsonValue);
  }
  return to;
}

/** Are they the same JSON? The order of members does not count; a member that is undefined counts as absent. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!equalJson(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  const left = a as JsonObject;
  const right = b as JsonObject;
  let count = 0;
  for (const name in left) {
    const member = left[name];
    if (member === undefined) continue;
    count++;
    if (!Object.hasOwn(right, name) || !equalJson(member, right[name])) return false;
  }
  for (const name in right) if (right[name] !== undefined) count--;
  return count === 0;
}

/** As Go prints with %v: `map[a:b c:[1 2]]`, members sorted. Error messages of patches show values so. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const object = value as JsonObject;
  const members = Object.keys(object).sort();
  return `map[${members.map((name) => `${name}:${goText(object[name])}`).join(' ')}]`;
}
