/** Columns and cells that many kinds share. */
import { ageSince } from '../machinery/age.js';
import type { KubeObject } from '../machinery/object.js';
import type { Cell, Column } from './kind.js';
import type { Loose } from './loose.js';
import { entriesOf, listOf } from './loose.js';

export const NONE = '<none>';
export const UNKNOWN = '<unknown>';
export const UNSET = '<unset>';

export const NAME: Column = { name: 'Name', type: 'string', format: 'name', description: 'Name, unique in its scope.' };
export const AGE: Column = { name: 'Age', type: 'string', description: 'Time since the object was created.' };
export const CREATED_AT: Column = { name: 'Created At', type: 'date', description: 'When the object was created.' };

export function text(name: string, description: string): Column {
  return { name, type: 'string', description };
}
export function integer(name: string, description: string): Column {
  return { name, type: 'integer', description };
}
export function flag(name: string, description: string): Column {
  return { name, type: 'boolean', description };
}
/** The same column, shown by `-o wide` only. */
export function wide(column: Column): Column {
  return { ...column, priority: 1 };
}

/** Of a pod template. */
export const WORKLOAD_COLUMNS: readonly Column[] = [
  wide(text('Containers', 'Names of the containers of a pod.')),
  wide(text('Images', 'Images of the containers of a pod.')),
];
export const SELECTOR: Column = text('Selector', 'Which pods belong to it.');

export function nameOf(object: KubeObject): string {
  return object.metadata.name ?? '';
}
export function age(object: KubeObject, now: number): string {
  return ageSince(object.metadata.creationTimestamp, now);
}
export function created(object: KubeObject): Cell {
  return object.metadata.creationTimestamp ?? null;
}

export function orNone(value: Loose): string {
  return value === undefined || value === null || value === '' ? NONE : String(value);
}

/** `a=b,c=d`, sorted; `<none>` for an empty map. */
export function labelsText(labels: Loose): string {
  const parts = entriesOf(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort();
  return parts.length === 0 ? NONE : parts.join(',');
}

/** Containers and Images. */
export function workloadCells(podSpec: Loose): Cell[] {
  const containers = listOf(podSpec?.containers);
  return [containers.map((c) => c.name).join(','), containers.map((c) => c.image ?? '').join(',')];
}

/** The first `most` texts joined by commas, the rest counted; `<none>` for none. */
export function cutList(texts: readonly string[], most: number, separator = ','): string {
  if (texts.length === 0) return NONE;
  const shown = texts.slice(0, most).join(separator);
  return texts.length > most ? `${shown} + ${texts.length - most} more...` : shown;
}
