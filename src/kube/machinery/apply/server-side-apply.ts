/** Server-side apply: a manager states all fields it cares for; the rest of the object is left to others. */
import { ApiError } from '../api-error.js';
import { copyJson, equalJson, isJsonObject } from '../json-value.js';
import type { JsonObject, JsonValue, KubeObject, ManagedFieldsEntry } from '../object.js';
import type { Schema } from '../schema.js';
import type { FieldSet } from './field-set.js';
import { differenceOf, intersectionOf, isEmptySet, LEAF, pathsOf, unionOf } from './field-set.js';
import { appliedFields, compareFields, ownable } from './field-walk.js';
import type { Manager } from './managed-fields.js';
import {
  BEFORE_FIRST_APPLY,
  equalButTimes,
  fieldsOf,
  foldOldest,
  ignoredMembers,
  isEntryOf,
  makeEntry,
  recordChange,
  sortedEntries,
  withFields,
} from './managed-fields.js';
import { mergeConfig, prune } from './merge.js';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const ANNOTATION_BYTES_MAX = 256 * 1024;

export interface ApplyRequest {
  readonly schema: Schema;
  /** With defaults, in the version of the request. Null: it is created. */
  readonly live: KubeObject | null;
  /** The body, decoded strictly; apiVersion, kind and name have been checked against the URL. */
  readonly config: JsonObject;
  readonly manager: string;
  readonly force: boolean;
  readonly subresource: string;
  readonly apiVersion: string;
  /** RFC 3339, whole seconds. */
  readonly now: string;
  /** Members of the object that this path cannot write. Default `status` for the main path, `spec` for /status. */
  readonly ignored?: readonly string[];
}

export interface ApplyResult {
  /** Without defaults for what was added; carries managedFields. The caller's own, shares nothing with live. */
  readonly object: KubeObject;
  readonly managedFields: ManagedFieldsEntry[];
  /** Something besides the times of managedFields is new. */
  readonly changed: boolean;
}

/** What the server decides of metadata: an applied configuration may carry it, and it means nothing there. */
const META_OF_SERVER = [
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'selfLink',
  'managedFields',
];

/**
 * @throws ApiError 409 with a cause for each conflict; 400 for managedFields in the configuration, an item twice in a
 * list or without its keys
 */
export function applyServerSide(request: ApplyRequest): ApplyResult {
  const { config, live, schema } = request;
  const sentMeta = config.metadata as JsonObject | undefined;
  if (Array.isArray(sentMeta?.managedFields) && sentMeta.managedFields.length > 0) {
    throw new ApiError(400, 'BadRequest', 'metadata.managedFields must be nil');
  }
  const wanted = { ...config, ...(sentMeta === undefined ? {} : { metadata: withoutServerMeta(sentMeta) }) };
  const liveObject = (live ?? {}) as JsonObject;
  const ignored = request.ignored ?? ignoredMembers(request.subresource);
  const entries = entriesBefore(request, liveObject, ignored);
  const fields = ownable(appliedFields(schema, wanted), ignored);

  let merged = mergeConfig(schema, liveObject, wanted);
  const who: Manager = {
    manager: request.manager,
    operation: 'Apply',
    apiVersion: request.apiVersion,
    subresource: request.subresource,
  };
  const mine = entries.find((entry) => isEntryOf(entry, who));
  const others = entries.filter((entry) => entry !== mine);
  if (mine !== undefined) {
    const owned = others.reduce((set, entry) => unionOf(set, fieldsOf(entry)), fields);
    merged = (prune(schema, merged, fieldsOf(mine), owned) ?? {}) as JsonObject;
  }
  const comparison = compareFields(schema, liveObject, merged);
  const changed = ownable(comparison.changed, ignored);
  const removed = ownable(comparison.removed, ignored);

  if (!request.force) {
    const conflicts = conflictsOf(others, changed, ownFromBefore(request));
    if (conflicts.length > 0) throw conflictError(conflicts);
  }
  const kept: ManagedFieldsEntry[] = [];
  for (const entry of others) {
    const left = withFields(entry, differenceOf(differenceOf(fieldsOf(entry), changed), removed));
    if (left !== undefined) kept.push(left);
  }
  const same = isEmptySet(changed) && isEmptySet(removed);
  if (!isEmptySet(fields)) kept.push(makeEntry(who, fields, request.now));
  let managedFields = sortedEntries(foldOldest(kept));
  const before = live?.metadata.managedFields ?? [];
  const unchanged = live !== null && same && equalButTimes(managedFields, before);
  if (unchanged) managedFields = [...before];
  else if (mine?.time !== undefined && same && fieldsSame(mine, fields)) {
    managedFields = managedFields.map((entry) => (isEntryOf(entry, who) ? { ...entry, time: mine.time! } : entry));
  }

  const object = copyJson(merged) as KubeObject;
  object.metadata = { ...object.metadata };
  if (managedFields.length > 0) object.metadata.managedFields = managedFields;
  else delete object.metadata.managedFields;
  if (!unchanged) keepAnnotationInStep(request, object);
  return { object, managedFields, changed: !unchanged };
}

