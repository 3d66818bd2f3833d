import type { Kind, ObjectReader } from '../kinds/kind.js';
import { equalButTimes, trackUpdate } from '../machinery/apply/managed-fields.js';
import type { FieldError } from '../machinery/field-error.js';
import { invalidObject } from '../machinery/field-error.js';
import { equalJson } from '../machinery/json-value.js';
import { validateMetadata, validateMetadataUpdate } from '../machinery/metadata-validation.js';
import type { KubeObject, ManagedFieldsEntry } from '../machinery/object.js';
import { apiVersionOf } from '../machinery/object.js';
import type { Admission, AdmissionOperation, AdmissionRequest } from './admission.js';
import { carryMetadata, metadataRules, specChanged, timeText } from './metadata-rules.js';
import type { WriteContext } from './resource.js';
import type { UndoList } from './undo-list.js';
import type { UpdateStrategy } from './update-strategy.js';

/** What every write of a kind passes through. */
export interface WriteTools {
  readonly kind: Kind;
  readonly admission: Admission;
  /** For the kind's hooks. */
  readonly objects: ObjectReader;
  /** ms since the epoch */
  readonly now: () => number;
}

/** One write on its way. */
export interface WriteCase {
  readonly context: WriteContext;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly undos: UndoList;
  /** What an apply made of them; absent: the write is tracked. */
  readonly managedFields?: readonly ManagedFieldsEntry[] | undefined;
}

export function admissionRequest(
  tools: WriteTools,
  operation: AdmissionOperation,
  write: WriteCase,
  object: KubeObject | null,
  oldObject: KubeObject | null,
  options: Readonly<Record<string, unknown>> = {},
): AdmissionRequest {
  const { context, namespace, name, subresource, undos } = write;
  const { user, dryRun, fieldManager, fieldValidation } = context;
  const kinds = {
    CREATE: 'CreateOptions',
    UPDATE: 'UpdateOptions',
    DELETE: 'DeleteOptions',
    CONNECT: 'ConnectOptions',
  };
  const common = {
    kind: kinds[operation],
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(operation === 'DELETE' ? {} : { fieldManager, fieldValidation }),
  };
  return {
    operation,
    kind: tools.kind,
    subresource,
    namespace,
    name,
    user,
    dryRun,
    options: { ...common, ...options },
    object,
    oldObject,
    warn: (text) => context.warn(text),
    onFailure: undos.add,
  };
}

/**
 * Everything between the generic metadata of a new object and its write.
 * @param object changed in place
 * @throws ApiError
 */
export async function runCreate(tools: WriteTools, write: WriteCase, object: KubeObject): Promise<void> {
  const { kind, admission, objects } = tools;
  const { context, undos } = write;
  kind.setDefaults?.(object);
  kind.prepareForCreate?.(object);
  const identity = { ...object.metadata };
  const request = admissionRequest(tools, 'CREATE', write, object, null);
  await admission.admit(request);
  // A webhook may say what it likes about what only we may say.
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp', 'generation'] as const) {
    (object.metadata as Record<string, unknown>)[field] = identity[field];
    if (identity[field] === undefined) delete object.metadata[field];
  }
  kind.setDefaults?.(object);
  undos.add(await kind.hooks?.beforeCreate?.(object, objects, context.dryRun));
  refuse(kind, object, [
    ...validateMetadata(object.metadata, metadataRules(kind)),
    ...(kind.validate?.(object) ?? []),
    ...(kind.validateCreate?.(object) ?? []),
  ]);
  setManagers(object, write.managedFields ?? track(tools, write, object, null));
  await admission.validate(request);
  warnOf(kind, object, context);
}

/**
 * Everything between what was sent (or patched) and the write over an old object.
 * @param sent the caller's own; becomes the result or a part of it
 * @param old in the kind's version; not changed
 */
export async function runUpdate(
  tools: WriteTools,
  write: WriteCase,
  strategy: UpdateStrategy,
  sent: KubeObject,
  old: KubeObject,
): Promise<KubeObject> {
  const { kind, admission, objects } = tools;
  const { context, undos } = write;
  const object = strategy.take(sent, old);
  object.apiVersion = apiVersionOf(kind);
  object.kind = kind.kind;
  carryMetadata(object, old);
  kind.setDefaults?.(object);
  strategy.prepare(object, old);
  const request = admissionRequest(tools, 'UPDATE', write, object, old);
  await admission.admit(request);
  carryMetadata(object, old);
  kind.setDefaults?.(object);
  undos.add(await kind.hooks?.beforeUpdate?.(object, old, objects, context.dryRun));
  if (kind.hasGeneration && strategy.countsGeneration && specChanged(object, old)) {
    object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  refuse(kind, object, [
    ...validateMetadata(object.metadata, metadataRules(kind)),
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...strategy.validate(object, old),
  ]);
  setManagers(object, write.managedFields ?? track(tools, write, object, old));
  if (sameButTimes(object, old)) object.metadata.managedFields = old.metadata.managedFields!;
  await admission.validate(request);
  warnOf(kind, object, context);
  return object;
}

function track(tools: WriteTools, write: WriteCase, object: KubeObject, old: KubeObject | null): ManagedFieldsEntry[] {
  const { kind, now } = tools;
  return trackUpdate({
    schema: kind.schema,
    old,
    object,
    manager: write.context.fieldManager,
    operation: 'Update',
    subresource: write.subresource,
    apiVersion: apiVersionOf(kind),
    now: timeText(now()),
    ...(kind.hasStatus ? {} : { ignored: [] }),
  });
}

/** Nothing is new but when who said it: defaults and admission have made what was sent the old object again. */
function sameButTimes(object: KubeObject, old: KubeObject): boolean {
  const { managedFields = [], ...metadata } = object.metadata;
  const { managedFields: before = [], ...oldMetadata } = old.metadata;
  if (managedFields.length === 0 || !equalButTimes(managedFields, before)) return false;
  return equalJson(metadata, oldMetadata) && equalJson({ ...object, metadata: null }, { ...old, metadata: null });
}

function setManagers(object: KubeObject, entries: readonly ManagedFieldsEntry[]): void {
  if (entries.length > 0) object.metadata.managedFields = [...entries];
  else delete object.metadata.managedFields;
}

function refuse(kind: Kind, object: KubeObject, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject(kind.group, kind.kind, object.metadata.name ?? '', errors);
}

function warnOf(kind: Kind, object: KubeObject, context: WriteContext): void {
  for (const text of kind.warnings?.(object) ?? []) context.warn(text);
}
