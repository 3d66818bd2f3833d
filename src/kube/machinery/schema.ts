/**
 * The shape of a value, from which decoding, pruning, defaults, strategic merge, server-side apply and OpenAPI are
 * driven. Built-in kinds get theirs from the type tables (`machinery/types`), custom resources from the
 * openAPIV3Schema of their definition; whoever walks a Schema does not know which.
 */

export type SchemaType =
  | 'object'
  | 'array'
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  /** A number or a string, as `targetPort`. */
  | 'int-or-string'
  /** Any JSON at all. */
  | 'any';

/** How the text of a string is to be read. The last four are kept as they came, but for quantities in canonical form. */
export type StringFormat = 'byte' | 'date-time' | 'micro-time' | 'duration' | 'quantity' | string;

export interface Schema {
  readonly type: SchemaType;
  /** `core.v1/PodSpec` for a built-in struct: names it in OpenAPI. */
  readonly ref?: string;
  readonly description?: string;
  readonly format?: StringFormat;
  /** null is a value of its own (custom resources). */
  readonly nullable?: boolean;
  /** Filled in when the member is absent (custom resources). */
  readonly default?: unknown;

  /** Members of a struct, made at the first call: types may contain themselves. Undefined for a map. */
  readonly properties?: () => ReadonlyMap<string, Schema>;
  /** Of a map: what each value is. With neither this nor properties an object takes anything (see preserveUnknown). */
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];

  /** Members that properties does not name are kept (x-kubernetes-preserve-unknown-fields). */
  readonly preserveUnknown?: boolean;
  /** The value is an object of its own, with apiVersion, kind and metadata (x-kubernetes-embedded-resource). */
  readonly embedded?: boolean;
  /** Printed even when zero or empty. */
  readonly always?: boolean;
  /** Presence counts: zero is a value, not "not set". */
  readonly presence?: boolean;

  /** Server-side apply of a list; absent is atomic. */
  readonly listType?: 'atomic' | 'set' | 'map';
  /** Of a `map` list: which members tell items apart. */
  readonly listMapKeys?: readonly string[];
  /** Server-side apply of a map or struct; absent is granular. */
  readonly mapType?: 'granular' | 'atomic';

  /** Strategic merge: a list merged by this member of its items. */
  readonly patchMergeKey?: string;
  /** Strategic merge: `merge` of a list without key is a set of scalars. */
  readonly patchMerge?: boolean;
  readonly retainKeys?: boolean;

  /** Validation of custom resources (type, enum, pattern, minimum ...) looks here; absent for built-ins. */
  readonly source?: Readonly<Record<string, unknown>>;
}

/** The member's schema, or undefined if the schema does not name it and is no map. */
export function memberOf(schema: Schema, name: string): Schema | undefined {
  return schema.properties?.().get(name) ?? schema.additionalProperties;
}
