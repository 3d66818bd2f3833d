import type { Known } from './reader.js';
import { EMPTY, Reader } from './reader.js';
import type { Writer } from './writer.js';
import { scratch } from './writer.js';

/**
 * How a field's value looks in JavaScript. Two kinds with the same protobuf type differ in that alone.
 *
 * | kind | protobuf | JavaScript |
 * |---|---|---|
 * | key | bytes | latin1 string, one char a byte |
 * | text | bytes | UTF-8 string |
 * | bytes | bytes | Buffer, a view |
 * | string | string | string |
 * | int / uint | int64 / uint64 | number, saturating at +-Number.MAX_SAFE_INTEGER |
 * | wide | int64 | number, or bigint beyond +-Number.MAX_SAFE_INTEGER |
 * | id / uid | int64 / uint64 | bigint |
 * | bool, enum, uint32 | the same | boolean, number, number |
 * | message | message | object, or null where absent |
 */
export type Kind =
  | 'key'
  | 'text'
  | 'bytes'
  | 'string'
  | 'int'
  | 'uint'
  | 'wide'
  | 'id'
  | 'uid'
  | 'bool'
  | 'enum'
  | 'uint32'
  | 'message';

export type EnumTable = Readonly<Record<string, number>>;

/** Where a oneof keeps its state: the number of the member that is set (0: none), and its value. */
export interface Oneof {
  readonly tag: string;
  /** The property that holds the value, whichever member is set; null: each member has its own. */
  readonly value: string | null;
  /** Its name in the .proto file. */
  readonly proto: string;
}

/** One field. `Value` is the type of the property; it exists for the compiler only. */
export interface Field<Value = unknown> {
  readonly number: number;
  readonly kind: Kind;
  readonly repeated: boolean;
  readonly packed: boolean;
  /** raftpb and walpb (proto2) write the field even when it is zero. */
  readonly always: boolean;
  /** The name in the .proto file and in the JSON gateway, where it is not the property's name in snake case. */
  readonly proto: string | null;
  readonly message: (() => AnyCodec) | null;
  readonly enums: EnumTable | null;
  readonly oneof: Oneof | null;
  readonly value?: Value;
}

/** A field with its names: `name` of the property, `proto` of the .proto file. */
export interface NamedField extends Field {
  readonly name: string;
  readonly proto: string;
}

export type Shape = Readonly<Record<string, Field>>;
export type MessageOf<S extends Shape> = { -readonly [K in keyof S]: S[K] extends Field<infer V> ? V : never };

/** What is left out is zero. */
export type Input<T> = { readonly [K in keyof T]?: T[K] extends (infer V)[] ? readonly V[] : T[K] };

/** Encodes and decodes one kind of message, and describes it. */
export interface Codec<T> {
  /** With the package: `etcdserverpb.PutRequest`. */
  readonly name: string;
  /** In ascending order of number. */
  readonly fields: readonly NamedField[];
  readonly known: Known;
  /** A message with every property set, in the one order that all messages of the kind share. */
  make(init?: Partial<T>): T;
  /** @throws WireError */
  decode(buf: Buffer): T;
  /** What is left out of `message` is zero. @returns the caller's own bytes */
  encode(message: Input<T>): Buffer;
  /** Reads up to `r.end`. @throws WireError */
  read(r: Reader): T;
  write(w: Writer, message: Input<T>): void;
}

// biome-ignore lint/suspicious/noExplicitAny: a codec is invariant in its message; tables hold them all.
export type AnyCodec = Codec<any>;
/** The message of a codec: `MessageType<typeof PutRequest>`. */
export type MessageType<C> = C extends Codec<infer T> ? T : never;

/** A codec written by hand replaces what the field table would do. */
export interface ByHand<T> {
  make(): T;
  read(r: Reader): T;
  write(w: Writer, message: T): void;
}

function field<V>(number: number, kind: Kind, proto?: string): Field<V> {
  return {
    number,
    kind,
    repeated: false,
    packed: false,
    always: false,
    proto: proto ?? null,
    message: null,
    enums: null,
    oneof: null,
  };
}

