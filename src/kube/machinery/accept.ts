/**
 * From the bytes of a request to an object of its kind: JSON, YAML or protobuf in, one JSON form out, with what
 * fieldValidation asks for. The texts are those Go clients know.
 */
import type { ApiError } from './api-error.js';
import { badRequest, unsupportedMediaType } from './api-error.js';
import { conform, UnfitError } from './conform.js';
import { invalid, invalidObject } from './field-error.js';
import type { ParsedText } from './json-text.js';
import { parseJsonText, TextError } from './json-text.js';
import type { JsonObject, JsonValue, KubeObject } from './object.js';
import { apiVersionOf, parseApiVersion } from './object.js';
import { decodeProtobuf } from './protobuf.js';
import type { Schema } from './schema.js';
import { schemaOf } from './types/index.js';
import { parseYamlText } from './yaml-text.js';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** What the body is expected to hold; a Kind is one. */
export interface Expected {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: Schema;
}

export const BODY_TYPES: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
];

/** A decoded body before its schema has seen it. */
export type DecodedBody = ParsedText;

/** The media type without its parameters; no header at all is JSON. */
export function mediaTypeOf(contentType: string | undefined): string {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type === '' ? 'application/json' : type;
}

/**
 * The JSON form of a body.
 * @throws TextError if it cannot be read, ApiError 415 for another media type and 400 for bytes that are too deep
 */
export function decodeBody(body: Buffer, contentType: string | undefined): DecodedBody {
  switch (mediaTypeOf(contentType)) {
    case 'application/json':
      return parseJsonText(body.toString());
    case 'application/yaml':
      return parseYamlText(body.toString());
    case 'application/vnd.kubernetes.protobuf':
      return { value: decodeProtobuf(body), duplicates: [] };
    default:
      throw unsupportedMediaType(BODY_TYPES);
  }
}

/**
 * The object in the body of a POST or PUT.
 * @param warn gets the text of each warning (fieldValidation Warn)
 * @throws ApiError 400 or 415
 */
export function readObject(
  body: Buffer,
  contentType: string | undefined,
  expected: Expected,
  validation: FieldValidation,
  warn: (text: string) => void,
): KubeObject {
  let decoded: DecodedBody;
  try {
    decoded = decodeBody(body, contentType);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    const why = `couldn't get version/kind; json parse error: ${error.message} (${summary(body)})`;
    throw unrecognized(expected, why);
  }
  return acceptObject(decoded, expected, validation, warn, summary(body));
}

/**
 * The object in a decoded body: apiVersion and kind checked (or set, when they are left out), then its schema.
 * @throws ApiError 400
 */
