import { Packr } from 'msgpackr';
import type { MessageKind } from '../raft/index.js';
import { Message, NO_ENTRIES } from '../raft/index.js';
import { decodeEntry, entryWire } from '../wire/index.js';

/** Shared by all frames: plain MessagePack without records, so that a frame stands for itself. */
export const packr = new Packr({ useRecords: false, int64AsType: 'number', largeBigIntToString: true });

type Row = [
  kind: number,
  term: number,
  logTerm: number,
  index: number,
  commit: number,
  reject: number,
  rejectHint: number,
  context: number,
  entryBytes: number[],
];

/**
 * Raft messages to one peer as the payload of one frame: u32 length of the msgpack envelope, the envelope, then the
 * entries' own bytes one behind the other. The buffers of the entries are the log's, shared by all peers.
 */
export function encodeMessages(messages: readonly Message[]): { chunks: Buffer[]; bytes: number } {
  const rows: Row[] = [];
  const chunks: Buffer[] = [EMPTY, EMPTY];
  let bytes = 4;
  for (const m of messages) {
    const lengths: number[] = [];
    for (const entry of m.entries) {
      const wire = entryWire(entry);
      lengths.push(wire.length);
      chunks.push(wire);
      bytes += wire.length;
    }
    rows.push([m.kind, m.term, m.logTerm, m.index, m.commit, m.reject ? 1 : 0, m.rejectHint, m.context, lengths]);
  }
  const envelope = Buffer.from(packr.pack(rows));
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32LE(envelope.length, 0);
  chunks[0] = head;
  chunks[1] = envelope;
  return { chunks, bytes: bytes + envelope.length };
}

/** @throws WireError or an error of msgpackr where the payload is no such thing */
export function decodeMessages(payload: Buffer, from: bigint, to: bigint): Message[] {
  const envelopeEnd = 4 + payload.readUInt32LE(0);
  if (envelopeEnd > payload.length) throw new RangeError('envelope is longer than its frame');
  const rows = packr.unpack(payload.subarray(4, envelopeEnd)) as Row[];
  let at = envelopeEnd;
  return rows.map((row) => {
    const m = new Message(row[0] as MessageKind, to, from, row[1]);
    m.logTerm = row[2];
    m.index = row[3];
    m.commit = row[4];
    m.reject = row[5] === 1;
    m.rejectHint = row[6];
    m.context = row[7];
    const lengths = row[8];
    m.entries =
      lengths.length === 0
        ? NO_ENTRIES
        : lengths.map((length) => {
            if (at + length > payload.length) throw new RangeError('entries are longer than their frame');
            const entry = decodeEntry(payload.subarray(at, at + length));
            at += length;
            return entry;
          });
    return m;
  });
}

export function encodeForward(proposals: readonly Buffer[]): { chunks: Buffer[]; bytes: number } {
  const head = Buffer.allocUnsafe(4 + 4 * proposals.length);
  head.writeUInt32LE(proposals.length, 0);
  let bytes = head.length;
  for (let i = 0; i < proposals.length; i++) {
    const { length } = proposals[i] as Buffer;
    head.writeUInt32LE(length, 4 + 4 * i);
    bytes += length;
  }
  return { chunks: [head, ...proposals], bytes };
}

export function decodeForward(payload: Buffer): Buffer[] {
  const count = payload.readUInt32LE(0);
  let at = 4 + 4 * count;
  if (at > payload.length) throw new RangeError('proposals are longer than their frame');
  const proposals: Buffer[] = [];
  for (let i = 0; i < count; i++) {
    const length = payload.readUInt32LE(4 + 4 * i);
    if (at + length > payload.length) throw new RangeError('proposals are longer than their frame');
    proposals.push(payload.subarray(at, at + length));
    at += length;
  }
  return proposals;
}

const EMPTY = Buffer.alloc(0);