export const key = (n: number, proto?: string) => field<string>(n, 'key', proto);
export const text = (n: number, proto?: string) => field<string>(n, 'text', proto);
export const bytes = (n: number, proto?: string) => field<Buffer>(n, 'bytes', proto);
export const string = (n: number, proto?: string) => field<string>(n, 'string', proto);
export const int = (n: number, proto?: string) => field<number>(n, 'int', proto);
export const uint = (n: number, proto?: string) => field<number>(n, 'uint', proto);
/** An id that is small but for who means to try. */
export const wide = (n: number, proto?: string) => field<number | bigint>(n, 'wide', proto);
export const id = (n: number, proto?: string) => field<bigint>(n, 'id', proto);
export const uid = (n: number, proto?: string) => field<bigint>(n, 'uid', proto);
export const bool = (n: number, proto?: string) => field<boolean>(n, 'bool', proto);
export const uint32 = (n: number, proto?: string) => field<number>(n, 'uint32', proto);
export const enumeration = (n: number, enums: EnumTable, proto?: string): Field<number> => ({
  ...field<number>(n, 'enum', proto),
  enums,
});
/** `of` is a function because messages name each other before they are defined. */
export const message = <T>(n: number, of: () => Codec<T>, proto?: string): Field<T | null> => ({
  ...field<T | null>(n, 'message', proto),
  message: of,
});
export const list = <V>(one: Field<V>): Field<NonNullable<V>[]> =>
  ({ ...one, repeated: true }) as Field<NonNullable<V>[]>;
export const packed = (one: Field<number>): Field<number[]> =>
  ({ ...one, repeated: true, packed: true }) as unknown as Field<number[]>;
export const always = <V>(one: Field<V>): Field<V> => ({ ...one, always: true });

/** The members of a oneof. @param proto its name in the .proto file */
export function oneof(proto: string, tag: string, value: string | null, members: Shape): Shape {
  return Object.fromEntries(Object.entries(members).map(([k, f]) => [k, { ...f, oneof: { tag, value, proto } }]));
}

/** A message driven by its field table. */
export function define<S extends Shape>(name: string, shape: S): Codec<MessageOf<S>> {
  return new TableCodec<MessageOf<S>>(name, shape);
}

/** A message with a codec of its own, and a field table that describes it. */
export function defineByHand<T>(name: string, shape: Shape, hand: ByHand<T>): Codec<T> {
  return new HandCodec<T>(name, shape, hand);
}

type Loose = Record<string, unknown>;

class TableCodec<T> implements Codec<T> {
  readonly name: string;
  readonly #shape: Shape;
  #fields: readonly NamedField[] | null = null;
  #byTag: Map<number, NamedField> | null = null;
  #template: Loose | null = null;
  #lists: string[] = [];

  constructor(name: string, shape: Shape) {
    this.name = name;
    this.#shape = shape;
  }

  get fields(): readonly NamedField[] {
    this.#fields ??= Object.entries(this.#shape)
      .map(([name, f]) => ({ ...f, name, proto: f.proto ?? snakeCase(name) }))
      .sort((a, b) => a.number - b.number);
    return this.#fields;
  }

  get known(): Known {
    const names: Record<number, string> = {};
    for (const f of this.fields) names[f.number] = goName(f.proto);
    return { name: this.name.slice(this.name.lastIndexOf('.') + 1), fields: names };
  }

  make(init?: Partial<T>): T {
    const out = this.#blank();
    for (const name of this.#lists) out[name] = [];
    return init === undefined ? (out as T) : (Object.assign(out, init) as T);
  }

  /** All properties set, and the lists all the same empty one. */
  #blank(): Loose {
    if (this.#template === null) {
      this.#template = {};
      for (const f of this.fields) {
        if (f.oneof !== null) {
          this.#template[f.oneof.tag] = 0;
          if (f.oneof.value !== null) {
            this.#template[f.oneof.value] = null;
            continue;
          }
        }
        this.#template[f.name] = f.repeated ? NONE : zeroOf(f.kind);
        if (f.repeated) this.#lists.push(f.name);
      }
    }
    return { ...this.#template };
  }

  decode(buf: Buffer): T {
    return this.read(new Reader(buf));
  }

  encode(message: Input<T>): Buffer {
    this.write(scratch.reset(), message);
    return scratch.finish();
  }

  read(r: Reader): T {
    const out = this.make() as Loose;
    this.#byTag ??= new Map(this.fields.map((f) => [f.number * 8 + wireTypeOf(f.kind), f]));
    while (r.pos < r.end) {
      const tag = r.tag();
      const f = this.#byTag.get(tag);
      if (f !== undefined) {
        if (f.repeated) (out[f.name] as unknown[]).push(readOne(r, f));
        else if (f.oneof === null) out[f.name] = readOne(r, f);
        else this.#readMember(r, f, f.oneof, out);
      } else if (!this.#maybeReadPacked(r, tag, out)) r.skip(tag, this.known);
    }
    return out as T;
  }

  #readMember(r: Reader, f: NamedField, oneof: Oneof, out: Loose): void {
    for (const other of this.fields) {
      if (other.oneof?.tag === oneof.tag && oneof.value === null) out[other.name] = zeroOf(other.kind);
    }
    out[oneof.tag] = f.number;
    out[oneof.value ?? f.name] = readOne(r, f);
  }

  /** A packed list under the tag of bytes; the plain form was tried before. */
  #maybeReadPacked(r: Reader, tag: number, out: Loose): boolean {
    if ((tag & 7) !== 2) return false;
    const f = this.#byTag?.get(tag - 2);
    if (f?.packed !== true) return false;
    const outer = r.enter();
    while (r.pos < r.end) (out[f.name] as unknown[]).push(readOne(r, f));
    r.leave(outer);
    return true;
  }

