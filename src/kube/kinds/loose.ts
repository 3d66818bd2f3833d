/** Reading and filling members of specs. */
import type { Loose } from '../machinery/object.js';

export type { Loose };

/** The items, or none for an absent list. */
export function listOf(value: Loose): Loose[] {
  return Array.isArray(value) ? value : [];
}

/** Members of a map, or none for an absent one. */
export function entriesOf(value: Loose): [string, Loose][] {
  return value === null || typeof value !== 'object' ? [] : Object.entries(value);
}

/** Neither there nor empty, as the API sees it: "not set". */
export function unset(value: Loose): boolean {
  return value === undefined || value === null || value === '';
}

/** Sets a member that is not there. */
export function fill(target: Loose, member: string, value: unknown): void {
  if (target[member] === undefined || target[member] === null) target[member] = value;
}

/** Sets a text that is not there or empty. */
export function fillText(target: Loose, member: string, value: string): void {
  if (unset(target[member])) target[member] = value;
}

/** An object of its own behind a member; made if it is not there. */
export function within(target: Loose, member: string): Loose {
  if (target[member] === undefined || target[member] === null) target[member] = {};
  return target[member];
}

/** Equal as JSON: members in any order, absent and undefined the same. */
export function same(a: Loose, b: Loose): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return (a ?? null) === (b ?? null);
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => same(item, b[i]));
  }
  for (const key of Object.keys(a)) if (!same(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (a[key] === undefined && b[key] !== undefined) return false;
  return true;
}

/** A copy that shares nothing. */
export function copy<T>(value: T): T {
  return structuredClone(value);
}
