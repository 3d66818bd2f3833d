import type { AnyCodec } from '../../wire/index.js';
import { DEPTH_MAX } from '../../wire/index.js';
import type { JsonField } from './fields.js';
import { tableOf } from './fields.js';
import { integerOf } from './integer.js';
import { JsonError } from './json-error.js';
import type { Token } from './tokens.js';
import { Tokens } from './tokens.js';

type Loose = Record<string, unknown>;

/**
 * Reads a message as protojson does where it discards what it does not know: either name of a field, 64-bit integers as
 * numbers or strings, enums by name or number, base64 of either alphabet; null is as if the field were not there.
 * @param bytes one JSON value (JsonSplitter)
 * @throws JsonError
 */
export function fromJson(codec: AnyCodec, bytes: Buffer): unknown {
  return readMessage(codec, new Tokens(bytes), 0);
}

function readMessage(codec: AnyCodec, tokens: Tokens, depth: number): Loose {
  if (depth > DEPTH_MAX) throw new JsonError('proto: exceeded max recursion depth');
  const open = tokens.next();
  if (open.kind !== '{') throw unexpected(tokens, open);
  const { byName } = tableOf(codec);
  const out = codec.make() as Loose;
  const seen = new Set<number>();
  const oneofs = new Set<string>();
  for (;;) {
    const name = tokens.next();
    if (name.kind === '}') return out;
    const f = byName.get(name.text);
    if (f === undefined) {
      tokens.skip();
      continue;
    }
    if (seen.has(f.number)) throw at(tokens, name, `duplicate field ${name.raw}`);
    seen.add(f.number);
    if (tokens.peek() === 'n') {
      tokens.next();
    } else if (f.repeated) {
      out[f.name] = readList(f, tokens, depth);
    } else if (f.oneof === null) {
      const value = readOne(f, tokens, depth);
      if (value !== undefined) out[f.name] = value;
    } else {
      const { tag, proto } = f.oneof;
      if (oneofs.has(tag)) {
        throw at(tokens, name, `error parsing ${name.raw}, oneof ${codec.name}.${proto} is already set`);
      }
      oneofs.add(tag);
      out[f.oneof.value ?? f.name] = readOne(f, tokens, depth);
      out[tag] = f.number;
    }
  }
}

function readList(f: JsonField, tokens: Tokens, depth: number): unknown[] {
  const open = tokens.next();
  if (open.kind !== '[') throw unexpected(tokens, open);
  const items: unknown[] = [];
  while (tokens.peek() !== ']') {
    const item = readOne(f, tokens, depth);
    if (item !== undefined) items.push(item);
  }
  tokens.next();
  return items;
}

/** @returns undefined for the name of an enum that nobody knows */
function readOne(f: JsonField, tokens: Tokens, depth: number): unknown {
  if (f.kind === 'message') return readMessage((f.message as () => AnyCodec)(), tokens, depth + 1);
  const token = tokens.next();
  const value = scalarOf(f, token);
  if (value === null) throw at(tokens, token, `invalid value for ${f.type} field ${f.json}: ${token.raw}`);
  return value;
}

/** @returns null where the token is no such value */
function scalarOf(f: JsonField, token: Token): unknown {
  switch (f.kind) {
    case 'bool':
      return token.kind === 't' ? token.raw === 'true' : null;
    case 'string':
      return token.kind === '"' ? token.text : null;
    case 'key':
    case 'text':
    case 'bytes': {
      const bytes = token.kind === '"' ? bytesOf(token.text) : null;
      if (bytes === null || f.kind === 'bytes') return bytes;
      return bytes.toString(f.kind === 'key' ? 'latin1' : 'utf8');
    }
    case 'enum':
      // An unknown name is as good as none.
      if (token.kind === '"') return f.enums?.[token.text];
      return token.kind === '0' ? numberOf(token, 32, true) : null;
    case 'uint32':
      return numberOf(token, 32, false);
    case 'int':
      return numberOf(token, 64, true);
    case 'uint':
      return numberOf(token, 64, false);
    case 'wide': {
      const id = integerOf(token, 64, true);
      return id !== null && Number.isSafeInteger(Number(id)) ? Number(id) : id;
    }
    case 'id':
      return integerOf(token, 64, true);
    default:
      return integerOf(token, 64, false);
  }
}

/** Saturating, as everything that is only ever compared. */
function numberOf(token: Token, bits: number, signed: boolean): number | null {
  const value = integerOf(token, bits, signed);
  if (value === null) return null;
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)));
}

const STANDARD = /^[A-Za-z0-9+/]*(={0,2})$/;
const OF_URLS = /^[A-Za-z0-9_-]*(={0,2})$/;

/** Base64 of either alphabet, padded or not; line ends within it do not count. */
function bytesOf(text: string): Buffer | null {
  const isPadded = text.length % 4 === 0;
  const digits = text.replace(/[\r\n]/g, '');
  const match = (/[-_]/.test(digits) ? OF_URLS : STANDARD).exec(digits);
  if (match === null) return null;
  const padding = (match[1] as string).length;
  const rest = (digits.length - padding) % 4;
  if (rest === 1 || (isPadded ? (rest + padding) % 4 !== 0 : padding > 0)) return null;
  return Buffer.from(digits, 'base64');
}

function unexpected(tokens: Tokens, token: Token): JsonError {
  return tokens.syntaxError(token.at, `unexpected token ${token.raw}`);
}

function at(tokens: Tokens, token: Token, text: string): JsonError {
  return new JsonError(`proto: ${tokens.position(token.at)}: ${text}`);
}
