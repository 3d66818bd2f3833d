/** Lists and objects as Tables: what `kubectl get` prints. Source: meta.k8s.io/v1 Table. */
import { ageSince } from './age.js';
import { badRequest } from './api-error.js';
import type { KubeObject, ListMeta } from './object.js';

/** A column of the Table form. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
}
export type TableCell = string | number | boolean | null;
export interface TableRowCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** What of a kind a Table needs; kinds without columns show Name and Age. */
export interface TableSource {
  readonly columns?: readonly TableColumn[];
  readonly cells?: (object: KubeObject, now: number) => TableCell[];
  readonly rowConditions?: (object: KubeObject) => readonly TableRowCondition[];
}

/** What stands beside the cells: metadata alone, all of the object, or nothing. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableRow {
  cells: TableCell[];
  conditions?: readonly TableRowCondition[];
  object?: unknown;
}

export interface Table {
  kind: 'Table';
  apiVersion: 'meta.k8s.io/v1';
  metadata: Partial<ListMeta>;
  columnDefinitions: { name: string; type: string; format: string; description: string; priority: number }[];
  rows: TableRow[];
}

const NAME_DESCRIPTION =
  'Name must be unique within its scope. It identifies the object and cannot be changed once it is created.';
const AGE_DESCRIPTION = 'How long ago the server created the object, by its own clock.';

export const NAME_COLUMN: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: NAME_DESCRIPTION,
};
export const AGE_COLUMN: TableColumn = { name: 'Age', type: 'string', description: AGE_DESCRIPTION };

/** From the query's includeObject; absent is Metadata. @throws ApiError 400 */
export function parseIncludeObject(text: string | null | undefined): IncludeObject {
  if (text === null || text === undefined || text === '') return 'Metadata';
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text;
  throw badRequest(`unrecognized includeObject value: "${text}"`);
}

/**
 * @param objects of one kind, complete
 * @param now ms since the epoch, for ages
 * @param headings false for the later events of a watch
 */
export function makeTable(
  source: TableSource,
  objects: readonly KubeObject[],
  metadata: Partial<ListMeta>,
  include: IncludeObject,
  now: number,
  headings = true,
): Table {
  const columns = source.columns ?? [NAME_COLUMN, AGE_COLUMN];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: headings
      ? columns.map(({ name, type, format = '', description = '', priority = 0 }) => {
          return { name, type, format, description, priority };
        })
      : [],
    rows: objects.map((object) => makeRow(source, object, include, now)),
  };
}

function makeRow(source: TableSource, object: KubeObject, include: IncludeObject, now: number): TableRow {
  const cells = source.cells?.(object, now) ?? [
    object.metadata.name ?? '',
    ageSince(object.metadata.creationTimestamp, now),
  ];
  const conditions = source.rowConditions?.(object) ?? [];
  const row: TableRow = { cells };
  if (conditions.length > 0) row.conditions = conditions;
  if (include === 'Object') row.object = object;
  else if (include === 'Metadata') row.object = metadataOnly(object);
  return row;
}

/** The object without its kind's own members. */
export function metadataOnly(object: KubeObject): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

/** `a=b,c=d` with sorted keys, or `<none>`. */
export function labelsCell(labels: Readonly<Record<string, string>> | null | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${labels![key]}`).join(',');
}
