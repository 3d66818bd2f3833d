import { basename, join } from 'node:path';
import protobuf from 'protobufjs';
import { REPO_ROOT } from '../binaries.js';

/**
 * The contract as proto/ has it, read by protobuf.js: nothing of src/wire takes part in the comparison. Messages are
 * plain objects by the names of the .proto files. A field that is there is sent, even if it is empty or zero, and an
 * enum may have any number. Bytes are latin1 strings, 64-bit integers numbers or decimal strings.
 */
export type Json = { [name: string]: unknown };

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(REPO_ROOT, 'proto', basename(target));
root.loadSync(['etcdserverpb.proto'], { keepCase: true });

export interface Method {
  readonly path: string;
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
}

const METHODS = new Map<string, Method>();

/** @param name `KV/Range` */
export function method(name: string): Method {
  let found = METHODS.get(name);
  if (found === undefined) {
    const [service, rpc] = name.split('/') as [string, string];
    const { methods } = root.lookupService(`etcdserverpb.${service}`);
    const { requestType, responseType } = methods[rpc] as protobuf.Method;
    const type = (of: string): protobuf.Type => root.lookupType(`etcdserverpb.${of}`);
    found = {
      path: `/etcdserverpb.${service}/${rpc}`,
      request: type(requestType.replace(/^.*\./, '')),
      response: type(responseType.replace(/^.*\./, '')),
    };
    METHODS.set(name, found);
  }
  return found;
}

export function encode(type: protobuf.Type, value: Json): Buffer {
  return Buffer.from(type.encode(type.create(prepared(type, value))).finish());
}

/** Fields that are there; ids and other integers as decimal strings, since lease ids pass 2^53. */
export function decode(type: protobuf.Type, bytes: Buffer): Json {
  return plain(type.toObject(type.decode(bytes), { longs: String, bytes: Buffer })) as Json;
}

/** Bytes and 64-bit integers as protobuf.js takes them. `create` instead of `fromObject` keeps enums as they are. */
function prepared(type: protobuf.Type, value: Json): Json {
  const out: Json = {};
  for (const [name, given] of Object.entries(value)) {
    const field = type.fields[name];
    if (field === undefined) throw new Error(`${type.name}.${name}?`);
    if (given === undefined) continue;
    out[name] = field.repeated ? (given as unknown[]).map((one) => scalar(field, one)) : scalar(field, given);
  }
  return out;
}

function scalar(field: protobuf.Field, value: unknown): unknown {
  const { resolvedType, type } = field.resolve();
  if (resolvedType instanceof protobuf.Type) return prepared(resolvedType, value as Json);
  if (type === 'bytes') return Buffer.from(value as string, 'latin1');
  if (/64$/.test(type)) return long(BigInt(value as string));
  return value;
}

/** As protobuf.js takes 64 bits where no library for them is. */
function long(value: bigint): { low: number; high: number; unsigned: boolean } {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: false };
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}
