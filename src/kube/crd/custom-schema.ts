/** From the openAPIV3Schema of a definition to the Schema that everything else walks. Source: structural schemas. */
import { isJsonObject } from '../machinery/json-value.js';
import type { JsonObject, JsonValue } from '../machinery/object.js';
import type { Schema, SchemaType } from '../machinery/schema.js';
import { schemaOf } from '../machinery/types/index.js';

const STRING: Schema = { type: 'string' };
const ANYTHING: Schema = { type: 'any', preserveUnknown: true };
const NO_MEMBERS: ReadonlyMap<string, Schema> = new Map();
const TYPES: ReadonlySet<string> = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

/** What every object has, whatever its schema says of it. */
function objectMembers(): [string, Schema][] {
  return [
    ['apiVersion', STRING],
    ['kind', STRING],
    ['metadata', schemaOf('meta.v1/ObjectMeta')],
  ];
}

/** The schema of a whole custom resource. @param source structural; absent only for what was stored before it had to be */
export function customSchema(source: JsonObject | undefined): Schema {
  const root = source === undefined ? { ...ANYTHING, type: 'object' as const } : schemaFrom(source);
  let members: ReadonlyMap<string, Schema> | undefined;
  return {
    ...root,
    type: 'object',
    properties: () => (members ??= new Map([...(root.properties?.() ?? []), ...objectMembers()])),
  };
}

function schemaFrom(source: JsonObject): Schema {
  const type = typeOf(source);
  const preserve = source['x-kubernetes-preserve-unknown-fields'] === true;
  const embedded = source['x-kubernetes-embedded-resource'] === true;
  const listKeys = source['x-kubernetes-list-map-keys'];
  return {
    type,
    source,
    ...text('description', source.description),
    ...text('format', source.format),
    ...(source.nullable === true ? { nullable: true } : {}),
    ...(source.default === undefined ? {} : { default: source.default }),
    ...(Array.isArray(source.required) ? { required: source.required as string[] } : {}),
    ...(preserve ? { preserveUnknown: true } : {}),
    ...(embedded ? { embedded: true } : {}),
    ...membersFrom(source, type, embedded),
    ...(isJsonObject(source.items) ? { items: schemaFrom(source.items) } : {}),
    ...listTypeFrom(source),
    ...(Array.isArray(listKeys) ? { listMapKeys: listKeys as string[] } : {}),
    ...(source['x-kubernetes-map-type'] === 'atomic' ? { mapType: 'atomic' as const } : {}),
    // Zero is a value in custom resources: nothing is left out because it is empty.
    presence: true,
  };
}

function typeOf(source: JsonObject): SchemaType {
  if (source['x-kubernetes-int-or-string'] === true) return 'int-or-string';
  if (typeof source.type === 'string' && TYPES.has(source.type)) return source.type as SchemaType;
  // Structural schemas leave the type out only where anything may stand; an embedded object is one all the same.
  return source['x-kubernetes-embedded-resource'] === true || isJsonObject(source.properties) ? 'object' : 'any';
}

function text<K extends 'description' | 'format'>(name: K, value: JsonValue | undefined): { [P in K]?: string } {
  return typeof value === 'string' && value !== '' ? ({ [name]: value } as { [P in K]?: string }) : {};
}

/** An object that names no members at all has none: what is in it is unknown. */
function membersFrom(source: JsonObject, type: SchemaType, embedded: boolean): Partial<Schema> {
  const { properties, additionalProperties } = source;
  const extra = embedded ? objectMembers() : [];
  if (isJsonObject(properties) || embedded) {
    const given = Object.entries(isJsonObject(properties) ? properties : {});
    let members: ReadonlyMap<string, Schema> | undefined;
    return {
      properties: () =>
        (members ??= new Map([
          ...given.map(([name, s]): [string, Schema] => [name, schemaFrom(s as JsonObject)]),
          ...extra,
        ])),
    };
  }
  if (isJsonObject(additionalProperties)) return { additionalProperties: schemaFrom(additionalProperties) };
  if (additionalProperties === true) return { additionalProperties: ANYTHING };
  return type === 'object' ? { properties: () => NO_MEMBERS } : {};
}

function listTypeFrom(source: JsonObject): Partial<Schema> {
  const type = source['x-kubernetes-list-type'];
  return type === 'set' || type === 'map' || type === 'atomic' ? { listType: type } : {};
}
