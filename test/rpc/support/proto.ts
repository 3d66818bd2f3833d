import { basename, join } from 'node:path';
import protobuf from 'protobufjs';
import { REPO_ROOT } from '../../support/binaries.js';

/**
 * The contract as proto/ has it, read by protobuf.js: what src/wire got wrong cannot hide behind itself. Messages are
 * plain objects by the names of the .proto files; bytes are latin1 strings, so that a script can write them.
 */
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(REPO_ROOT, 'proto', basename(target));
root.loadSync(['etcdserverpb.proto', 'health.proto', 'v3lockpb.proto', 'v3electionpb.proto'], { keepCase: true });

export interface Method {
  path: string;
  request: protobuf.Type;
  response: protobuf.Type;
}

const PACKAGES = ['etcdserverpb', 'grpc.health.v1', 'v3lockpb', 'v3electionpb'];

/** @param name `KV/Range` */
export function methodOf(name: string): Method {
  const [service, rpc] = name.split('/') as [string, string];
  for (const pkg of PACKAGES) {
    const found = root.lookup(`${pkg}.${service}`);
    if (!(found instanceof protobuf.Service)) continue;
    const method = found.methods[rpc];
    if (method === undefined) break;
    const request = found.lookupType(method.requestType);
    return { path: `/${pkg}.${service}/${rpc}`, request, response: found.lookupType(method.responseType) };
  }
  throw new Error(`the contract has no ${name}`);
}

export function encode(type: protobuf.Type, value: object): Buffer {
  return Buffer.from(type.encode(type.fromObject(toBytes(type, value) as object)).finish());
}

/** Fields that are there, in the order of their numbers. */
export function decode(type: protobuf.Type, bytes: Buffer): object {
  return fromBytes(type, type.toObject(type.decode(bytes), { longs: Number, enums: String })) as object;
}

function toBytes(type: protobuf.Type, value: unknown): unknown {
  return mapFields(type, value, (v) => Buffer.from(String(v), 'latin1'));
}

function fromBytes(type: protobuf.Type, value: unknown): unknown {
  return mapFields(type, value, (v) => Buffer.from(v as Uint8Array).toString('latin1'));
}

function mapFields(type: protobuf.Type, value: unknown, bytes: (v: unknown) => unknown): unknown {
  const out: Record<string, unknown> = {};
  const given = value as Record<string, unknown>;
  for (const name of Object.keys(given)) if (type.fields[name] === undefined) throw new Error(`${type.name}.${name}?`);
  for (const field of [...type.fieldsArray].sort((a, b) => a.id - b.id)) {
    const v = given[field.name];
    if (v === undefined) continue;
    const { resolvedType } = field.resolve();
    const one = (x: unknown): unknown => {
      if (resolvedType instanceof protobuf.Type) return mapFields(resolvedType, x, bytes);
      return field.type === 'bytes' ? bytes(x) : x;
    };
    if (field instanceof protobuf.MapField) {
      out[field.name] = Object.fromEntries(Object.entries(v as object).map(([k, x]) => [k, one(x)]));
    } else out[field.name] = field.repeated ? (v as unknown[]).map(one) : one(v);
  }
  return out;
}
