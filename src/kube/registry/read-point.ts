import { badRequest } from '../machinery/api-error.js';
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalidObject, notSupported, quoted } from '../machinery/field-error.js';
import type { ListOptions, VersionMatch } from './object-store.js';

/** Of which state a read may be. */
export type ReadPoint =
  /** What a quorum has. */
  | { readonly from: 'newest' }
  /** Any state, however old. */
  | { readonly from: 'any' }
  | { readonly from: 'at-least'; readonly revision: number }
  | { readonly from: 'exactly'; readonly revision: number };

/** @throws ApiError 400 for a text that is no resourceVersion */
export function parseResourceVersion(text: string): number {
  const revision = /^\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(revision)) {
    const why = `strconv.ParseUint: parsing ${quoted(text)}: invalid syntax`;
    throw badRequest(`resourceVersion: Invalid value: ${quoted(text)}: ${why}`);
  }
  return Math.min(revision, Number.MAX_SAFE_INTEGER);
}

/** Of a get, or of a watch's start. */
export function readPoint(resourceVersion: string | undefined): ReadPoint {
  if (resourceVersion === undefined || resourceVersion === '') return { from: 'newest' };
  const revision = parseResourceVersion(resourceVersion);
  return revision === 0 ? { from: 'any' } : { from: 'at-least', revision };
}

/** Of a list without continue. */
export function listPoint(options: ListOptions): ReadPoint {
  const point = readPoint(options.resourceVersion);
  if (point.from !== 'at-least') return point;
  // A limit with a revision and no match is older than matches are: it meant the revision itself.
  const legacyExact = options.resourceVersionMatch === undefined && (options.limit ?? 0) > 0;
  return options.resourceVersionMatch === 'Exact' || legacyExact
    ? { from: 'exactly', revision: point.revision }
    : point;
}

/** The options of a list as the query has them; the match may be any text. */
export interface ListQuery {
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
  readonly continue?: string | undefined;
  readonly sendInitialEvents?: boolean | undefined;
}

const MATCHES: readonly VersionMatch[] = ['Exact', 'NotOlderThan'];

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject('meta.k8s.io', 'ListOptions', '', errors);
}

/** @throws ApiError 422 for options that exclude each other, 400 for a revision beside a continue token */
export function checkListQuery(query: ListQuery): void {
  const { resourceVersion = '', resourceVersionMatch: match = '' } = query;
  const errors: FieldError[] = [];
  if (match !== '') {
    if (resourceVersion === '') {
      const why = 'resourceVersionMatch is forbidden unless resourceVersion is provided';
      errors.push(forbiddenField('resourceVersionMatch', why));
    }
    if (query.continue) {
      errors.push(
        forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'),
      );
    }
    if (!MATCHES.includes(match as VersionMatch)) {
      errors.push(notSupported('resourceVersionMatch', match, [...MATCHES, '']));
    }
    if (match === 'Exact' && resourceVersion === '0') {
      const why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
      errors.push(forbiddenField('resourceVersionMatch', why));
    }
  }
  if (query.sendInitialEvents !== undefined) {
    errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  refuse(errors);
  if (query.continue && resourceVersion !== '' && resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
}

/** @throws ApiError 422 */
export function checkWatchQuery(query: ListQuery & { readonly allowWatchBookmarks?: boolean }): void {
  const { resourceVersionMatch: match = '' } = query;
  const errors: FieldError[] = [];
  if (query.sendInitialEvents !== undefined) {
    if (match !== 'NotOlderThan') {
      const why = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
      errors.push(forbiddenField('resourceVersionMatch', why));
    }
  } else if (match !== '') {
    const why = 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
    errors.push(forbiddenField('resourceVersionMatch', why));
  }
  refuse(errors);
}