export function acceptObject(
  decoded: DecodedBody,
  expected: Expected,
  validation: FieldValidation,
  warn: (text: string) => void,
  summarized = '',
): KubeObject {
  const { value } = decoded;
  if (!isObject(value)) {
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${word(value)} into Go value`;
    throw unrecognized(expected, `${why} of type struct { APIVersion string; Kind string } (${summarized})`);
  }
  const named = checkType(value, expected);
  try {
    return fitted(decoded, value, expected, validation, warn);
  } catch (error) {
    if (error instanceof UnfitError) throw cannotBeHandled(named, expected, error.message);
    throw error;
  }
}

/**
 * The object that a patch has made, in the form of its kind; apiVersion and kind have been checked.
 * @returns unknown: the texts of strict errors, `unknown field "spec.replica"`
 * @throws ApiError 422 for a value of a wrong type
 */
export function decodePatched(
  expected: Expected,
  document: JsonObject,
): { object: KubeObject; unknown: readonly string[] } {
  try {
    const { value, unknown } = conform(expected.schema, document);
    return { object: typed(expected, value as JsonObject), unknown: unknown.map(unknownText) };
  } catch (error) {
    if (error instanceof UnfitError) throw unfitPatch(document, error.message);
    throw error;
  }
}

/** 422 for a patch whose result cannot be read. */
export function unfitPatch(patch: JsonValue, why: string): ApiError {
  return invalidObject('', '', '', [invalid('patch', JSON.stringify(patch), why)]);
}

/** The type of each object by the words of the body; a stranger's is refused. */
function checkType(value: JsonObject, expected: Expected): { version: string; kind: string } {
  const { apiVersion, kind } = value;
  const wanted = apiVersionOf(expected);
  const version = typeof apiVersion === 'string' && apiVersion !== '' ? apiVersion : wanted;
  const named = typeof kind === 'string' && kind !== '' ? kind : expected.kind;
  if (version !== wanted) {
    throw badRequest(`the API version in the data (${version}) does not match the expected API version (${wanted})`);
  }
  const type = { version: parseApiVersion(version).version, kind: named };
  if (named !== expected.kind) {
    const names = `(${type.version}.${named}) to (${type.version}.${expected.kind})`;
    throw cannotBeHandled(type, expected, `converting ${names}: unknown conversion`);
  }
  return type;
}

function fitted(
  decoded: DecodedBody,
  value: JsonObject,
  expected: Expected,
  validation: FieldValidation,
  warn: (text: string) => void,
): KubeObject {
  const { value: kept, unknown } = conform(expected.schema, value);
  if (validation !== 'Ignore') {
    const errors = [
      ...decoded.duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
      ...unknown.map(unknownText),
    ];
    if (validation === 'Strict' && errors.length > 0) throw new UnfitError(strictText(errors));
    for (const error of errors) warn(error);
  }
  return typed(expected, kept as JsonObject);
}

/** Its members in their usual order: type, metadata, the rest. */
function typed(expected: Expected, object: JsonObject): KubeObject {
  const { apiVersion: _, kind: __, metadata, ...rest } = object;
  const bare = expected.schema.ref !== undefined && !expected.schema.properties?.().has('metadata');
  return {
    apiVersion: apiVersionOf(expected),
    kind: expected.kind,
    ...(bare ? {} : { metadata: isObject(metadata ?? null) ? metadata : {} }),
    ...rest,
  } as KubeObject;
}

function unknownText(path: string): string {
  return `unknown field ${JSON.stringify(path)}`;
}

/**
 * The options in the body of a DELETE; no body is none. Their apiVersion may be that of any group.
 * @throws ApiError 400 or 415
 */
export function readDeleteOptions(body: Buffer, contentType: string | undefined): JsonObject {
  if (body.length === 0) return {};
  const expected: Expected = {
    group: '',
    version: 'v1',
    kind: 'DeleteOptions',
    schema: schemaOf('meta.v1/DeleteOptions'),
  };
  try {
    const decoded = decodeBody(body, contentType);
    const { apiVersion: _, kind: __, ...options } = conform(expected.schema, decoded.value).value as JsonObject;
    return options;
  } catch (error) {
    if (error instanceof UnfitError) throw cannotBeHandled(expected, expected, error.message);
    if (error instanceof TextError) throw unrecognized(expected, `json parse error: ${error.message}`);
    throw error;
  }
}

export function strictText(errors: readonly string[]): string {
  return `strict decoding error: ${errors.join(', ')}`;
}

function cannotBeHandled(named: { version: string; kind: string }, expected: Expected, why: string): ApiError {
  const { version, kind } = named;
  return badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: ${why}`);
}

function unrecognized(expected: Expected, why: string): ApiError {
  return badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${why}`);
}

const SUMMARY_MAX = 30;

/** The first bytes, as text if they look like an object. */
function summary(body: Buffer): string {
  if (body.length === 0) return '<empty>';
  const start = body.subarray(0, SUMMARY_MAX).toString(body[0] === 0x7b ? 'utf8' : 'hex');
  return body.length > SUMMARY_MAX ? `${start} ...` : start;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function word(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  return value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value;
}
