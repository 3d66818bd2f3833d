/**
 * The grammar of the type tables, one message a line:
 *
 *   Name = number jsonName Type marks; number jsonName Type marks; ...
 *
 * Types: `s` string, `b` bool, `i` int32, `l` int64, `u` uint32, `U` uint64, `d` double, `y` bytes, `Name` a message of
 * the same group, `group.version/Name` one of another, `{s,T}` a map. Numbers are those of protobuf; a message that is
 * never sent as protobuf has none. Marks: `*` repeated, `?` presence counts, `!` printed even when empty, `^` inlined,
 * `@key` / `@=` / `@rk` strategic merge, `#k1+k2` / `#set` / `#atomic` server-side apply. `Name(atomic)` is one leaf for
 * server-side apply. `a>b` is a member whose protobuf name a differs from its JSON name b.
 */
import { assert } from '../../../util/assert.js';

export type ScalarType = 's' | 'b' | 'i' | 'l' | 'u' | 'U' | 'd' | 'y';

export type FieldType =
  | { readonly of: 'scalar'; readonly scalar: ScalarType }
  | { readonly of: 'message'; readonly ref: string }
  | { readonly of: 'map'; readonly value: FieldType };

export interface Field {
  /** Of protobuf; 0 for none. */
  readonly number: number;
  /** In JSON. */
  readonly name: string;
  readonly type: FieldType;
  readonly repeated: boolean;
  readonly presence: boolean;
  readonly always: boolean;
  readonly inline: boolean;
  readonly mergeKey: string | undefined;
  readonly mergeSet: boolean;
  readonly retainKeys: boolean;
  readonly atomic: boolean;
  readonly set: boolean;
  readonly mapKeys: readonly string[] | undefined;
}

export interface Message {
  /** `core.v1/Pod`. */
  readonly ref: string;
  readonly atomic: boolean;
  readonly fields: readonly Field[];
}

const SCALAR = /^[sbiluUdy]$/;
const FIELD = /^(?:(\d+) )?([^\s\d]\S*) (\{s,[\w./]+\}|[A-Za-z][\w.]*(?:\/\w+)?)([*?!^@#][\w*?!^@#=+-]*)?$/;
const MARK = /[*?!^]|@=|@[\w-]+|#[\w+-]+/g;

function typeOf(text: string, group: string): FieldType {
  if (SCALAR.test(text)) return { of: 'scalar', scalar: text as ScalarType };
  if (text.startsWith('{')) return { of: 'map', value: typeOf(text.slice(3, -1), group) };
  return { of: 'message', ref: text.includes('/') ? text : `${group}/${text}` };
}

function parseField(text: string, group: string): Field {
  const match = FIELD.exec(text);
  assert(match !== null, () => `a field that is none: ${text}`);
  const [, number, name = '', type = '', tail = ''] = match;
  const marks: readonly string[] = tail.match(MARK) ?? [];
  assert(marks.join('') === tail, () => `marks that are none: ${text}`);
  const keys = marks.find((mark) => mark.startsWith('#') && mark !== '#set' && mark !== '#atomic');
  const merge = marks.find((mark) => mark.startsWith('@') && mark !== '@=' && mark !== '@rk');
  return {
    number: Number(number ?? 0),
    name: name.slice(name.indexOf('>') + 1),
    type: typeOf(type, group),
    repeated: marks.includes('*'),
    presence: marks.includes('?'),
    always: marks.includes('!'),
    inline: marks.includes('^'),
    mergeKey: merge?.slice(1),
    mergeSet: marks.includes('@='),
    retainKeys: marks.includes('@rk'),
    atomic: marks.includes('#atomic'),
    set: marks.includes('#set'),
    mapKeys: keys?.slice(1).split('+'),
  };
}

/** @param line without its end; @param group `core.v1`, that of references without one */
export function parseLine(line: string, group: string): Message {
  const at = line.indexOf(' = ');
  assert(at > 0, () => `a line that is none: ${line}`);
  const head = line.slice(0, at);
  const atomic = head.endsWith('(atomic)');
  const body = line.slice(at + 3);
  return {
    ref: `${group}/${atomic ? head.slice(0, -'(atomic)'.length) : head}`,
    atomic,
    fields: body === '-' ? [] : body.split('; ').map((field) => parseField(field, group)),
  };
}
