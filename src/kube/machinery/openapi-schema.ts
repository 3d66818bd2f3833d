/** Schemas as OpenAPI v3 writes them: structs by reference, with the marks that patches and explain need. */
import type { Schema } from './schema.js';
import { groupOf, isTopLevel } from './types/groups.js';
import { schemaOf } from './types/index.js';

export type OpenApiSchema = Record<string, unknown>;

const REF = '#/components/schemas/';
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';

const ANY = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON';

const LEAVES: Readonly<Record<string, OpenApiSchema>> = {
  [QUANTITY]: {
    description: 'An amount, such as 500m (of a core), 1.5Gi (of bytes) or 12e6.',
    oneOf: [{ type: 'string' }, { type: 'number' }],
  },
  [ANY]: { description: 'Any JSON value.' },
  [INT_OR_STRING]: {
    description: 'A whole number, or a text such as a percentage or the name of a port.',
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
};

/** `io.k8s.api.core.v1.Pod` of `core.v1/Pod`. */
export function componentName(ref: string): string {
  return `${groupOf(ref).openapi}.${ref.slice(ref.indexOf('/') + 1)}`;
}

/** `com.example.v1.Widget`: of a kind that has no table. */
export function customComponentName(group: string, version: string, kind: string): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

/** Components by name; a schema that is asked for brings all that it names with it. */
export class Components {
  readonly schemas: Record<string, OpenApiSchema> = {};

  /** A reference to a built-in struct. */
  struct(ref: string): OpenApiSchema {
    const name = componentName(ref);
    if (this.schemas[name] === undefined) {
      // First the name, since a struct may contain itself.
      this.schemas[name] = {};
      Object.assign(this.schemas[name], this.#structBody(ref));
    }
    return { $ref: REF + name };
  }

  /** A component of a name of its own. */
  add(name: string, schema: OpenApiSchema): OpenApiSchema {
    this.schemas[name] = schema;
    return { $ref: REF + name };
  }

  /** A value where it stands, with its marks. */
  value(schema: Schema): OpenApiSchema {
    return { ...this.#bare(schema), ...marksOf(schema) };
  }

  #structBody(ref: string): OpenApiSchema {
    const schema = schemaOf(ref);
    const { group, version } = groupOf(ref);
    const gvk = { group: group === 'meta.k8s.io' ? '' : group, version, kind: ref.slice(ref.indexOf('/') + 1) };
    return {
      ...(schema.description === undefined ? {} : { description: schema.description }),
      type: 'object',
      ...this.members(schema),
      ...(schema.mapType === 'atomic' ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      ...(isTopLevel(ref) ? { 'x-kubernetes-group-version-kind': [gvk] } : {}),
    };
  }

  /** `properties` and `required` of a struct. */
  members(schema: Schema): OpenApiSchema {
    const properties: Record<string, OpenApiSchema> = {};
    for (const [name, member] of schema.properties?.() ?? []) properties[name] = this.value(member);
    return { properties, ...(schema.required === undefined ? {} : { required: schema.required }) };
  }

  #bare(schema: Schema): OpenApiSchema {
    if (schema.ref !== undefined && schema.type === 'object') {
      const one = { allOf: [this.struct(schema.ref)] };
      return schema.presence === true ? one : { ...one, default: {} };
    }
    switch (schema.type) {
      case 'object':
        return this.#map(schema);
      case 'array':
        return { type: 'array', items: schema.items === undefined ? this.#leaf(ANY) : this.#element(schema.items) };
      case 'int-or-string':
        return schema.source === undefined ? this.#leaf(INT_OR_STRING) : { 'x-kubernetes-int-or-string': true };
      case 'any':
        // Nothing may be empty here: kubectl explain takes that for no schema at all.
        return schema.properties === undefined ? this.#leaf(ANY) : { type: 'object' };
      default:
        return schema.format === 'quantity' ? this.#leaf(QUANTITY) : scalar(schema);
    }
  }

  #map(schema: Schema): OpenApiSchema {
    if (schema.properties !== undefined) return { type: 'object', ...this.members(schema) };
    const { additionalProperties } = schema;
    return additionalProperties === undefined
      ? { type: 'object' }
      : { type: 'object', additionalProperties: this.#element(additionalProperties) };
  }

  /** Of a list or a map: without a mark of its own, with the zero that it has. */
  #element(schema: Schema): OpenApiSchema {
    const { description: _, ...bare } = schema;
    const element = this.value(bare);
    return schema.type === 'string' && schema.format === undefined ? { ...element, default: '' } : element;
  }

  #leaf(name: string): OpenApiSchema {
    this.schemas[name] ??= LEAVES[name] as OpenApiSchema;
    return { allOf: [{ $ref: REF + name }] };
  }
}

const FORMATS: Readonly<Record<string, string>> = { 'micro-time': 'date-time', uint32: 'int64', uint64: 'int64' };

function scalar(schema: Schema): OpenApiSchema {
  const { type, format } = schema;
  if (format === undefined || format === 'duration') return { type };
  return { type, format: FORMATS[format] ?? format };
}

function marksOf(schema: Schema): OpenApiSchema {
  const merges = schema.patchMergeKey !== undefined || schema.patchMerge === true;
  const strategy = [...(merges ? ['merge'] : []), ...(schema.retainKeys === true ? ['retainKeys'] : [])].join(',');
  const keys = schema.listMapKeys;
  const listType = schema.listType ?? (schema.type === 'array' ? 'atomic' : undefined);
  return {
    ...(schema.description === undefined ? {} : { description: schema.description }),
    ...(listType === undefined ? {} : { 'x-kubernetes-list-type': listType }),
    ...(keys === undefined ? {} : { 'x-kubernetes-list-map-keys': keys }),
    ...(schema.mapType === 'atomic' && schema.ref === undefined ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(schema.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': schema.patchMergeKey }),
    ...(strategy === '' ? {} : { 'x-kubernetes-patch-strategy': strategy }),
    ...(schema.preserveUnknown === true && schema.source !== undefined
      ? { 'x-kubernetes-preserve-unknown-fields': true }
      : {}),
  };
}
