import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import type { AnyCodec, NamedField } from '../../src/wire/index.js';
import { RPCS, rpcAt } from '../../src/wire/index.js';
import { codecs, root, typeOf } from './oracle.js';

const PROTO_TYPE: Record<string, string> = {
  key: 'bytes',
  text: 'bytes',
  bytes: 'bytes',
  string: 'string',
  int: 'int64',
  wide: 'int64',
  id: 'int64',
  uint: 'uint64',
  uid: 'uint64',
  bool: 'bool',
  uint32: 'uint32',
};

describe('the field tables are proto/', () => {
  test.each(codecs.map((c): [string, AnyCodec] => [c.name, c]))('%s', (_, codec) => {
    const type = typeOf(codec);
    if (type === null) return expect(codec.name).toBe('grpc.health.v1.HealthListResponse.StatusesEntry');
    expect(codec.fields.map(describeOurs)).toEqual(
      type.fieldsArray
        .slice()
        .sort((a, b) => a.id - b.id)
        .map(describeTheirs),
    );
  });

  test('no message is left out but the one that is spliced by hand', () => {
    const ours = new Set(codecs.map((c) => c.name));
    const missing = messagesOf(root).filter((name) => !ours.has(name));
    expect(missing).toEqual(['etcdserverpb.InternalRaftRequest']);
  });

  function describeOurs(f: NamedField): string {
    const type = f.message?.().name ?? (f.enums ? `enum ${names(f.enums)}` : PROTO_TYPE[f.kind]);
    return `${f.repeated ? 'repeated ' : ''}${type} ${f.proto} = ${f.number}${f.oneof ? ' in oneof' : ''}`;
  }

  function describeTheirs(f: protobuf.Field): string {
    const resolved = f.resolvedType;
    let type = f.type;
    if (f instanceof protobuf.MapField) {
      return `repeated ${f.parent?.fullName.slice(1)}.StatusesEntry ${f.name} = ${f.id}`;
    }
    if (resolved instanceof protobuf.Enum) type = `enum ${names(resolved.values)}`;
    else if (resolved) type = resolved.fullName.slice(1);
    return `${f.repeated ? 'repeated ' : ''}${type} ${f.name} = ${f.id}${f.partOf ? ' in oneof' : ''}`;
  }

  /** The gateway needs the names in upper case as they are; raftpb's, which it never shows, differ. */
  function names(values: Readonly<Record<string, number>>): string {
    return Object.entries(values)
      .map(([name, n]) => `${/[a-z]/.test(name) || RAFT.has(name) ? '*' : name}=${n}`)
      .join();
  }
});

const RAFT = new Set(
  codecs
    .filter((c) => c.name.startsWith('raftpb.'))
    .flatMap((c) => c.fields)
    .flatMap((f) => Object.keys(f.enums ?? {})),
);

function messagesOf(ns: protobuf.NamespaceBase): string[] {
  const out: string[] = [];
  for (const it of ns.nestedArray) {
    if (it instanceof protobuf.Type) out.push(it.fullName.slice(1));
    if (it instanceof protobuf.Namespace) out.push(...messagesOf(it));
  }
  return out;
}

describe('the service table is proto/', () => {
  const described: string[] = [];
  const visit = (ns: protobuf.NamespaceBase): void => {
    for (const it of ns.nestedArray) {
      if (it instanceof protobuf.Service) {
        for (const m of it.methodsArray) {
          m.resolve();
          const [req, res] = [m.resolvedRequestType, m.resolvedResponseType].map((t) => t?.fullName.slice(1));
          const stream = (b: boolean | undefined) => (b ? 'stream ' : '');
          described.push(
            `/${it.fullName.slice(1)}/${m.name} ${stream(m.requestStream)}${req} ${stream(m.responseStream)}${res}`,
          );
        }
      } else if (it instanceof protobuf.Namespace) visit(it);
    }
  };
  visit(root);

  test('every rpc with its messages', () => {
    const ours = RPCS.map((rpc) => {
      const [up, down] = [rpc.clientStreaming ? 'stream ' : '', rpc.serverStreaming ? 'stream ' : ''];
      return `${rpc.path} ${up}${rpc.request.name} ${down}${rpc.response.name}`;
    });
    expect(ours.sort()).toEqual(described.sort());
    expect(ours).toHaveLength(52);
  });

  test('rpcs are found by path, and gateway paths are unique', () => {
    for (const rpc of RPCS) expect(rpcAt(rpc.path)).toBe(rpc);
    expect(rpcAt('/etcdserverpb.KV/Nope')).toBeUndefined();
    const paths = RPCS.flatMap((rpc) => rpc.gateway);
    expect(new Set(paths).size).toBe(paths.length);
  });
});
