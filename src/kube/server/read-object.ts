/** The body of a request as what its handler wants. */
import type { Kind } from '../kinds/kind.js';
import { decodeBody, mediaTypeOf, readObject as readObjectBody, strictText } from '../machinery/accept.js';
import { badRequest, unknownResource, unsupportedMediaType } from '../machinery/api-error.js';
import type { Conformed } from '../machinery/conform.js';
import { conform, UnfitError } from '../machinery/conform.js';
import { forbiddenField, invalidObject, required } from '../machinery/field-error.js';
import { parseJsonText, TextError } from '../machinery/json-text.js';
import type { JsonObject, JsonValue, KubeObject } from '../machinery/object.js';
import { schemaOfKind } from '../machinery/types/index.js';
import { parseYamlText } from '../machinery/yaml-text.js';
import { patchTypesOf } from '../rest/patcher.js';
import type { Patch, PatchType, WriteContext } from '../rest/resource.js';
import type { Exchange } from './exchange.js';
import { readBody } from './request-body.js';
import { isTrue } from './request-info.js';

const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** The object of a POST or PUT. @throws ApiError 400, 413, 415 */
export async function readObject(exchange: Exchange, kind: Kind, context: WriteContext): Promise<KubeObject> {
  const body = await readBody(exchange.request);
  const type = exchange.request.headers['content-type'];
  return readObjectBody(body, type, kind, context.fieldValidation, context.warn);
}

/** An object of a built-in kind that is no resource (Binding, Eviction, TokenRequest). @throws ApiError 400, 413, 415 */
export async function readAs(exchange: Exchange, group: string, version: string, kind: string): Promise<KubeObject> {
  const schema = schemaOfKind(group, version, kind);
  if (schema === undefined) throw unknownResource();
  const body = await readBody(exchange.request);
  const type = exchange.request.headers['content-type'];
  return readObjectBody(body, type, { group, version, kind, schema }, 'Ignore', exchange.warn);
}

/** Any JSON object. @throws ApiError 400, 413, 415 */
export async function readDocument(exchange: Exchange): Promise<JsonObject> {
  const body = await readBody(exchange.request);
  const value = text(() => decodeBody(body, exchange.request.headers['content-type']).value);
  if (!isObject(value)) throw badRequest('the body of the request is not an object');
  return value;
}

/** Null if there is no body: options may come in the query, or not at all. @throws ApiError 400, 413, 415 */
export async function readDeleteOptions(exchange: Exchange): Promise<JsonObject | null> {
  const body = await readBody(exchange.request);
  if (body.length === 0) return null;
  const value = text(() => decodeBody(body, exchange.request.headers['content-type']).value);
  if (!isObject(value)) throw badRequest('the body of a deletion is not an object');
  return value;
}

/** @throws ApiError 400, 413, 415, 422 */
export async function readPatch(exchange: Exchange, kind: Kind, context?: WriteContext): Promise<Patch> {
  const { query } = exchange.info;
  const type = PATCH_TYPES[mediaTypeOf(exchange.request.headers['content-type'] ?? 'none')];
  const served = patchTypesOf(kind);
  if (type === undefined || (type === 'strategic' && kind.noStrategicPatch === true))
    throw unsupportedMediaType(served);
  const force = isTrue(query.get('force'));
  if (type !== 'apply' && query.has('force')) {
    refuse(forbiddenField('force', 'may not be specified for non-apply patch'));
  }
  if (type === 'apply' && (query.get('fieldManager') ?? '') === '') {
    refuse(required('fieldManager', 'is required for apply patch'));
  }
  const body = await readBody(exchange.request);
  const parsed = text(() => (type === 'apply' ? parseYamlText(body.toString()) : parseJsonText(body.toString())));
  const { value } = parsed;
  if (type === 'json') {
    if (!Array.isArray(value) || !value.every(isObject)) {
      throw badRequest('a JSON patch is a list of operations, each an object');
    }
    return { type, body: value, force };
  }
  if (!isObject(value)) throw badRequest(`a patch of type ${type} is an object`);
  if (type !== 'apply' || context === undefined) return { type, body: value, force };
  return { type, body: configuration(kind, value, parsed.duplicates, context), force };
}

/** What an apply states, in the form of its kind. @throws ApiError 400 */
function configuration(
  kind: Kind,
  value: JsonObject,
  duplicates: readonly string[],
  context: WriteContext,
): JsonObject {
  const handled = `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`;
  let conformed: Conformed;
  try {
    conformed = conform(kind.schema, value, { keepEmpty: true });
  } catch (err) {
    if (err instanceof UnfitError) throw badRequest(`${handled}: ${err.message}`);
    throw err;
  }
  const errors = [
    ...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
    ...conformed.unknown.map((path) => `unknown field ${JSON.stringify(path)}`),
  ];
  if (context.fieldValidation === 'Strict' && errors.length > 0) throw badRequest(`${handled}: ${strictText(errors)}`);
  if (context.fieldValidation === 'Warn') for (const error of errors) context.warn(error);
  return { ...(conformed.value as JsonObject), apiVersion: value.apiVersion, kind: value.kind };
}

function refuse(error: ReturnType<typeof required>): never {
  throw invalidObject('meta.k8s.io', 'PatchOptions', '', [error]);
}

function text<T>(parse: () => T): T {
  try {
    return parse();
  } catch (err) {
    if (err instanceof TextError) throw badRequest(err.message);
    throw err;
  }
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