  write(w: Writer, message: Input<T>): void {
    const from = message as Loose;
    const fields = this.fields;
    for (let i = fields.length - 1; i >= 0; i--) {
      const f = fields[i] as NamedField;
      if (f.oneof !== null) {
        if (from[f.oneof.tag] === f.number) writeOne(w, f, from[f.oneof.value ?? f.name], true);
        continue;
      }
      const value = from[f.name];
      if (value === undefined) {
        if (f.always) writeOne(w, f, zeroOf(f.kind), true);
      } else if (f.packed) {
        writePacked(w, f, value as number[]);
      } else if (f.repeated) {
        const items = value as unknown[];
        for (let j = items.length - 1; j >= 0; j--) writeOne(w, f, items[j], true);
      } else writeOne(w, f, value, f.always);
    }
  }
}

class HandCodec<T> extends TableCodec<T> {
  readonly #hand: ByHand<T>;

  constructor(name: string, shape: Shape, hand: ByHand<T>) {
    super(name, shape);
    this.#hand = hand;
  }

  override make(init?: Partial<T>): T {
    const out = this.#hand.make();
    return init === undefined ? out : (Object.assign(out as object, init as object) as T);
  }

  override read(r: Reader): T {
    return this.#hand.read(r);
  }

  override write(w: Writer, message: Input<T>): void {
    this.#hand.write(w, this.make(message as Partial<T>));
  }
}

const NONE: readonly never[] = Object.freeze([]);

function zeroOf(kind: Kind): unknown {
  switch (kind) {
    case 'key':
    case 'text':
    case 'string':
      return '';
    case 'bytes':
      return EMPTY;
    case 'id':
    case 'uid':
      return 0n;
    case 'bool':
      return false;
    case 'message':
      return null;
    default:
      return 0;
  }
}

function wireTypeOf(kind: Kind): number {
  switch (kind) {
    case 'key':
    case 'text':
    case 'string':
    case 'bytes':
    case 'message':
      return 2;
    default:
      return 0;
  }
}

function readOne(r: Reader, f: NamedField): unknown {
  switch (f.kind) {
    case 'key':
      return r.latin1();
    case 'text':
    case 'string':
      return r.utf8();
    case 'bytes':
      return r.bytes();
    case 'int':
      return r.int();
    case 'uint':
      return r.uint();
    case 'wide':
      return r.wide();
    case 'id':
      return r.id();
    case 'uid':
      return r.uid();
    case 'bool':
      return r.bool();
    case 'enum':
      return r.int32();
    case 'uint32':
      return r.uint32();
    case 'message': {
      const outer = r.enter();
      const value = (f.message as () => AnyCodec)().read(r);
      r.leave(outer);
      return value;
    }
  }
}

/** @param zeros write a zero as well; an absent message is never written */
function writeOne(w: Writer, f: NamedField, value: unknown, zeros: boolean): void {
  const tag = f.number * 8 + wireTypeOf(f.kind);
  switch (f.kind) {
    case 'key':
      if (zeros || value !== '') w.latin1(tag, value as string);
      break;
    case 'text':
    case 'string':
      if (zeros || value !== '') w.utf8(tag, value as string);
      break;
    case 'bytes':
      if (zeros || (value as Buffer).length !== 0) w.bytes(tag, value as Buffer);
      break;
    case 'wide':
      w.wideField(tag, value as number | bigint);
      break;
    case 'id':
    case 'uid':
      if (zeros || value !== 0n) {
        w.id(value as bigint);
        w.varint(tag);
      }
      break;
    case 'bool':
      if (zeros || value === true) {
        w.varint(value === true ? 1 : 0);
        w.varint(tag);
      }
      break;
    case 'message':
      if (value !== null) {
        const mark = w.size;
        (f.message as () => AnyCodec)().write(w, value as Loose);
        w.close(tag, mark);
      }
      break;
    default:
      if (zeros || value !== 0) {
        w.int(value as number);
        w.varint(tag);
      }
  }
}

function writePacked(w: Writer, f: NamedField, items: number[]): void {
  if (items.length === 0) return;
  const mark = w.size;
  for (let i = items.length - 1; i >= 0; i--) w.int(items[i] as number);
  w.close(f.number * 8 + 2, mark);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
}

/** The name that Go's generator gives a field: `range_end` is RangeEnd, `peerURLs` PeerURLs, `member_ID` Member_ID. */
function goName(proto: string): string {
  const first = proto.charAt(0).toUpperCase() + proto.slice(1);
  return first.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
}
