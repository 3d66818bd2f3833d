/** Both kinds of selectors of a list or watch, made one filter. */
import type { FieldReaders, FieldTerm } from './field-selector.js';
import { checkFieldSelector, exactName, matchesFields, parseFieldSelector } from './field-selector.js';
import type { LabelSelector } from './label-selector.js';
import { matchesLabels, parseLabelSelector } from './label-selector.js';
import type { KubeObject } from './object.js';

export * from './field-selector.js';
export * from './label-selector.js';

export interface Selection {
  readonly labels: LabelSelector;
  readonly fields: readonly FieldTerm[];
  /** Only the object of this name can be meant. */
  readonly name: string | undefined;
  /** Absent when everything (or everything of that name) is wanted. */
  readonly filter: ((object: KubeObject) => boolean) | undefined;
}

/**
 * From the query's labelSelector and fieldSelector; null, undefined and '' select everything.
 * @param readers the kind's fieldSelectors
 * @throws ApiError 400
 */
export function parseSelection(
  labelSelector: string | null | undefined,
  fieldSelector: string | null | undefined,
  readers: FieldReaders | undefined,
): Selection {
  const labels = parseLabelSelector(labelSelector ?? '');
  const fields = parseFieldSelector(fieldSelector ?? '');
  checkFieldSelector(fields, readers);
  const name = exactName(fields);
  const rest = fields.filter((term) => !(term.field === 'metadata.name' && term.value === name && !term.negated));
  const all = labels.requirements.length === 0 && rest.length === 0;
  const filter = (object: KubeObject): boolean =>
    matchesLabels(labels, object.metadata.labels) && matchesFields(rest, object, readers);
  return { labels, fields, name, filter: all ? undefined : filter };
}
