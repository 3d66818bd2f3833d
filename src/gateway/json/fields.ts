import type { AnyCodec, NamedField } from '../../wire/index.js';

/** A field with what JSON calls it. */
export interface JsonField extends NamedField {
  /** As protobuf derives it of the name in the .proto file: `rangeEnd` of `range_end`, `peerURLs` of itself. */
  readonly json: string;
  /** As Go's protobuf prints its type. */
  readonly type: string;
  /** Of an enum: the names by number. */
  readonly names: ReadonlyMap<number, string> | null;
}

const TYPES: Readonly<Record<NamedField['kind'], string>> = {
  key: 'bytes',
  text: 'bytes',
  bytes: 'bytes',
  string: 'string',
  int: 'int64',
  uint: 'uint64',
  wide: 'int64',
  id: 'int64',
  uid: 'uint64',
  bool: 'bool',
  enum: 'enum',
  uint32: 'uint32',
  message: 'message',
};

interface Table {
  readonly fields: readonly JsonField[];
  /** By both of its names. */
  readonly byName: ReadonlyMap<string, JsonField>;
}

const tables = new Map<AnyCodec, Table>();

/** What JSON calls the fields of a message: from the table that makes its bytes. */
export function tableOf(codec: AnyCodec): Table {
  let table = tables.get(codec);
  if (table === undefined) tables.set(codec, (table = makeTable(codec)));
  return table;
}

function makeTable(codec: AnyCodec): Table {
  const fields = codec.fields.map((f) => ({
    ...f,
    json: f.proto.replace(/_+(.?)/g, (_, c: string) => c.toUpperCase()),
    type: TYPES[f.kind],
    names: f.enums === null ? null : new Map(Object.entries(f.enums).map(([name, number]) => [number, name])),
  }));
  return { fields, byName: new Map(fields.flatMap((f) => [[f.proto, f] as const, [f.json, f] as const])) };
}
