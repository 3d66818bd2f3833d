import { bytes, defineByHand, enumeration, id, int, key, oneof } from './codec.js';
import type { Reader } from './reader.js';
import { EMPTY } from './reader.js';
import type { Writer } from './writer.js';

export const CompareResult = { EQUAL: 0, GREATER: 1, LESS: 2, NOT_EQUAL: 3 } as const;
export const CompareTarget = { VERSION: 0, CREATE: 1, MOD: 2, VALUE: 3, LEASE: 4 } as const;
/** Which member of target_union is set: its field number. It need not fit `target`. */
export const TargetUnion = { NONE: 0, VERSION: 4, CREATE_REVISION: 5, MOD_REVISION: 6, VALUE: 7, LEASE: 8 } as const;

/** etcdserverpb.Compare. The members of the union that are not set are zero. */
export interface Compare {
  result: number;
  target: number;
  key: string;
  targetUnion: number;
  version: number;
  createRevision: number;
  modRevision: number;
  value: Buffer;
  lease: bigint;
  rangeEnd: string;
}

export function makeCompare(): Compare {
  return {
    result: 0,
    target: 0,
    key: '',
    targetUnion: 0,
    version: 0,
    createRevision: 0,
    modRevision: 0,
    value: EMPTY,
    lease: 0n,
    rangeEnd: '',
  };
}

export const Compare = defineByHand<Compare>(
  'etcdserverpb.Compare',
  {
    result: enumeration(1, CompareResult),
    target: enumeration(2, CompareTarget),
    key: key(3),
    ...oneof('target_union', 'targetUnion', null, {
      version: int(4),
      createRevision: int(5),
      modRevision: int(6),
      value: bytes(7),
      lease: id(8),
    }),
    rangeEnd: key(64),
  },
  { make: makeCompare, read: readCompare, write: writeCompare },
);

export function readCompare(r: Reader): Compare {
  const m = makeCompare();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.result = r.int32();
        break;
      case 16:
        m.target = r.int32();
        break;
      case 26:
        m.key = r.latin1();
        break;
      case 32:
        setMember(m, TargetUnion.VERSION);
        m.version = r.int();
        break;
      case 40:
        setMember(m, TargetUnion.CREATE_REVISION);
        m.createRevision = r.int();
        break;
      case 48:
        setMember(m, TargetUnion.MOD_REVISION);
        m.modRevision = r.int();
        break;
      case 58:
        setMember(m, TargetUnion.VALUE);
        m.value = r.bytes();
        break;
      case 64:
        setMember(m, TargetUnion.LEASE);
        m.lease = r.id();
        break;
      case 514:
        m.rangeEnd = r.rangeEnd();
        break;
      default:
        r.skip(tag, Compare.known);
    }
  }
  return m;
}

/** The last member on the wire wins. */
function setMember(m: Compare, member: number): void {
  if (m.targetUnion !== 0) {
    m.version = 0;
    m.createRevision = 0;
    m.modRevision = 0;
    m.value = EMPTY;
    m.lease = 0n;
  }
  m.targetUnion = member;
}

export function writeCompare(w: Writer, m: Compare): void {
  w.rangeEndField(514, m.rangeEnd);
  switch (m.targetUnion) {
    case TargetUnion.VERSION:
      w.int(m.version);
      w.varint(32);
      break;
    case TargetUnion.CREATE_REVISION:
      w.int(m.createRevision);
      w.varint(40);
      break;
    case TargetUnion.MOD_REVISION:
      w.int(m.modRevision);
      w.varint(48);
      break;
    case TargetUnion.VALUE:
      w.bytes(58, m.value);
      break;
    case TargetUnion.LEASE:
      w.id(m.lease);
      w.varint(64);
      break;
  }
  w.latin1Field(26, m.key);
  w.intField(16, m.target);
  w.intField(8, m.result);
}
