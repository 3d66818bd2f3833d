/** Patches of every kind on one object. The algorithms are machinery's. Source: kubernetes patches. */
import type { Kind } from '../kinds/kind.js';
import { strictText, unfitPatch } from '../machinery/accept.js';
import type { ApiError } from '../machinery/api-error.js';
import { badRequest, conflict, unsupportedMediaType } from '../machinery/api-error.js';
import { forbiddenField, invalidObject, required } from '../machinery/field-error.js';
import type { JsonObject, JsonValue, KubeObject, ManagedFieldsEntry } from '../machinery/object.js';
import { apiVersionOf } from '../machinery/object.js';
import type { Schema } from '../machinery/schema.js';
import type { Patch, PatchType, WriteContext } from './resource.js';

export interface ApplyRequest {
  readonly schema: Schema;
  /** Null: it is created. */
  readonly live: KubeObject | null;
  readonly config: JsonObject;
  readonly manager: string;
  readonly force: boolean;
  readonly subresource: string;
  readonly apiVersion: string;
  readonly now: string;
  /** Members of the object that this path cannot write; absent: as of a kind with a status of its own. */
  readonly ignored?: readonly string[];
}

export interface TrackRequest {
  readonly schema: Schema;
  /** Null: it was created. */
  readonly old: KubeObject | null;
  readonly object: KubeObject;
  readonly manager: string;
  readonly operation: 'Update';
  readonly subresource: string;
  readonly apiVersion: string;
  readonly now: string;
  /** Members of the object that this path cannot write; absent: as of a kind with a status of its own. */
  readonly ignored?: readonly string[];
}

/** What machinery knows of patches, schemas and managers. */
export interface PatchMachinery {
  json(document: JsonObject, operations: readonly JsonValue[]): JsonObject;
  merge(document: JsonObject, patch: JsonObject): JsonObject;
  strategic(schema: Schema, document: JsonObject, patch: JsonObject): JsonObject;
  /** @throws ApiError 409 for conflicts */
  apply(request: ApplyRequest): { object: KubeObject; managedFields: ManagedFieldsEntry[]; changed: boolean };
  track(request: TrackRequest): ManagedFieldsEntry[];
  /**
   * The patched document as an object of its kind; what the schema does not know is dropped, and told in the words of
   * strict errors.
   * @throws ApiError 422 for a value of a wrong type
   */
  decode(kind: Kind, document: JsonObject): { object: KubeObject; unknown: readonly string[] };
  /**
   * The configuration of an apply in canonical form. What is empty stays: it is meant.
   * @throws ApiError 400 for what the schema does not know
   */
  configure(kind: Kind, config: JsonObject): JsonObject;
}

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
export function patched(
  machinery: PatchMachinery,
  kind: Kind,
  current: KubeObject,
  patch: Patch,
  context: WriteContext,
): KubeObject {
  const document = runPatch(machinery, kind.schema, current as JsonObject, patch);
  checkType(kind, document);
  const { object, unknown } = machinery.decode(kind, document);
  if (unknown.length > 0 && context.fieldValidation === 'Strict') {
    throw unfitPatch(patch.body as JsonValue, strictText(unknown));
  }
  if (context.fieldValidation === 'Warn') for (const text of unknown) context.warn(text);
  return object;
}

/** Also for documents that are no stored objects (Scale). */
export function runPatch(machinery: PatchMachinery, schema: Schema, document: JsonObject, patch: Patch): JsonObject {
  if (patch.type === 'json') return machinery.json(document, patch.body as readonly JsonValue[]);
  const body = patch.body as JsonObject;
  return patch.type === 'strategic' ? machinery.strategic(schema, document, body) : machinery.merge(document, body);
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

/** An apply to an object that it names by uid, and that is gone. */
export function uidOfNothing(kind: Kind, name: string, uid: string): ApiError {
  return conflict(
    kind,
    name,
    `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
  );
}