function fieldsSame(entry: ManagedFieldsEntry, fields: FieldSet): boolean {
  return equalJson(entry.fieldsV1, fields);
}

function withoutServerMeta(metadata: JsonObject): JsonObject {
  const rest = { ...metadata };
  for (const name of META_OF_SERVER) delete rest[name];
  return rest;
}

/** What is stored, or one entry for all that is there when nobody was tracked so far. */
function entriesBefore(
  request: ApplyRequest,
  live: JsonObject,
  ignored: readonly string[],
): readonly ManagedFieldsEntry[] {
  if (request.live === null) return [];
  const stored = request.live.metadata.managedFields ?? [];
  if (stored.length > 0) return stored;
  const who: Manager = {
    manager: BEFORE_FIRST_APPLY,
    operation: 'Update',
    apiVersion: request.apiVersion,
    subresource: '',
  };
  return recordChange([], who, compareFields(request.schema, {}, live), ignored, request.now);
}

interface Conflict {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

function conflictsOf(others: readonly ManagedFieldsEntry[], changed: FieldSet, allowed: FieldSet): Conflict[] {
  const conflicts: Conflict[] = [];
  for (const entry of others) {
    const fields = differenceOf(intersectionOf(fieldsOf(entry), changed), allowed);
    if (!isEmptySet(fields)) conflicts.push({ entry, fields });
  }
  return conflicts;
}

/**
 * What kubectl once applied from the client's side, says its annotation, and the live object still has: that was
 * kubectl's own, whoever owns it now, and it may have it back.
 */
function ownFromBefore(request: ApplyRequest): FieldSet {
  const text = request.live?.metadata.annotations?.[LAST_APPLIED];
  if (request.manager !== 'kubectl' || text === undefined || text === '') return LEAF;
  let lastApplied: JsonValue;
  try {
    lastApplied = JSON.parse(text) as JsonValue;
  } catch {
    return LEAF;
  }
  if (!isJsonObject(lastApplied)) return LEAF;
  const { changed, removed } = compareFields(request.schema, request.live as JsonObject, lastApplied);
  return differenceOf(differenceOf(appliedFields(request.schema, lastApplied), changed), removed);
}

function conflictError(conflicts: readonly Conflict[]): ApiError {
  const named = conflicts
    .map(({ entry, fields }) => ({ name: managerText(entry), paths: pathsOf(fields) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const causes = named.flatMap(({ name, paths }) =>
    paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field })),
  );
  let message: string;
  if (causes.length === 1) {
    message = `Apply failed with 1 conflict: ${causes[0]!.message}: ${causes[0]!.field}`;
  } else {
    const lines = named.flatMap(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)]);
    message = `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`;
  }
  return new ApiError(409, 'Conflict', message, { causes });
}

function managerText({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  let text = JSON.stringify(manager ?? '');
  if (subresource !== undefined && subresource !== '') text += ` with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${text} using ${apiVersion ?? ''}` : text;
}

/** kubectl may go back to client-side apply: the annotation it left follows what it applies now. */
function keepAnnotationInStep(request: ApplyRequest, object: KubeObject): void {
  const annotations = object.metadata.annotations;
  if (request.manager !== 'kubectl' || request.subresource !== '' || !annotations?.[LAST_APPLIED]) return;
  const applied = copyJson(request.config) as KubeObject;
  if (applied.metadata?.annotations !== undefined) delete applied.metadata.annotations[LAST_APPLIED];
  delete applied.metadata?.managedFields;
  const text = `${JSON.stringify(applied)}\n`;
  object.metadata.annotations = {
    ...annotations,
    [LAST_APPLIED]: Buffer.byteLength(text) > ANNOTATION_BYTES_MAX ? '' : text,
  };
}
