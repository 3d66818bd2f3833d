/** From the query of a list, watch or deletecollection to the store's options. Sources: kubernetes list semantics. */
import type { Kind } from '../kinds/kind.js';
import { badRequest } from '../machinery/api-error.js';
import type { RequestInfo } from '../machinery/request.js';
import { parseSelection } from '../machinery/selectors.js';
import type { ListOptions, ObjectFilter, VersionMatch, WatchOptions } from '../registry/index.js';
import { checkListQuery, checkWatchQuery } from '../registry/index.js';
import { isTrue } from './request-info.js';

export interface WatchQuery {
  readonly options: WatchOptions;
  /** How long it may last, ms; undefined: as the server likes. */
  readonly timeoutMs: number | undefined;
}

/** @throws ApiError 400, 422 */
export function listOptions(info: RequestInfo, kind: Kind): ListOptions {
  const query = queryOf(info);
  checkListQuery(query);
  const limit = integerOf(info.query, 'limit');
  return {
    namespace: namespaceOf(info, kind),
    ...selection(info, kind),
    ...(query.resourceVersion === '' ? {} : { resourceVersion: query.resourceVersion }),
    ...(query.resourceVersionMatch === '' ? {} : { resourceVersionMatch: query.resourceVersionMatch as VersionMatch }),
    ...(limit === undefined || limit <= 0 ? {} : { limit }),
    ...(query.continue === '' ? {} : { continue: query.continue }),
  };
}

/** @throws ApiError 400, 422 */
export function watchOptions(info: RequestInfo, kind: Kind): WatchQuery {
  const query = queryOf(info);
  checkWatchQuery(query);
  const seconds = integerOf(info.query, 'timeoutSeconds');
  return {
    options: {
      namespace: namespaceOf(info, kind),
      ...selection(info, kind),
      ...(query.resourceVersion === '' ? {} : { resourceVersion: query.resourceVersion }),
      bookmarks: isTrue(info.query.get('allowWatchBookmarks')),
      ...(query.sendInitialEvents === undefined ? {} : { sendInitialEvents: query.sendInitialEvents }),
    },
    timeoutMs: seconds === undefined || seconds <= 0 ? undefined : seconds * 1000,
  };
}

interface Query {
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly continue: string;
  readonly sendInitialEvents?: boolean;
}

function queryOf({ query }: RequestInfo): Query {
  return {
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    continue: query.get('continue') ?? '',
    ...(query.has('sendInitialEvents') ? { sendInitialEvents: isTrue(query.get('sendInitialEvents')) } : {}),
  };
}

/** Cluster-scoped kinds have no namespace, whatever the path of a Namespace says. */
export function namespaceOf(info: RequestInfo, kind: Kind): string {
  return kind.namespaced ? info.namespace : '';
}

/** The two selectors: at most one name, and a test for the rest. @throws ApiError 400 */
function selection({ query, name }: RequestInfo, kind: Kind): { name?: string; filter?: ObjectFilter } {
  const selected = parseSelection(query.get('labelSelector'), query.get('fieldSelector'), kind.fieldSelectors);
  const only = selected.name ?? (name === '' ? undefined : name);
  return {
    ...(only === undefined ? {} : { name: only }),
    ...(selected.filter === undefined ? {} : { filter: selected.filter }),
  };
}

/** @throws ApiError 400 */
function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}
