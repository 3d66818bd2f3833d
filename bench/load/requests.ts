import { grpcMessage } from './frames.js';

/** The few requests of the load, as bytes with their gRPC prefix. Field numbers are those of etcd's rpc.proto. */
export const PUT = '/etcdserverpb.KV/Put';
export const RANGE = '/etcdserverpb.KV/Range';
export const TXN = '/etcdserverpb.KV/Txn';
export const KEEP_ALIVE = '/etcdserverpb.Lease/LeaseKeepAlive';
export const GRANT = '/etcdserverpb.Lease/LeaseGrant';
export const REVOKE = '/etcdserverpb.Lease/LeaseRevoke';
export const WATCH = '/etcdserverpb.Watch/Watch';

const LENGTH_DELIMITED = 2;

export function putMessage(key: Buffer, value: Buffer): Buffer {
  return grpcMessage(putBody(key, value));
}

/** @param rangeEnd empty for the single key */
export function rangeMessage(key: Buffer, rangeEnd: Buffer, serializable: boolean): Buffer {
  const end = rangeEnd.length > 0 ? bytes(2, rangeEnd) : Buffer.alloc(0);
  const flag = serializable ? Buffer.from([7 << 3, 1]) : Buffer.alloc(0);
  return grpcMessage(Buffer.concat([bytes(1, key), end, flag]));
}

/** Creates a watcher of one key, or of a range, from now on. */
export function watchMessage(key: Buffer, rangeEnd: Buffer = Buffer.alloc(0)): Buffer {
  const end = rangeEnd.length > 0 ? bytes(2, rangeEnd) : Buffer.alloc(0);
  return grpcMessage(bytes(1, Buffer.concat([bytes(1, key), end])));
}

/** Puts of one transaction, without a condition. */
export function txnPutsMessage(puts: readonly (readonly [key: Buffer, value: Buffer])[]): Buffer {
  return grpcMessage(Buffer.concat(puts.map(([key, value]) => bytes(2, bytes(2, putBody(key, value))))));
}

/** A put on the condition that the key is there: version(key) > 0. */
export function txnPutIfPresentMessage(key: Buffer, value: Buffer): Buffer {
  const compare = Buffer.concat([Buffer.from([1 << 3, 1]), bytes(3, key), Buffer.from([4 << 3, 0])]);
  return grpcMessage(Buffer.concat([bytes(1, compare), bytes(2, bytes(2, putBody(key, value)))]));
}

export function grantMessage(id: number, ttlSeconds: number): Buffer {
  return grpcMessage(Buffer.concat([Buffer.from([1 << 3]), varint(ttlSeconds), Buffer.from([2 << 3]), varint(id)]));
}

/** A renewal, or the end of a lease: both name it in their first field. */
export function keepAliveMessage(id: number): Buffer {
  return grpcMessage(Buffer.concat([Buffer.from([1 << 3]), varint(id)]));
}

function putBody(key: Buffer, value: Buffer): Buffer {
  return Buffer.concat([bytes(1, key), bytes(2, value)]);
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | LENGTH_DELIMITED]), varint(value.length), value]);
}

function varint(n: number): Buffer {
  const out: number[] = [];
  let left = n;
  for (; left > 0x7f; left >>>= 7) out.push((left & 0x7f) | 0x80);
  out.push(left);
  return Buffer.from(out);
}

/** Takes gRPC messages out of a stream's DATA chunks, which need not keep their bounds. */
export class MessageReader {
  readonly #onMessage: (message: Buffer) => void;
  #rest: Buffer | null = null;

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    const buf = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (buf.length - at >= 5) {
      const end = at + 5 + buf.readUInt32BE(at + 1);
      if (end > buf.length) break;
      this.#onMessage(buf.subarray(at + 5, end));
      at = end;
    }
    this.#rest = at < buf.length ? Buffer.from(buf.subarray(at)) : null;
  }
}

/**
 * Calls back with the last eight bytes of each event of a WatchResponse. An event without previous value or lease
 * ends in its value, so that is where a writer puts a number.
 */
export function eventTails(message: Buffer, onTail: (tail: number) => void): void {
  let at = 0;
  while (at < message.length) {
    const tag = message[at++]!;
    if ((tag & 7) === LENGTH_DELIMITED) {
      let length = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = message[at++]!;
        length |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      at += length;
      if (tag >>> 3 === 11) onTail(message.readDoubleBE(at - 8));
    } else {
      while (message[at++]! >= 0x80);
    }
  }
}
