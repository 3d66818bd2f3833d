/** Schemas of the built-in types, made of their tables when they are first asked for. */
import { assert } from '../../../util/assert.js';
import type { Schema } from '../schema.js';
import { describe } from './describe.js';
import { findMessage, isTopLevel, refOf } from './groups.js';
import type { Field, FieldType, Message, ScalarType } from './line.js';
import { specialSchema } from './special.js';

export { findMessage, groupOf, isTopLevel, refOf } from './groups.js';

const SCALARS: Readonly<Record<ScalarType, Schema>> = {
  s: { type: 'string' },
  b: { type: 'boolean' },
  i: { type: 'integer', format: 'int32' },
  l: { type: 'integer', format: 'int64' },
  u: { type: 'integer', format: 'uint32' },
  U: { type: 'integer', format: 'uint64' },
  d: { type: 'number', format: 'double' },
  y: { type: 'string', format: 'byte' },
};

/** Printed always, and yet not asked for: lists that may be empty, members with a default. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'core.v1/GRPCAction.service',
  'core.v1/TypedLocalObjectReference.apiGroup',
  'core.v1/TypedObjectReference.apiGroup',
  'core.v1/AzureFilePersistentVolumeSource.secretNamespace',
  'core.v1/Event.reportingComponent',
  'core.v1/Event.reportingInstance',
  'networking.v1/IngressClassParametersReference.scope',
  'rbac.v1/ClusterRole.rules',
  'rbac.v1/Role.rules',
  'authentication.v1/TokenRequestSpec.expirationSeconds',
  'authentication.v1/TokenRequestSpec.boundObjectRef',
  'discovery.v1/EndpointSlice.ports',
  'autoscaling.v2/HorizontalPodAutoscalerStatus.currentMetrics',
]);

const schemas = new Map<string, Schema>();

/**
 * The schema of a message: `core.v1/Pod`, `apps.v1/DeploymentSpec`, `meta.v1/ObjectMeta`, `core.v1/PodList`. The same
 * value at every call. It is a bug to ask for one that the tables do not have.
 */
export function schemaOf(ref: string): Schema {
  const known = schemas.get(ref);
  if (known !== undefined) return known;
  const schema = specialSchema(ref) ?? orBool(ref) ?? structSchema(ref);
  schemas.set(ref, schema);
  return schema;
}

/** Of a kind by its API group, version and name; undefined if it is no built-in one. */
export function schemaOfKind(group: string, version: string, kind: string): Schema | undefined {
  const ref = refOf(group, version, kind);
  return ref === undefined ? undefined : schemaOf(ref);
}

/** The two unions of a custom resource's schema: a schema, or what is not an object and taken as it is. */
function orBool(ref: string): Schema | undefined {
  if (ref !== 'runtime/JSONSchemaPropsOrBool' && ref !== 'runtime/JSONSchemaPropsOrArray') return undefined;
  return { ...structSchema('apiextensions.v1/JSONSchemaProps'), type: 'any' };
}

function structSchema(ref: string): Schema {
  const message = findMessage(ref);
  assert(message !== undefined, () => `no type ${ref}`);
  let members: Map<string, Schema> | undefined;
  const required = requiredOf(message);
  const description = describe(ref);
  return {
    type: 'object',
    ref,
    ...(description === undefined ? {} : { description }),
    properties: () => (members ??= membersOf(message)),
    ...(required.length === 0 ? {} : { required }),
    ...(message.atomic ? { mapType: 'atomic' as const } : {}),
  };
}

function requiredOf(message: Message): string[] {
  return message.fields.flatMap((field) => {
    if (field.inline && field.type.of === 'message') return schemaOf(field.type.ref).required ?? [];
    return field.always && !OPTIONAL.has(`${message.ref}.${field.name}`) ? [field.name] : [];
  });
}

function membersOf(message: Message): Map<string, Schema> {
  const members = new Map<string, Schema>();
  if (isTopLevel(message.ref)) {
    for (const name of ['apiVersion', 'kind']) {
      const description = describe(message.ref, name);
      members.set(name, { type: 'string', ...(description === undefined ? {} : { description }) });
    }
  }
  for (const field of message.fields) {
    if (field.inline && field.type.of === 'message') {
      for (const [name, member] of schemaOf(field.type.ref).properties?.() ?? []) members.set(name, member);
    } else {
      members.set(field.name, fieldSchema(message, field));
    }
  }
  return members;
}

function fieldSchema(message: Message, field: Field): Schema {
  const one = typeSchema(field.type);
  const { description: _, ...bare } = one;
  const base: Schema = field.repeated ? { type: 'array', items: one } : bare;
  const description = describe(message.ref, field.name);
  return {
    ...base,
    ...(description === undefined ? {} : { description }),
    ...(field.always ? { always: true } : {}),
    ...(field.presence ? { presence: true } : {}),
    ...(field.mergeKey === undefined ? {} : { patchMergeKey: field.mergeKey }),
    ...(field.mergeSet ? { patchMerge: true } : {}),
    ...(field.retainKeys ? { retainKeys: true } : {}),
    ...applyMarks(field),
  };
}

function applyMarks(field: Field): Partial<Schema> {
  if (field.mapKeys !== undefined) return { listType: 'map', listMapKeys: field.mapKeys };
  if (field.set) return { listType: 'set' };
  if (!field.atomic) return {};
  return field.repeated ? { listType: 'atomic' } : { mapType: 'atomic' };
}

function typeSchema(type: FieldType): Schema {
  if (type.of === 'scalar') return SCALARS[type.scalar];
  if (type.of === 'map') return { type: 'object', additionalProperties: typeSchema(type.value) };
  return schemaOf(type.ref);
}
