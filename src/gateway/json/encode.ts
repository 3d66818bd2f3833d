import type { AnyCodec } from '../../wire/index.js';
import type { JsonField } from './fields.js';
import { tableOf } from './fields.js';

type Loose = Record<string, unknown>;

/**
 * A message as protojson writes it with the names of the .proto file: what is zero is left out, 64-bit integers are
 * strings, bytes are base64, enums go by name. No space stands anywhere.
 */
export function toJson(codec: AnyCodec, message: unknown): string {
  const from = message as Loose;
  let out = '';
  for (const f of tableOf(codec).fields) {
    const value = written(f, from);
    if (value !== undefined) out += `${out === '' ? '' : ','}"${f.proto}":${value}`;
  }
  return `{${out}}`;
}

/** undefined: the field is not written. */
function written(f: JsonField, from: Loose): string | undefined {
  if (f.oneof !== null) {
    // A member of a oneof is written when it is set, be it zero.
    return from[f.oneof.tag] === f.number ? one(f, from[f.oneof.value ?? f.name]) : undefined;
  }
  const value = from[f.name];
  if (f.repeated) {
    const items = value as unknown[];
    return items.length === 0 ? undefined : `[${items.map((item) => one(f, item)).join(',')}]`;
  }
  return isZero(value) ? undefined : one(f, value);
}

function isZero(value: unknown): boolean {
  return (
    value === 0 || value === '' || value === false || value === null || value === 0n || (value as Buffer).length === 0
  );
}

function one(f: JsonField, value: unknown): string {
  switch (f.kind) {
    case 'key':
      return `"${Buffer.from(value as string, 'latin1').toString('base64')}"`;
    case 'text':
      return `"${Buffer.from(value as string).toString('base64')}"`;
    case 'bytes':
      return `"${(value as Buffer).toString('base64')}"`;
    case 'string':
      return JSON.stringify(value);
    case 'bool':
    case 'uint32':
      return String(value);
    case 'enum': {
      const name = f.names?.get(value as number);
      return name === undefined ? String(value) : `"${name}"`;
    }
    case 'message':
      return toJson((f.message as () => AnyCodec)(), value);
    default:
      return `"${value}"`;
  }
}

const HTML: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** As Go's encoding/json leaves what it embeds: safe to stand in a page. */
export function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => HTML[c] as string);
}
