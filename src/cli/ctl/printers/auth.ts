import { prefixEnd } from '../../../client/index.js';
import * as wire from '../../../wire/index.js';
import type { Context } from '../context.js';
import { Exit, Fail } from '../fail.js';
import { quote } from '../go.js';
import { FieldsPrinter } from './fields.js';
import { JsonPrinter } from './json.js';

/** An answer of the Auth service, and how people and scripts are told of it. */
export interface AuthOutput<T extends { header: wire.ResponseHeader | null }> {
  readonly codec: wire.Codec<T>;
  readonly reply: T;
  /** Lines for people. */
  readonly simple: () => string | Buffer;
  /** What follows the header with `-w fields`; null: there is no such form. */
  readonly fields: (() => string) | null;
}

/** @throws Fail (4) where the format has no form for it */
export function printAuth<T extends { header: wire.ResponseHeader | null }>(
  context: Context,
  { codec, reply, simple, fields }: AuthOutput<T>,
): void {
  const { io, flags } = context;
  const format = flags.string('write-out');
  const hex = flags.bool('hex');
  if (format === 'simple') io.out(simple());
  else if (format === 'json') new JsonPrinter(io, hex).message(codec, reply);
  else if (format === 'protobuf') io.out(codec.encode(reply as never));
  else if (format === 'fields' && fields !== null) {
    new FieldsPrinter(io, hex).header(reply.header);
    io.out(fields());
  } else throw new Fail(Exit.BAD_FEATURE, `${format} not supported as output format`);
}

const PERM_NAMES = ['READ', 'WRITE', 'READWRITE'];

export function roleFields(perms: readonly wire.Permission[]): string {
  const lines = perms.map(
    ({ permType, key, rangeEnd }) =>
      `"PermType" :  ${PERM_NAMES[permType] ?? permType}\n"Key" : ${quoted(key)}\n"RangeEnd" : ${quoted(rangeEnd)}\n`,
  );
  return lines.join('');
}

export function roleText(role: string, perms: readonly wire.Permission[]): Buffer {
  const of = (other: number): string =>
    perms
      .filter(({ permType }) => permType !== other)
      .map(rangeLine)
      .join('');
  const { READ, WRITE } = wire.PermissionType;
  return Buffer.concat([
    Buffer.from(`Role ${role}\nKV Read:\n`),
    Buffer.from(of(WRITE), 'latin1'),
    Buffer.from('KV Write:\n'),
    Buffer.from(of(READ), 'latin1'),
  ]);
}

/** latin1, as keys are. */
function rangeLine({ key, rangeEnd }: wire.Permission): string {
  if (rangeEnd === '') return `\t${key}\n`;
  const range = rangeEnd === '\0' ? `[${key}, <open ended>` : `[${key}, ${rangeEnd})`;
  return `\t${range}${prefixEnd(key) === rangeEnd ? ` (prefix ${key})` : ''}\n`;
}

function quoted(key: string): string {
  return quote(Buffer.from(key, 'latin1'));
}
