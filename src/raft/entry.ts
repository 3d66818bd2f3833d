import type { NodeId } from './types.js';

/** raftpb.EntryType. */
export const EntryType = { Normal: 0, ConfChange: 1, ConfChangeV2: 2 } as const;

/** One entry of the log. */
export class Entry {
  readonly type: number;
  readonly term: number;
  readonly index: number;
  readonly data: Buffer;
  /** The marshalled raftpb.Entry, made once by whoever needs it first; null until then. Not raft's business. */
  wire: Buffer | null;

  constructor(type: number, term: number, index: number, data: Buffer, wire: Buffer | null = null) {
    this.type = type;
    this.term = term;
    this.index = index;
    this.data = data;
    this.wire = wire;
  }
}

/** What must be on disk beside the entries. */
export interface HardState {
  readonly term: number;
  readonly vote: NodeId;
  readonly commit: number;
}

/** The members that count. No id stands in both lists. */
export interface ConfState {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
}

/** raftpb.ConfChangeType. */
export const ConfChangeType = { AddNode: 0, RemoveNode: 1, UpdateNode: 2, AddLearnerNode: 3 } as const;

export interface ConfChange {
  readonly id: bigint;
  readonly type: number;
  readonly nodeId: NodeId;
  readonly context: Buffer;
}

/** Until wire's codec lands. */
export function encodeConfChange(cc: ConfChange): Buffer {
  const head = Buffer.alloc(17);
  head.writeBigUInt64BE(cc.id, 0);
  head.writeUInt8(cc.type, 8);
  head.writeBigUInt64BE(cc.nodeId, 9);
  return Buffer.concat([head, cc.context]);
}
