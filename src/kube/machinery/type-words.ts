/** What Go calls the types and fields of built-in structs, for the texts of decoding errors. */
import type { Schema } from './schema.js';
import { memberOf } from './schema.js';

const INTEGERS: Readonly<Record<string, string>> = { int32: 'int32', uint32: 'uint32', uint64: 'uint64' };

/** `int32`, `[]v1.Container`, `map[string]string`, `v1.PodSpec`. */
export function goType(schema: Schema): string {
  switch (schema.type) {
    case 'object':
      if (schema.ref !== undefined) return structName(schema.ref);
      return schema.additionalProperties === undefined
        ? 'map[string]interface {}'
        : `map[string]${goType(schema.additionalProperties)}`;
    case 'array':
      return `[]${schema.items === undefined ? 'interface {}' : goType(schema.items)}`;
    case 'string':
      if (schema.format === 'byte') return '[]uint8';
      return schema.format === 'quantity' ? 'resource.Quantity' : 'string';
    case 'integer':
      return INTEGERS[schema.format ?? ''] ?? 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'int-or-string':
      return 'intstr.IntOrString';
    case 'any':
      return 'interface {}';
  }
}

/** `v1.PodSpec` of `core.v1/PodSpec`. */
function structName(ref: string): string {
  const slash = ref.indexOf('/');
  return `${ref.slice(ref.lastIndexOf('.', slash) + 1, slash)}.${ref.slice(slash + 1)}`;
}

/**
 * `struct field DeploymentSpec.spec.replicas`: the innermost struct, then the members on the way; list indexes and keys
 * of maps are not named. `value` for the root itself.
 */
export function goField(root: Schema, path: readonly (string | number)[]): string {
  let struct = '';
  const names: string[] = [];
  let here: Schema | undefined = root;
  for (const step of path) {
    if (typeof step === 'number') {
      here = here?.items;
      continue;
    }
    if (here?.properties !== undefined) {
      names.push(step);
      struct = here.ref?.slice(here.ref.indexOf('/') + 1) ?? '';
    }
    here = here === undefined ? undefined : memberOf(here, step);
  }
  return names.length === 0 ? 'value' : `struct field ${struct}.${names.join('.')}`;
}
