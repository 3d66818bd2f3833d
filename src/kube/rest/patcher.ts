/** Patches of every kind on one object. The algorithms are machinery's. Source: kubernetes patches. */
import type { Kind } from '../kinds/kind.js';
import { decodePatched, strictText, unfitPatch } from '../machinery/accept.js';
import type { ApiError } from '../machinery/api-error.js';
import { badRequest, conflict, unsupportedMediaType } from '../machinery/api-error.js';
import { conform, UnfitError } from '../machinery/conform.js';
import { forbiddenField, invalidObject, required } from '../machinery/field-error.js';
import { applyJsonPatch } from '../machinery/json-patch.js';
import { applyMergePatch } from '../machinery/merge-patch.js';
import type { JsonObject, JsonValue, KubeObject } from '../machinery/object.js';
import { apiVersionOf } from '../machinery/object.js';
import type { Schema } from '../machinery/schema.js';
import { applyStrategicPatch } from '../machinery/strategic-patch.js';
import type { Patch, PatchType, WriteContext } from './resource.js';

const MEDIA_TYPE: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** The patch types that a kind takes, as media types. */
export function patchTypesOf(kind: Kind): string[] {
  const types: PatchType[] = ['json', 'merge', 'strategic', 'apply'];
  return types.filter((type) => type !== 'strategic' || kind.noStrategicPatch !== true).map((t) => MEDIA_TYPE[t]);
}

/** @throws ApiError 415, 422 before anything is read */
export function checkPatch(kind: Kind, patch: Patch, context: WriteContext): void {
  if (patch.type === 'strategic' && kind.noStrategicPatch) throw unsupportedMediaType(patchTypesOf(kind));
  if (patch.type !== 'apply') {
    if (!patch.force) return;
    const error = forbiddenField('force', 'may not be specified for non-apply patch');
    throw invalidObject('meta.k8s.io', 'PatchOptions', '', [error]);
  }
  if (context.fieldManager === '') {
    const error = required('fieldManager', 'is required for apply patch');
    throw invalidObject('meta.k8s.io', 'PatchOptions', '', [error]);
  }
}

/**
 * One object with a patch on it, in the kind's version. Not for apply.
 * @param current not changed
 * @throws ApiError 400, 422
 */
export function patched(kind: Kind, current: KubeObject, patch: Patch, context: WriteContext): KubeObject {
  const document = runPatch(kind.schema, current as JsonObject, patch);
  checkType(kind, document);
  const { object, unknown } = decodePatched(kind, document);
  if (unknown.length > 0 && context.fieldValidation === 'Strict') {
    throw unfitPatch(patch.body as JsonValue, strictText(unknown));
  }
  if (context.fieldValidation === 'Warn') for (const text of unknown) context.warn(text);
  return object;
}

/** Also for documents that are no stored objects (Scale). */
export function runPatch(schema: Schema, document: JsonObject, patch: Patch): JsonObject {
  if (patch.type === 'json') return applyJsonPatch(document, patch.body as readonly JsonValue[]);
  const body = patch.body as JsonObject;
  return patch.type === 'strategic' ? applyStrategicPatch(schema, document, body) : applyMergePatch(document, body);
}

function checkType(kind: Kind, document: JsonObject): void {
  const { apiVersion, kind: name } = document;
  const own = apiVersionOf(kind);
  if (apiVersion === own && name === kind.kind) return;
  const sent = `${String(name)} in version ${JSON.stringify(apiVersion ?? '')}`;
  throw badRequest(
    `${sent} cannot be handled as a ${kind.kind}: the patched object must stay a ${kind.kind} of ${own}`,
  );
}

/** The configuration of an apply must be of the object that the URL names. @throws ApiError 400 */
export function checkConfig(kind: Kind, config: JsonObject, namespace: string, name: string): JsonObject {
  checkType(kind, config);
  const metadata = { ...(config.metadata as JsonObject | undefined) };
  if (metadata.name === undefined || metadata.name === '') metadata.name = name;
  if (metadata.name !== name) {
    throw badRequest(`the name of the object (${String(metadata.name)}) does not match the name on the URL (${name})`);
  }
  if (kind.namespaced) {
    if (metadata.namespace === undefined || metadata.namespace === '') metadata.namespace = namespace;
    if (metadata.namespace !== namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
  }
  return { ...config, metadata };
}

/**
 * The configuration of an apply in canonical form. What is empty stays: it is meant.
 * @throws ApiError 400 for what the schema does not know
 */
export function canonicalConfig(kind: Kind, config: JsonObject): JsonObject {
  const { name, namespace } = (config.metadata ?? {}) as { name?: string; namespace?: string };
  const what = `${namespace === undefined ? '' : `${namespace}/`}${name}; ${apiVersionOf(kind)}, Kind=${kind.kind}`;
  const refusal = (why: string) => badRequest(`failed to create typed patch object (${what}): ${why}`);
  try {
    const { value, unknown } = conform(kind.schema, config, { keepEmpty: true });
    if (unknown.length === 0) return value as JsonObject;
    const fields = unknown.map((path) => `.${path}: field not declared in schema`);
    throw refusal(fields.length === 1 ? fields[0]! : `errors:\n${fields.map((f) => `  ${f}`).join('\n')}`);
  } catch (error) {
    throw error instanceof UnfitError ? refusal(error.message) : error;
  }
}

/** An apply to an object that it names by uid, and that is gone. */
export function uidOfNothing(kind: Kind, name: string, uid: string): ApiError {
  return conflict(
    kind,
    name,
    `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
  );
}
