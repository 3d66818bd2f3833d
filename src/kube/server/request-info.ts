/**
 * What a request is about, from its method, path and query alone: the resource, or a path that is none.
 * Sources: kubernetes API paths and verbs.
 */
import { badRequest } from '../machinery/api-error.js';
import type { RequestInfo } from '../machinery/request.js';

/** Below /namespaces/{name}/ these belong to the Namespace itself and are no resources in it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** @throws ApiError 400 for a path that cannot be decoded */
export function parseRequestInfo(method: string, url: string): RequestInfo {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const parts = path.split('/').filter((part) => part !== '');
  const gv = groupVersionOf(parts);
  if (gv === null) return nonResource(method, path, query);
  let rest: string[];
  try {
    rest = parts.slice(gv.used).map(decodeURIComponent);
  } catch {
    throw badRequest(`the path ${path} is not well encoded`);
  }
  // The old form of a watch, /api/v1/watch/pods; kept by the API's promise.
  const watchPath = rest[0] === 'watch' && rest.length > 1;
  if (watchPath) rest.shift();
  // How many parts of the path come before the resource.
  let before = gv.used + (watchPath ? 1 : 0);
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1] as string;
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2] as string)) {
      rest.splice(0, 2);
      before += 2;
    }
  }
  const [resource = '', name = '', subresource = ''] = rest;
  const fromField = name === '' ? nameOfFieldSelector(query.get('fieldSelector')) : '';
  const verb = watchPath ? 'watch' : verbOf(method, name, query);
  if (watchPath) query.set('watch', 'true');
  return {
    verb,
    isResource: true,
    group: gv.group,
    version: gv.version,
    resource,
    subresource,
    namespace,
    name: name !== '' ? name : verb === 'list' || verb === 'watch' || verb === 'deletecollection' ? fromField : '',
    path,
    query,
    rest: subresource === '' ? '' : behind(path, before + 3),
  };
}

/** The group and version that the path begins with, and how many parts they took; null for any other path. */
function groupVersionOf(parts: readonly string[]): { group: string; version: string; used: number } | null {
  if (parts[0] === 'api' && parts.length > 2) return { group: '', version: parts[1] as string, used: 2 };
  if (parts[0] === 'apis' && parts.length > 3) {
    return { group: parts[1] as string, version: parts[2] as string, used: 3 };
  }
  return null;
}

function nonResource(method: string, path: string, query: URLSearchParams): RequestInfo {
  return {
    verb: method.toLowerCase(),
    isResource: false,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    path,
    query,
    rest: '',
  };
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  switch (method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === '' ? 'deletecollection' : 'delete';
    case 'GET':
    case 'HEAD':
      if (isTrue(query.get('watch')) && name === '') return 'watch';
      return name === '' ? 'list' : 'get';
    default:
      return method.toLowerCase();
  }
}

/** Go's idea of a boolean in a query: `1`, `true`, and a name without a value. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** A list narrowed to one name is authorised as one of that name (resourceNames). */
function nameOfFieldSelector(selector: string | null): string {
  if (selector === null) return '';
  for (const part of selector.split(',')) {
    const match = /^metadata\.name==?([^=!,\\]+)$/.exec(part.trim());
    if (match !== null) return match[1] as string;
  }
  return '';
}

/** What follows so many parts of a path, as it was sent: encoding, leading and trailing slash are kept. */
function behind(path: string, parts: number): string {
  let at = 0;
  for (let i = 0; i < parts; i++) {
    while (path[at] === '/') at++;
    while (at < path.length && path[at] !== '/') at++;
  }
  return path.slice(at);
}
