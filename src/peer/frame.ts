/*
 * A frame between members:
 *
 *   0        4      5
 *   +--------+------+-------------------+
 *   | length | type | payload           |     length: u32 little endian, of type and payload
 *   +--------+------+-------------------+
 */

export const FrameType = {
  /** First frame of a dialer: who it is, whom it wants. msgpack, see handshake.ts. */
  Hello: 1,
  /** The answer that lets it in. */
  Welcome: 2,
  /** The answer that does not; the connection is closed behind it. */
  Refuse: 3,
  /** Raft messages; see envelope.ts. */
  Messages: 4,
  /** Proposals of a follower: u32 count, then u32 length and bytes each. */
  Forward: 5,
  /** msgpack [id, kind, body] */
  Request: 6,
  /** msgpack [id, error or null, body] */
  Reply: 7,
  /** Bytes of a snapshot. */
  Chunk: 8,
  /** The snapshot is complete. */
  ChunkEnd: 9,
  /** A chunk was taken: more may come. */
  ChunkTaken: 10,
  /** msgpack: error text or null; the snapshot's outcome. */
  ChunkDone: 11,
  Ping: 12,
  Pong: 13,
} as const;

export const FRAME_HEADER_BYTES = 5;
/** A longer frame is nothing that a member sends: the connection is closed. */
export const FRAME_BYTES_MAX = 256 << 20;

export function frameHeader(type: number, payloadBytes: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header.writeUInt32LE(payloadBytes + 1, 0);
  header[4] = type;
  return header;
}

/** Cuts a stream of bytes into frames. A frame's payload is its own buffer, or a view into the chunk that held all of it. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes of the frame that is awaited, with its header; 0 while the header is not there. */
  #need = 0;

  /**
   * Takes a chunk and hands out the frames that are complete with it.
   * @returns what is wrong with the stream, or null
   */
  push(chunk: Buffer, onFrame: (type: number, payload: Buffer) => void): string | null {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      if (this.#need === 0) {
        if (this.#bytes < FRAME_HEADER_BYTES) return null;
        const length = this.#peekLength();
        if (length < 1 || length > FRAME_BYTES_MAX) return `frame of ${length} bytes`;
        this.#need = 4 + length;
      }
      if (this.#bytes < this.#need) return null;
      const frame = this.#take(this.#need);
      this.#need = 0;
      onFrame(frame[4] as number, frame.subarray(FRAME_HEADER_BYTES));
    }
  }

  #peekLength(): number {
    const first = this.#chunks[0] as Buffer;
    if (first.length >= 4) return first.readUInt32LE(0);
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all.readUInt32LE(0);
  }

  #take(n: number): Buffer {
    let first = this.#chunks[0] as Buffer;
    if (first.length < n) {
      first = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
      this.#chunks = [first];
    }
    this.#bytes -= n;
    if (first.length === n) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(n);
    return first.subarray(0, n);
  }
}
