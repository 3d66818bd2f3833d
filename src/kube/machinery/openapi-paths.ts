/** Operations of a kind as OpenAPI v3 lists them; kubectl finds kinds and their query parameters here. */
import type { OpenApiSchema } from './openapi-schema.js';
import type { ServedKind, ServedSubresource } from './served-kind.js';
import { pathOf, verbsOf } from './served-kind.js';

type Operation = Record<string, unknown>;
type PathItem = Record<string, unknown>;

interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

function query(name: string, type: string, description: string): object {
  return { name, in: 'query', description, schema: { type, uniqueItems: true } };
}

const PRETTY = query('pretty', 'string', 'Indents the answer when it is true.');
const DRY_RUN = query('dryRun', 'string', 'All goes through every step of the write but the last: nothing is stored.');
const MANAGER = query('fieldManager', 'string', 'The name that stands for the caller in managedFields.');
const VALIDATION = query(
  'fieldValidation',
  'string',
  'What happens to unknown and duplicate fields: Ignore drops them, Warn tells them too, Strict refuses the request.',
);
const FORCE = query('force', 'boolean', 'Takes over fields that other managers own. For apply patches only.');
const WRITE = [DRY_RUN, MANAGER, VALIDATION];
const DELETE = [
  DRY_RUN,
  query('gracePeriodSeconds', 'integer', 'Seconds that the object has to end by itself; 0 deletes at once.'),
  query('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
  query('orphanDependents', 'boolean', 'The older form of propagationPolicy.'),
];
const LIST = [
  query('labelSelector', 'string', 'Restricts the objects by their labels.'),
  query('fieldSelector', 'string', 'Restricts the objects by their fields.'),
  query('limit', 'integer', 'At most so many objects an answer; it then says how to go on.'),
  query('continue', 'string', 'Goes on where an earlier answer ended.'),
  query('resourceVersion', 'string', 'How fresh the answer must be, or where a watch begins.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  query('timeoutSeconds', 'integer', 'Ends the call after so long.'),
  query('watch', 'boolean', 'Answers a stream of changes instead of a list.'),
  query('allowWatchBookmarks', 'boolean', 'Lets the stream tell how far it is.'),
  query('sendInitialEvents', 'boolean', 'Opens the stream with the objects that are there.'),
];

function inPath(name: string): object {
  const description = name === 'name' ? 'Name of the object.' : 'Namespace of the object.';
  return { name, in: 'path', description, required: true, schema: { type: 'string', uniqueItems: true } };
}

/**
 * @param schema reference to the kind's schema; @param list to that of its list
 * @param foreign the schema of what a subresource exchanges, or undefined if none is known
 */
export function pathsOf(
  kind: ServedKind,
  schema: OpenApiSchema,
  list: OpenApiSchema,
  foreign: (gvk: Gvk) => OpenApiSchema | undefined,
): Record<string, PathItem> {
  const verbs = new Set(verbsOf(kind));
  const root = `/${pathOf(kind)}`;
  const collection = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`;
  const inNamespace = kind.namespaced ? [inPath('namespace')] : [];
  const gvk: Gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  const paths: Record<string, PathItem> = {};
  const add = (path: string, parameters: object[], operations: PathItem) => {
    if (Object.keys(operations).length > 0) paths[path] = { ...operations, parameters: [...parameters, PRETTY] };
  };
  const listing = verbs.has('list') ? { get: operation('list', gvk, LIST, list) } : {};
  add(collection, inNamespace, {
    ...listing,
    ...(verbs.has('create') ? { post: operation('post', gvk, WRITE, schema, schema) } : {}),
    ...(verbs.has('deletecollection') ? { delete: operation('deletecollection', gvk, [...DELETE, ...LIST]) } : {}),
  });
  if (kind.namespaced) add(`${root}/${kind.plural}`, [], listing);
  const named = [inPath('name'), ...inNamespace];
  add(`${collection}/{name}`, named, itemOperations(verbs, gvk, schema, kind.noStrategicPatch !== true));
  for (const subresource of kind.subresources ?? []) {
    const { exchanged, body } = exchange(subresource, gvk, schema, foreign);
    const operations = itemOperations(new Set(subresource.verbs), exchanged, body, kind.noStrategicPatch !== true);
    add(`${collection}/{name}/${subresource.name}`, named, operations);
  }
  return paths;
}

function exchange(
  { exchanges }: ServedSubresource,
  gvk: Gvk,
  schema: OpenApiSchema,
  foreign: (gvk: Gvk) => OpenApiSchema | undefined,
): { exchanged: Gvk; body: OpenApiSchema } {
  if (exchanges === undefined) return { exchanged: gvk, body: schema };
  const { group, version, kind } = exchanges;
  return { exchanged: { group, version, kind }, body: foreign(exchanges) ?? { type: 'object' } };
}

function itemOperations(verbs: ReadonlySet<string>, gvk: Gvk, schema: OpenApiSchema, strategic: boolean): PathItem {
  const item: PathItem = {};
  if (verbs.has('get')) item.get = operation('get', gvk, [], schema);
  if (verbs.has('update')) item.put = operation('put', gvk, WRITE, schema, schema);
  if (verbs.has('create') && !verbs.has('list')) item.post = operation('post', gvk, WRITE, schema, schema);
  if (verbs.has('patch')) item.patch = patchOperation(gvk, schema, strategic);
  if (verbs.has('delete')) item.delete = operation('delete', gvk, DELETE, schema);
  return item;
}

function operation(
  action: string,
  gvk: Gvk,
  parameters: readonly object[],
  answer?: OpenApiSchema,
  body?: OpenApiSchema,
): Operation {
  const content = answer === undefined ? {} : { content: { 'application/json': { schema: answer } } };
  return {
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { content: { '*/*': { schema: body } }, required: true } }),
    responses: { 200: { description: 'OK', ...content } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  };
}

function patchOperation(gvk: Gvk, schema: OpenApiSchema, strategic: boolean): Operation {
  const types = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];
  // Its presence tells kubectl that the schemas are complete enough to compute such patches from them.
  if (strategic) types.push('application/strategic-merge-patch+json');
  const content = Object.fromEntries(types.map((type) => [type, { schema: { type: 'object' } }]));
  const base = operation('patch', gvk, [...WRITE, FORCE], schema);
  return { ...base, requestBody: { content, required: true } };
}
